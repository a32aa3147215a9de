"""The package as it is imported: light until a class is asked for, and then known to the Auto classes."""

import subprocess
import sys

import pytest

import modeling_derender


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_every_public_name_is_there():
    for name in modeling_derender.__all__:
        assert getattr(modeling_derender, name).__name__ == name
    assert set(modeling_derender.__all__) <= set(dir(modeling_derender))
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        modeling_derender.absent  # noqa: B018


def test_specifications_need_neither_torch_nor_transformers():
    code = """
import sys, modeling_derender
modeling_derender.to_json, modeling_derender.Language, modeling_derender.check_objects
print({"torch", "transformers"} & sys.modules.keys())
"""
    assert run(code).strip() == "set()"


def test_with_a_class_the_auto_classes_know_the_model():
    code = """
from modeling_derender import DerenderConfig
from transformers import AutoConfig, AutoModel
print(type(AutoConfig.for_model("derender")) is DerenderConfig, DerenderConfig in AutoModel._model_mapping)
"""
    assert run(code).strip() == "True True"
