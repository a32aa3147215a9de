"""The reference renderer of Abstract Scenes: Pillow's paste, object by object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .clip_art import PICTURE_INDEX, load_clip_art
from .drawing_order import in_drawing_order


def render_plain(objects: Sequence[dict], data_dir: Path) -> Image.Image:
    """Draws one scene: PIL RGB, 500 x 400.

    A picture of w x h pixels with its centre at (x, y) has its left upper pixel at (x - w // 2, y - h // 2). Parts
    outside the canvas are cut off. Raises ValueError for a bad object and ClipArtError for bad pictures.
    """
    clip_art = load_clip_art(data_dir)
    canvas = clip_art.background.copy()
    for obj in in_drawing_order(objects):
        sprite = clip_art.sprite(PICTURE_INDEX[obj["category"]], obj["depth"], bool(obj["flip"]))
        canvas.paste(sprite, (obj["x"] - sprite.width // 2, obj["y"] - sprite.height // 2), sprite)
    return canvas
