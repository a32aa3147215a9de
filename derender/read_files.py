"""Reads the pictures that the command names, and writes what was read in each."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from PIL import Image
from tqdm.auto import tqdm

from datasets_scripts.scenes import RenderError
from derender.cli import EXIT_STATUS
from derender.errors import UnreadableError
from derender.explanation import draw_steps, explain
from derender.formats import ENDINGS, FormError, as_form, check_form, ending_of
from derender.models import ModelError
from derender.reader import Reader, Reading, ReadOptions
from derender_training.result_file import write_bytes
from modeling_derender.image_io import ImageError, open_image


STREAM = "-"


def read_files(options: argparse.Namespace) -> int:
    """The exit status; what goes wrong is told on standard error."""
    try:
        names = list(_find_pictures(options.pictures))
        form = _find_form(options)
        target = _Target(options.out, names, form)
        reader = Reader.open(options.model, options.data_dir, options.language)
        check_form(reader, form)
    except ModelError as error:
        return _fail(str(error), "model")
    except (FormError, UsageError, ValueError) as error:
        return _fail(str(error), "usage")
    how = ReadOptions(options.candidates, options.refine, options.min_confidence)
    failures = set()
    for name in tqdm(names, unit=" pictures", disable=len(names) == 1):
        try:
            reading = reader.read(_open(name), how)
            target.write(name, as_form(reader, reading, form, name))
            if options.explain:
                _explain(reader, reading, name, target)
        except UnreadableError as error:
            failures.add(_fail(f"{name}: {error}", error.code))
        except (ImageError, RenderError, OSError) as error:
            failures.add(_fail(_named(name, error), "unreadable"))
    return 0 if not failures else failures.pop() if len(failures) == 1 else EXIT_STATUS["unreadable"]


class UsageError(ValueError):
    """Options that do not fit together."""


class _Target:
    """Where results go: standard output, a file, or files in a folder, named as their pictures."""

    def __init__(self, out: str | None, names: list[str], form: str):
        self.form, self.folder, self.file = form, None, None
        if out not in (None, STREAM):
            path = Path(out)
            if len(names) > 1 or path.is_dir() or out.endswith("/"):
                self.folder = path
                self._refuse_twins(names)
                _make_folder(path)
            else:
                self.file = path
        elif len(names) > 1 and form not in ("json", "text"):
            raise UsageError(f"--to {form}: {len(names)} pictures need --out FOLDER")
        self.tells_names = len(names) > 1 and form == "text"

    def _refuse_twins(self, names: list[str]) -> None:
        paths = [self.path_of(name) for name in names]
        twins = sorted({str(path) for path in paths if paths.count(path) > 1})
        if twins:
            raise UsageError(f"--out: several of the pictures would be written to {twins[0]}")

    def path_of(self, name: str, ending: str | None = None) -> Path:
        stem = "picture" if name == STREAM else Path(name).stem
        return self.folder / (stem + (ending or ending_of(self.form)))

    def write(self, name: str, content: bytes) -> None:
        if self.folder is not None:
            write_bytes(self.path_of(name), content)
        elif self.file is not None:
            write_bytes(self.file, content)
        else:
            heading = f"# {name}\n".encode() if self.tells_names else b""
            sys.stdout.buffer.write(heading + content)
            sys.stdout.buffer.flush()

    def beside(self, name: str, ending: str) -> Path:
        """A file beside the result; in the working folder where that is standard output."""
        if self.folder is not None:
            return self.path_of(name, ending)
        stem = Path("picture" if name == STREAM else name).stem
        return (self.file.with_suffix(ending)) if self.file is not None else Path(stem + ending)


def _find_pictures(patterns: list[str]) -> Iterator[str]:
    for pattern in patterns:
        if pattern == STREAM or Path(pattern).exists() or not set("*?[") & set(pattern):
            yield pattern
            continue
        found = sorted(glob(pattern, recursive=True))
        if not found:
            raise UsageError(f"{pattern}: no file has such a name")
        yield from found


def _find_form(options: argparse.Namespace) -> str:
    if options.to is not None:
        return options.to
    by_ending = {ending: form for form, ending in ENDINGS.items()}
    ending = Path(options.out or "").suffix
    if ending and ending not in by_ending:
        raise UsageError(f"--out {options.out}: give --to, the ending {ending} does not tell the form")
    return by_ending.get(ending, "json")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from None


def _open(name: str) -> Image.Image:
    return open_image(io.BytesIO(sys.stdin.buffer.read()), "standard input") if name == STREAM else open_image(name)


def _explain(reader: Reader, reading: Reading, name: str, target: _Target) -> None:
    steps = explain(reader, reading)
    for number, step in enumerate(steps, start=1):
        tqdm.write(f"{name}: {number}. {step.told}", file=sys.stderr)
    path = target.beside(name, ".explain.png")
    write_bytes(path, draw_steps(steps))
    tqdm.write(f"{name}: the steps are drawn in {path}", file=sys.stderr)


def _named(name: str, error: Exception) -> str:
    return str(error) if name in str(error) else f"{name}: {error}"


def _fail(message: str, kind: str) -> int:
    tqdm.write(f"derender: {message}", file=sys.stderr)
    return EXIT_STATUS[kind]
