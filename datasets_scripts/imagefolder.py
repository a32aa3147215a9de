"""Read an imagefolder: a `metadata.jsonl` of `file_name` and `objects` beside the pictures, each line checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from modeling_derender.image_io import ImageError, open_image
from modeling_derender.language import Language
from modeling_derender.specification import SpecificationError, check_objects


METADATA = "metadata.jsonl"


class ImageFolderError(ValueError):
    """A folder, a line or a picture that cannot be used; the message names the file and the line."""


@dataclass(frozen=True)
class Entry:
    """One line of `metadata.jsonl`: its number, the picture's path, its name in the file and its canonical objects."""

    line: int
    path: Path
    file_name: str
    objects: list[dict]


class ImageFolder(Sequence):
    """The pictures of a folder as {"file_name", "image", "objects"}; a picture is read when its example is taken.

    Taking an example raises ImageFolderError, naming the file and its line, for a picture that cannot be read.
    """

    def __init__(self, metadata: Path, entries: list[Entry]):
        self._metadata, self._entries = metadata, entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> dict:
        entry = self._entries[index]
        try:
            image = open_image(entry.path)
        except ImageError as error:
            raise ImageFolderError(f"{self._metadata}, line {entry.line}: {error}") from None
        return {"file_name": entry.file_name, "image": image, "objects": entry.objects}

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        return [self[index] for index in indices]


def read_imagefolder(folder: str | Path, language: Language, limit: int | None = None) -> ImageFolder:
    """The examples of an imagefolder, in the order of its `metadata.jsonl`; at most the first `limit`.

    Every line read is checked at once, the pictures themselves (but for being there) when they are taken. Properties
    given as null are absent; blank lines are passed over. Raises ImageFolderError naming the file and the line.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageFolderError(f"{folder}: no such folder")
    metadata = folder / METADATA
    if not metadata.is_file():
        raise ImageFolderError(f"{folder}: holds no {METADATA}")
    entries = []
    for number, line in enumerate(metadata.read_bytes().split(b"\n"), start=1):
        if limit is not None and len(entries) >= limit:
            break
        if line.strip():
            try:
                entries.append(_read_entry(folder, language, number, line))
            except (ImageFolderError, SpecificationError) as error:
                raise ImageFolderError(f"{metadata}, line {number}: {error}") from None
    if not entries:
        raise ImageFolderError(f"{metadata}: names no picture")
    return ImageFolder(metadata, entries)


def _read_entry(folder: Path, language: Language, number: int, line: bytes) -> Entry:
    fields = _parse(line)
    missing = [name for name in ("file_name", "objects") if fields.get(name) is None]
    if missing:
        raise ImageFolderError(f"has no {missing[0]!r}")
    path = _picture_path(folder, fields["file_name"])
    return Entry(number, path, fields["file_name"], check_objects(language, fields["objects"]))


def _parse(line: bytes) -> dict:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ImageFolderError(f"not JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise ImageFolderError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ImageFolderError('not of the form {"file_name": ..., "objects": [...]}')
    return fields


def _picture_path(folder: Path, file_name) -> Path:
    if not isinstance(file_name, str) or not file_name or "\0" in file_name:
        raise ImageFolderError(f"file_name {file_name!r} is not the name of a file")
    # Windows' reading refuses its own ways out (drives, backslashes) as well as the slashes it shares with the others.
    name = PureWindowsPath(file_name)
    if name.drive or name.root or ".." in name.parts:
        raise ImageFolderError(f"file_name {file_name!r} leads out of the folder")
    path = folder / file_name
    try:
        there = path.is_file()
    except OSError as error:
        raise ImageFolderError(f"{path}: {error.strerror}") from None
    if not there:
        raise ImageFolderError(f"{path}: no such file")
    return path
