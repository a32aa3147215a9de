"""Finds a model by its name: one that comes with the package, a folder, or one on the Hub."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor, load_checkpoint


WEIGHTS = "derender_pretrained"  # the package of the weights: pretrained/ in the repository


class ModelError(ValueError):
    """There is no such model, or it cannot be used; the message names it."""


def bundled_models() -> dict[str, Path]:
    """The models that come with the package, by name."""
    try:
        folders = [Path(str(folder)) for folder in files(WEIGHTS).iterdir()]
    except ModuleNotFoundError:
        return {}
    return {folder.name: folder for folder in sorted(folders) if (folder / "config.json").is_file()}


def load_model(name: str) -> tuple[DerenderForConditionalGeneration, DerenderProcessor]:
    """Raises ModelError. Only a name that is neither bundled nor a folder is looked up on the Hub."""
    bundled = bundled_models()
    folder = bundled.get(name, Path(name))
    try:
        if folder.is_dir():
            return load_checkpoint(folder), DerenderProcessor.from_pretrained(folder)
        return DerenderForConditionalGeneration.from_pretrained(name), DerenderProcessor.from_pretrained(name)
    except (OSError, ValueError) as error:
        known = f"models that come with the package: {', '.join(bundled) or 'none'}"
        raise ModelError(f"model {name!r}: {' '.join(str(error).split())}; {known}") from None
