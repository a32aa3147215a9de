"""Reads the pictures that the command names, and writes what was read in each."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm
from transformers.utils.logging import disable_progress_bar

from datasets_scripts.scenes import RenderError
from derender.cli import EXIT_STATUS
from derender.errors import UnreadableError
from derender.explanation import draw_steps, explain
from derender.formats import ENDINGS, as_form, check_drawing, check_form
from derender.models import ModelError
from derender.reader import Reader, Reading, ReadOptions
from derender.targets import STREAM, OutputError, Target, UsageError, is_folder, write_file
from modeling_derender.image_io import ImageError, open_image


def read_files(options: argparse.Namespace) -> int:
    """The exit status; what goes wrong is told on standard error."""
    disable_progress_bar()  # Transformers shows one for the weights
    try:
        names = list(_find_pictures(options.pictures))
        form = _find_form(options, names)
        target = Target(options.out, names, form, options.explain)
        reader = Reader.open(options.model, options.data_dir, options.language, options.tta)
        check_form(reader, form)
        if options.refine:
            check_drawing(reader, "--refine")
    except ModelError as error:
        return _fail(str(error), "model")
    except ValueError as error:
        return _fail(str(error), "usage")
    how = ReadOptions(options.candidates, options.refine, options.min_confidence)
    failures = set()
    # No bar among results, nor in a file of messages.
    hidden = True if len(names) == 1 or target.is_seen() else None
    for name in tqdm(names, unit=" pictures", disable=hidden):
        try:
            reading = reader.read(_open(name), how)
            target.write(name, as_form(reader, reading, form, name))
            if options.explain:
                _explain(reader, reading, name, target)
        except UnreadableError as error:
            failures.add(_fail(f"{name}: {error}", error.code))
        except (ImageError, RenderError) as error:
            failures.add(_fail(_named(name, error), "unreadable"))
        except OutputError as error:
            return _fail(str(error), "output")
    return 0 if not failures else failures.pop() if len(failures) == 1 else EXIT_STATUS["unreadable"]


def _find_pictures(patterns: list[str]) -> Iterator[str]:
    for pattern in patterns:
        if pattern == STREAM or os.path.exists(pattern) or not set("*?[") & set(pattern):
            yield pattern
            continue
        found = sorted(glob(pattern, recursive=True))
        if not found:
            raise UsageError(f"{pattern}: no file has such a name")
        yield from found


def _find_form(options: argparse.Namespace, names: Sequence[str]) -> str:
    if options.to is not None:
        return options.to
    ending = "" if options.out is None or is_folder(options.out, names) else Path(options.out).suffix.lower()
    by_ending = {ending: form for form, ending in ENDINGS.items()}
    if ending and ending not in by_ending:
        raise UsageError(f"--out {options.out}: give --to, the ending {ending} does not tell the form")
    return by_ending.get(ending, "json")


def _open(name: str) -> Image.Image:
    return open_image(_read_input(), "standard input") if name == STREAM else open_image(name)


def _read_input() -> io.BytesIO:
    if sys.stdin is None:
        raise ImageError("standard input: is closed")
    try:
        return io.BytesIO(sys.stdin.buffer.read())
    except OSError as error:
        raise ImageError(f"standard input: {error.strerror}") from None


def _explain(reader: Reader, reading: Reading, name: str, target: Target) -> None:
    steps = explain(reader, reading)
    for number, step in enumerate(steps, start=1):
        tqdm.write(f"{name}: {number}. {step.told}", file=sys.stderr)
    path = target.steps_of(name)
    write_file(path, draw_steps(steps))
    tqdm.write(f"{name}: the steps are drawn in {path}", file=sys.stderr)


def _named(name: str, error: Exception) -> str:
    return str(error) if name in str(error) else f"{name}: {error}"


def _fail(message: str, kind: str) -> int:
    tqdm.write(f"derender: {message}", file=sys.stderr)
    return EXIT_STATUS[kind]
