"""The worked example of docs/own_language.md: its code is a language, and its commands train, reward and score it."""

import json
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from datasets_scripts import load_language_folder
from modeling_derender.specification import check_objects


ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "own_language.md").read_text(encoding="utf-8")
FEWER = {"steps": 2, "evaluate_every": 2, "evaluation_size": 4, "batch_size": 4, "num_workers": 0}


def blocks_of(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the page's user works, with the folder balls/ and both recipes, which are cut short."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "balls").mkdir()
    (code,) = blocks_of("python")
    assert len(code.splitlines()) < 60
    (folder / "balls" / "__init__.py").write_text(code, encoding="utf-8")
    for name, recipe in zip(("balls.yaml", "balls_rl.yaml"), blocks_of("yaml"), strict=True):
        (folder / name).write_text(yaml.safe_dump(yaml.safe_load(recipe) | FEWER))
    return folder


def test_it_is_a_language(folder):
    balls = load_language_folder(str(folder / "balls"))
    objects = check_objects(balls.LANGUAGE, [{"category": "ball", "colour": "red", "x": 3, "y": 9}])
    (picture,) = balls.render_batch([objects], size=(40, 40))
    assert tuple(picture[38, 14]) == (200, 30, 30) and (picture[:30] == 255).all()


def test_its_commands_do_what_they_say(folder, monkeypatch):
    (block,) = blocks_of("sh")
    monkeypatch.chdir(folder)
    for line in block.strip().splitlines():
        python, *words = shlex.split(line.replace("--size 200", "--size 5"))
        assert python == "python"
        monkeypatch.setattr(sys, "argv", words)
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")
    result = json.loads((folder / "runs" / "balls_rl" / "eval.json").read_text())
    assert result["language"] == "balls" and 0 <= result["reconstruction_error"] <= 1
    assert (folder / "runs" / "balls_rl" / "report.html").stat().st_size > 1000
