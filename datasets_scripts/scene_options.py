"""The command-line options `--scene.NAME VALUE`, handed on to a language's sampler."""

from __future__ import annotations

import argparse
import json


PREFIX = "--scene."


def parse_with_scene_options(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Parse the arguments; those of the form `--scene.NAME VALUE` or `--scene.NAME=VALUE` become the dict `scene`.

    A value that is JSON (a number, true, null, a list) is read as such, any other is a string. Any other argument that
    the parser does not know, or an option without a value, ends the program with the parser's own message.
    """
    known, rest = parser.parse_known_args(arguments)
    known.scene = {}
    rest = iter(rest)
    for argument in rest:
        if not argument.startswith(PREFIX):
            parser.error(f"unrecognized argument: {argument}")
        name, equals, value = argument.removeprefix(PREFIX).partition("=")
        value = value if equals else next(rest, None)
        if value is None:
            parser.error(f"{argument} needs a value")
        known.scene[name] = _read_value(value)
    return known


def _read_value(text: str):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
