"""All the pictures by name, and the folder of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from .animals import ANIMALS
from .children import FACES, POSES, boy, girl
from .clothing import CLOTHING
from .food import FOOD
from .scenery import SCENERY
from .sky import SKY, background
from .toys import TOYS


_CHILD = range(len(POSES) * FACES)
_BY_PREFIX: dict[str, tuple[Callable[[], Image.Image], ...]] = {
    "s": SKY,
    "p": SCENERY,
    "hb0": tuple(partial(boy, number) for number in _CHILD),
    "hb1": tuple(partial(girl, number) for number in _CHILD),
    "a": ANIMALS,
    "c": CLOTHING,
    "e": FOOD,
    "t": TOYS,
}


def draw_clip_art(folder: str | Path) -> None:
    """Draws the 126 pictures, as the original names them, and background.png (500 x 400) into FOLDER/Pngs: RGBA."""
    pngs = Path(folder) / "Pngs"
    pngs.mkdir(parents=True, exist_ok=True)
    background().save(pngs / "background.png")
    for prefix, drawings in _BY_PREFIX.items():
        for number, draw in enumerate(drawings):
            draw().save(pngs / f"{prefix}_{number}s.png")
