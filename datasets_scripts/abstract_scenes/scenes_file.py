"""Reads Scenes_10020.txt: the number of scenes; for each a line of its sentence and count, then its objects' lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modeling_derender.specification import SpecificationError, check_object, order_objects

from .data_folder import PICTURES_FOLDER, SCENES_FILE
from .language import LANGUAGE, TYPES, picture_name


SCENES_PER_SENTENCE = 10
_NUMBER = re.compile(r" *-?[0-9]+ *")  # int() would read 1_0 and digits of any script as well


class ScenesFileError(ValueError):
    """A line that cannot be used; the message names the file and the line."""


@dataclass(frozen=True)
class ScenesFile:
    """The scenes of a file by their number (scene k of sentence s is number 10 * s + k), the empty ones left out.

    `total` counts all scenes, `num_empty` those without an object.
    """

    scenes: dict[int, list[dict]]
    total: int

    @property
    def num_empty(self) -> int:
        return self.total - len(self.scenes)


def read_scenes_file(data_dir: Path) -> ScenesFile:
    """Read `data_dir`'s scenes, every line checked; the objects are canonical and ordered by type.

    Raises ScenesFileError naming the file and the line: a count that does not match, a text where a number belongs, a
    picture that is unknown or is not there, a value outside the language's range, one picture twice in a scene.
    """
    path = data_dir / SCENES_FILE
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenesFileError(f"{path}: cannot be read: {error}") from None
    reader = _Reader(path, lines, {file.name for file in (data_dir / PICTURES_FOLDER).iterdir()})
    scenes = list(reader.read())
    return ScenesFile({number: objects for number, objects in enumerate(scenes) if objects}, len(scenes))


class _Reader:
    """Goes through the lines once; `_next` is the index of the line to be read, which is the number of the last."""

    def __init__(self, path: Path, lines: list[str], pictures: set[str]):
        self._path, self._lines, self._next = path, lines, 0
        self._pictures = pictures
        self._categories = {str(kind): (name, prefix, count) for kind, (name, _, prefix, count) in enumerate(TYPES)}

    def read(self) -> Iterator[list[dict]]:
        total = self._number(self._fields(1, "the number of scenes")[0], "number of scenes")
        if total < 0:
            raise self._error(f"the number of scenes {total} is negative")
        for number in range(total):
            yield self._scene(number, total)
        while self._next < len(self._lines):
            if self._lines[self._next].strip():
                self._next += 1
                raise self._error(f"more lines than those of the {total} scenes that line 1 tells of")
            self._next += 1

    def _scene(self, number: int, total: int) -> list[dict]:
        sentence, count = self._fields(2, f"the sentence and the count of scene {number} of {total}")
        sentence, count = self._number(sentence, "sentence"), self._number(count, "count")
        if sentence != number // SCENES_PER_SENTENCE:
            raise self._error(f"scene {number} is of sentence {number // SCENES_PER_SENTENCE}, not {sentence}")
        if count < 0:
            raise self._error(f"the count {count} is negative")
        objects = {}
        for index in range(1, count + 1):
            item = self._object(f"object {index} of {count} of scene {number}")
            if item["category"] in objects:
                raise self._error(f"the picture {item['category']} is in scene {number} twice")
            objects[item["category"]] = item
        return order_objects(LANGUAGE, list(objects.values()))

    def _object(self, what: str) -> dict:
        picture, kind, number, x, y, depth, flip = self._fields(7, what)
        if kind not in self._categories:
            raise self._error(f"TYPE {kind!r} is not one of 0..{len(TYPES) - 1}")
        name, prefix, count = self._categories[kind]
        number = self._number(number, "OBJECT")
        if not 0 <= number < count:
            raise self._error(f"OBJECT {number} is not one of 0..{count - 1}, the pictures of type {kind} ({name})")
        category = picture_name(prefix, number)
        if picture != f"{category}s.png" or picture not in self._pictures:
            wanted = "is not in " + PICTURES_FOLDER if picture == f"{category}s.png" else f"should be {category}s.png"
            raise self._error(f"the picture {picture!r} {wanted} (type {kind}, object {number})")
        values = {"x": x, "y": y, "depth": depth}
        values = {name: self._number(text, name.upper()) for name, text in values.items()}
        if flip not in ("0", "1"):
            raise self._error(f"FLIP {flip!r} is neither 0 nor 1")
        try:
            return check_object(LANGUAGE, {"supercategory": name, "category": category, **values, "flip": flip == "1"})
        except SpecificationError as error:
            raise self._error(str(error)) from None

    def _fields(self, count: int, what: str) -> list[str]:
        """The tab-separated fields of the next line, which must be so many."""
        self._next += 1
        if self._next > len(self._lines):
            raise self._error(f"the file ends where {what} should follow")
        fields = self._lines[self._next - 1].split("\t")
        if len(fields) != count:
            raise self._error(f"{count} tab-separated fields expected ({what}), found {len(fields)}")
        return fields

    def _number(self, text: str, what: str) -> int:
        if not _NUMBER.fullmatch(text):
            raise self._error(f"{what} {text!r} is not a whole number")
        return int(text)

    def _error(self, message: str) -> ScenesFileError:
        return ScenesFileError(f"{self._path}, line {self._next}: {message}")
