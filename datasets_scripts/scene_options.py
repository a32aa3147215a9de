"""The command-line options `--scene.NAME VALUE`, handed on to a language's sampler or reader of scenes."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Sequence


PREFIX = "--scene."


def parse_with_scene_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; those of the form `--scene.NAME VALUE` or `--scene.NAME=VALUE` become the dict `scene`.

    A value that is JSON (a number, true, null, a list) is read as such, any other is a string. Any other argument that
    the parser does not know, or an option without a value, ends the program with the parser's own message.
    """
    # The parser must not see them: it would take the value of one that stands before a positional argument for that.
    others, scene = [], {}
    remaining = iter(sys.argv[1:] if arguments is None else arguments)
    for argument in remaining:
        if not argument.startswith(PREFIX):
            others.append(argument)
            continue
        name, equals, value = argument.removeprefix(PREFIX).partition("=")
        value = value if equals else next(remaining, "--")
        if value.startswith("--"):
            parser.error(f"{argument} needs a value")
        scene[name] = _read_value(value)
    known = parser.parse_args(others)
    known.scene = scene
    return known


def scene_options(source: Callable) -> list[str]:
    """The options of a folder's `sample_scene` or `read_scenes`: what it takes but the generator, or the split."""
    _, *names = inspect.signature(source).parameters
    return [name for name in names if name != "data_dir"]


def check_scene_options(scene: dict, source: Callable) -> None:
    """Raise ValueError, naming `--scene.NAME`, for an option that a folder's source of scenes has not."""
    known = scene_options(source)
    for name in scene:
        if name not in known:
            options = ", ".join(known) or "none"
            raise ValueError(f"{PREFIX}{name}: the language's {source.__name__} has no such option; known: {options}")


def _read_value(text: str):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
