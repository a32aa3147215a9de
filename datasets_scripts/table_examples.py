"""The rows of a split that Datasets opened, as checked examples."""

from __future__ import annotations

from collections.abc import Sequence

from datasets import Dataset
from PIL import Image

from modeling_derender.language import Language
from modeling_derender.specification import check_objects


class TableExamples(Sequence):
    """Rows with the columns image and objects, as {"image", "objects"} with checked objects.

    Taking an example raises ValueError, beginning with `name` and the row's number, for a picture that cannot be read
    and for objects that are not of the language.
    """

    def __init__(self, rows: Dataset, name: str, language: Language):
        self._rows, self._name, self._language = rows, name, language

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict:
        try:
            row = self._rows[index]
        except Exception as error:  # Pillow's errors are of many kinds
            raise ValueError(f"{self._name} {index}: its picture cannot be read: {error}") from error
        try:
            return {"image": _picture(row["image"]), "objects": check_objects(self._language, row["objects"])}
        except ValueError as error:
            raise ValueError(f"{self._name} {index}: {error}") from None

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        return [self[index] for index in indices]


def _picture(image) -> Image.Image:
    if image is None:
        raise ValueError("has no picture")
    if not isinstance(image, Image.Image):
        raise ValueError("its 'image' is no picture")
    return image
