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
from derender.conform import Step
from derender.errors import UnreadableError
from derender.explanation import draw_steps
from derender.formats import ENDINGS, as_form, check_drawing, check_form
from derender.models import ModelError
from derender.reader import Reader, Reading, ReadOptions
from derender.targets import STREAM, OutputError, Target, UsageError, is_folder, write_file
from modeling_derender.image_io import ImageError, open_image


STDIN = "standard input"
UNSURE = 0.5  # the confidence below which an object is rather not there


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
            failures.add(_read_one(reader, name, how, target, form, options.explain))
        except OutputError as error:
            return _fail(str(error), "output")
    failures.discard(0)
    return 0 if not failures else failures.pop() if len(failures) == 1 else EXIT_STATUS["unreadable"]


def _read_one(reader: Reader, name: str, how: ReadOptions, target: Target, form: str, explains: bool) -> int:
    """The exit status of one picture; OutputError where its result cannot be written."""
    try:
        reading = reader.read(_open(name), how)
        content = as_form(reader, reading, form, name)
        steps = reader.explain(reading) if explains else []
    except UnreadableError as error:
        status = _fail(f"{_label(name)}: {error}", error.code)
        if explains:
            _tell_steps(error.steps, name, target)
        return status
    except (ImageError, RenderError) as error:
        return _fail(_named(name, error), "unreadable")
    target.write(name, content)
    _tell_doubts(reading, name)
    if explains:
        _tell_steps(steps, name, target)
    return 0


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
    return open_image(_read_input() if name == STREAM else name, _label(name), tell=_tell)


def _read_input() -> io.BytesIO:
    if sys.stdin is None:
        raise ImageError(f"{STDIN}: is closed")
    try:
        content = sys.stdin.buffer.read()
    except OSError as error:
        raise ImageError(f"{STDIN}: {error.strerror}") from None
    if not content:
        raise ImageError(f"{STDIN}: is empty")
    return io.BytesIO(content)


def _tell_doubts(reading: Reading, name: str) -> None:
    """Of objects that are rather not there."""
    unsure = sum(sure < UNSURE for sure in reading.confidences)
    if unsure:
        of = f"{unsure} of {len(reading.objects)} objects"
        _tell(f"{_label(name)}: unsure of {of}; --min-confidence {UNSURE} leaves out such")


def _tell_steps(steps: Sequence[Step], name: str, target: Target) -> None:
    for number, step in enumerate(steps, start=1):
        tqdm.write(f"{_label(name)}: {number}. {step.told}", file=sys.stderr)
    path = target.steps_of(name)
    write_file(path, draw_steps(steps))
    tqdm.write(f"{_label(name)}: the steps are drawn in {path}", file=sys.stderr)


def _label(name: str) -> str:
    return STDIN if name == STREAM else name


def _named(name: str, error: Exception) -> str:
    return str(error) if _label(name) in str(error) else f"{_label(name)}: {error}"


def _tell(message: str) -> None:
    """On standard error, beside a progress bar."""
    tqdm.write(f"derender: {message}", file=sys.stderr)


def _fail(message: str, kind: str) -> int:
    _tell(message)
    return EXIT_STATUS[kind]
