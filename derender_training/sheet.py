"""A sheet of pictures: what a model saw, and below each what it read, drawn again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from derender_training.figures import png_of
from modeling_derender.image_io import to_uint8


PICTURE_SIDE = 256
COLUMNS = 6


def draw_sheet(inputs: Sequence, read: Sequence, right: Sequence[bool]) -> bytes:
    """A PNG of `inputs` above and `read` below, pictures in any form; what is not `right` has a red frame."""
    inputs, read = ([shrink(picture) for picture in side] for side in (inputs, read))
    box = tuple(max(picture.size[axis] for picture in inputs + read) for axis in (0, 1))
    frames = ["white" if mark else "red" for mark in right]
    columns = math.ceil(len(inputs) / math.ceil(len(inputs) / COLUMNS))
    rows = []
    for start in range(0, len(inputs), columns):
        part = slice(start, start + columns)
        above = [_framed(picture, box, "white") for picture in inputs[part]]
        below = [_framed(picture, box, frame) for picture, frame in zip(read[part], frames[part], strict=True)]
        blank = [np.full_like(above[0], 255)] * (columns - len(above))
        rows += [np.hstack(above + blank), np.hstack(below + blank)]
    return png_of(Image.fromarray(np.vstack(rows)))


def shrink(picture, channels: int = 3) -> Image.Image:
    """A picture, shrunk to PICTURE_SIDE where it is larger."""
    array = to_uint8(picture, channels)
    image = Image.fromarray(array[:, :, 0] if channels == 1 else array)
    image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return image


def _framed(picture: Image.Image, box: tuple[int, int], frame: str) -> np.ndarray:
    """A picture on white paper of (width, height) `box`, in a coloured frame and a thin black one: uint8 (H, W, 3)."""
    paper = ImageOps.pad(picture, box, color="white")
    return np.asarray(ImageOps.expand(ImageOps.expand(paper, 3, frame), 1, "black"))
