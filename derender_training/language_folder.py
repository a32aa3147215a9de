"""The language's folder and its files, as the options of a run name them."""

from __future__ import annotations

from datasets_scripts import load_language_folder
from datasets_scripts.scenes import data_options
from derender_training.options import OptionError


def open_language(name: str):
    """The language's folder; OptionError where there is none."""
    try:
        return load_language_folder(name)
    except ValueError as error:
        raise OptionError(f"option 'language': {error}") from None


def image_form(folder) -> str:
    """How reinforcement compares a language's pictures; "buckets" (equation 14) where its folder says nothing."""
    return getattr(folder, "IMAGE_REWARD", "buckets")


def find_data(folder, data_dir: str | None) -> dict:
    """`data_options`, its error as an OptionError."""
    try:
        return data_options(folder, data_dir)
    except ValueError as error:
        raise OptionError(f"option 'data_dir': {error}") from None
