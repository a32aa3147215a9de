"""Objects -> SVG with the clip art in it, an element each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from .language import HEIGHT, WIDTH
from .placed_pictures import PlacedPicture, background_file, place_pictures


def to_svg(objects: Sequence[dict], data_dir: str | Path | None = None) -> str:
    """One scene as an SVG document of 500 x 400 pixels that needs no other file.

    Every object is an <image> whose class is its picture's name. Raises ValueError for a bad object and where
    `data_dir` is not the folder of the data.
    """
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'  <image class="background" {size} href="{_embed(background_file(data_dir))}"/>',
        *(f"  {_element(picture)}" for picture in place_pictures(objects, data_dir)),
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _element(picture: PlacedPicture) -> str:
    left, top = picture.left, picture.top
    # Mirrored about its own vertical axis.
    flip = f' transform="translate({2 * left + picture.width} 0) scale(-1 1)"' if picture.flip else ""
    return (
        f'<image class="{picture.category}" x="{left}" y="{top}" width="{picture.width}" height="{picture.height}"'
        f'{flip} preserveAspectRatio="none" href="{_embed(picture.file)}"/>'
    )


def _embed(file: Path) -> str:
    return f"data:image/png;base64,{b64encode(file.read_bytes()).decode()}"
