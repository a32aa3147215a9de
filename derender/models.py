"""Finds a model by its name: one that comes with the package, a folder, or one on the Hub."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from huggingface_hub import snapshot_download

from derender_training.model_folder import open_model
from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor


WEIGHTS = "derender_pretrained"  # the package of the weights: pretrained/ in the repository
FILES = ("*.json", "*.safetensors")  # of a model on the Hub, that are fetched


class ModelError(ValueError):
    """There is no such model, or it cannot be used; the message names it."""


def bundled_models() -> dict[str, Path]:
    """The models that come with the package, by name."""
    try:
        folders = [Path(str(folder)) for folder in files(WEIGHTS).iterdir()]
    except ModuleNotFoundError:
        return {}
    return {folder.name: folder for folder in sorted(folders) if (folder / "config.json").is_file()}


def split_names(names: str) -> list[str]:
    """Names of models with commas between; a folder may have commas in its own name."""
    return [names] if os.path.isdir(names) else [name.strip() for name in names.split(",")]


def load_model(
    name: str, test_time_augmentation: bool = False
) -> tuple[DerenderForConditionalGeneration, DerenderProcessor]:
    """As `open_model`; raises ModelError. Only a name that is neither bundled nor a folder is looked up on the Hub."""
    bundled = bundled_models()
    try:
        folder = bundled.get(name, name)
        if not os.path.isdir(folder):
            folder = snapshot_download(name, allow_patterns=FILES)
        return open_model(folder, test_time_augmentation)
    except (OSError, ValueError) as error:
        known = f"models that come with the package: {', '.join(bundled) or 'none'}"
        raise ModelError(f"model {name!r}: {' '.join(str(error).split())}; {known}") from None
