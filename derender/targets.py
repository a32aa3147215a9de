"""Where the command's results go: standard output, a file, or files in a folder, named as their pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from derender.formats import ENDINGS, WORDS, ending_of
from derender_training.result_file import write_bytes


STREAM = "-"
STEPS = ".explain.png"  # the ending of the picture of the steps


class UsageError(ValueError):
    """Options that do not fit together."""


class OutputError(Exception):
    """A result cannot be written; the message says where and why."""


def is_folder(out: str | None, names: Sequence[str]) -> bool:
    """Whether `--out` names a folder, and not a file, for these pictures."""
    return out not in (None, STREAM) and (len(names) > 1 or os.path.isdir(out) or out.endswith("/"))


class Target:
    """`out` is the option, `names` the pictures, `form` that of the results; with `explains` the steps go beside them.

    UsageError where results would overwrite each other or a picture.
    """

    def __init__(self, out: str | None, names: Sequence[str], form: str, explains: bool = False):
        if out == "":
            raise UsageError("--out: names nothing")
        self.ending = ending_of(form)
        self.folder = Path(out) if is_folder(out, names) else None
        self.file = Path(out) if out not in (None, STREAM) and self.folder is None else None
        self.tells_names = len(names) > 1 and form == "text"
        if self.folder is None and self.file is None and len(names) > 1 and form not in WORDS:
            raise UsageError(f"--to {form}: {len(names)} pictures need --out FOLDER")
        if form == "png" and self.is_seen():
            raise UsageError("--to png: a terminal shows no picture; give --out FILE")
        self._check_folder(out)
        self._check_paths(names, explains)

    def is_seen(self) -> bool:
        """Whether results are shown on the terminal as they come."""
        return self.folder is None and self.file is None and sys.stdout is not None and sys.stdout.isatty()

    def path_of(self, name: str) -> Path | None:
        """Of a picture's result; None for standard output."""
        return self.file if self.folder is None else self.folder / (_stem(name) + self.ending)

    def steps_of(self, name: str) -> Path:
        """Of the picture of a picture's steps: beside its result, or in the working folder."""
        result = self.path_of(name)
        return Path(_stem(name) + STEPS) if result is None else result.with_suffix(STEPS)

    def write(self, name: str, content: bytes) -> None:
        """OutputError where it cannot be written."""
        path = self.path_of(name)
        if path is not None:
            return write_file(path, content)
        heading = os.fsencode(f"# {name}\n") if self.tells_names else b""
        if sys.stdout is None:
            raise OutputError("standard output: is closed")
        try:
            sys.stdout.buffer.write(heading + content)
            sys.stdout.buffer.flush()
        except OSError as error:
            _abandon_output()
            raise OutputError(f"standard output: {error.strerror}") from None

    def _check_folder(self, out: str | None) -> None:
        if self.folder is None or os.path.isdir(self.folder):
            return
        if os.path.exists(self.folder):
            raise UsageError(f"--out {self.folder}: is a file; several pictures need a folder")
        if self.folder.suffix.lower() in ENDINGS.values() and not out.endswith("/"):
            raise UsageError(f"--out {out}: names a file; several pictures need a folder, such as {out}/")

    def _check_paths(self, names: Sequence[str], explains: bool) -> None:
        paths = [(path, name) for name in names if (path := self.path_of(name)) is not None]
        paths += [(self.steps_of(name), name) for name in names] if explains else []
        sources = {os.path.realpath(name) for name in names if os.path.exists(name)}
        seen = {}
        for path, name in paths:
            file = os.path.realpath(path)
            if file in sources:
                raise UsageError(f"the picture {path} would be overwritten; choose another --out")
            if file in seen:
                raise UsageError(f"several of the pictures would be written to {path}: {seen[file]} and {name}")
            seen[file] = name


def write_file(path: Path, content: bytes) -> None:
    """OutputError names a file that cannot be written."""
    try:
        write_bytes(path, content)
    except OSError as error:
        reason = f"{path.parent} is a file" if os.path.isfile(path.parent) else error.strerror
        raise OutputError(f"{path}: {reason}") from None


def _stem(name: str) -> str:
    return "picture" if name == STREAM else Path(name).stem


def _abandon_output() -> None:
    """So that Python does not fail once more to write what is left, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
