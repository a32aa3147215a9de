"""Where the clip art of a scene lies on the canvas, for the exporters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .clip_art import PICTURE_INDEX, load_clip_art
from .data_folder import PICTURES_FOLDER, find_data_dir
from .drawing_order import in_drawing_order


@dataclass(frozen=True)
class PlacedPicture:
    """A picture's file, its box (pixels of the canvas, y down) and whether it is mirrored; `category` is its name."""

    category: str
    file: Path
    left: int
    top: int
    width: int
    height: int
    flip: bool


def background_file(data_dir: str | Path | None) -> Path:
    return find_data_dir(data_dir) / PICTURES_FOLDER / "background.png"


def place_pictures(objects: Sequence[dict], data_dir: str | Path | None) -> list[PlacedPicture]:
    """The pictures of a scene in the order in which they are drawn; the same places as the renderers'.

    Raises ValueError for a bad object and where `data_dir` is not the folder of the data.
    """
    folder = find_data_dir(data_dir)
    clip_art, placed = load_clip_art(folder), []
    for item in in_drawing_order(objects):
        name, flip = item["category"], bool(item["flip"])
        width, height = clip_art.sprite(PICTURE_INDEX[name], item["depth"], flip).size
        left, top = item["x"] - width // 2, item["y"] - height // 2
        file = folder / PICTURES_FOLDER / f"{name}s.png"
        placed.append(PlacedPicture(name, file, left, top, width, height, flip))
    return placed
