"""Which square of a picture is the model's canvas: the guesses, the likeliest first, and ink laid on each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from derender.strokes import INKED
from modeling_derender.image_processing_derender import average_areas


SQUARE = 1.03  # the most by which a side of a whole canvas is longer than the other
FILLED = 0.4  # the least that a drawing spans of a whole canvas's side
ZOOMS = np.geomspace(1, 2.1, 7)  # sides of a canvas fitted round the ink, the first as close as canvases are


@dataclass(frozen=True)
class Frame:
    """A square in pixels of the picture, which may reach beyond it: left, top, side."""

    left: float
    top: float
    side: float

    def moved(self, scale: float, right: float, down: float, size: int) -> Frame:
        """That on whose canvas, `size` pixels a side, all is so much larger, about the middle, and then further on."""
        middle, pixel = size / 2, self.side / size
        left, top = (middle - (middle + shift) / scale for shift in (right, down))
        return Frame(self.left + left * pixel, self.top + top * pixel, self.side / scale)

    def __str__(self) -> str:
        return f"{self.side:.0f} pixels a side from ({self.left:.0f}, {self.top:.0f})"


def guess_frames(ink: np.ndarray, margin: float) -> list[Frame]:
    """`margin` is the share of a canvas's side that stays free at each edge. The ink must not be blank.

    A square picture is a whole canvas, at least where the drawing spans much of it; any other may hold one anywhere.
    """
    height, width = ink.shape
    rows, columns = (np.flatnonzero((ink > INKED).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longest = max(bottom - top, right - left)
    whole = Frame((width - max(width, height)) / 2, (height - max(width, height)) / 2, max(width, height))
    is_square = max(width, height) <= SQUARE * min(width, height)
    if is_square and longest >= FILLED * whole.side:
        return [whole]
    centre = (left + right) / 2, (top + bottom) / 2
    sides = [zoom * longest / (1 - 2 * margin) for zoom in ZOOMS]
    fitted = [Frame(centre[0] - side / 2, centre[1] - side / 2, side) for side in sides]
    return [whole, *fitted] if is_square else [*fitted, whole]


def lay_on_canvas(ink: np.ndarray, frame: Frame, size: int) -> np.ndarray:
    """The frame's ink averaged over a canvas of `size` x `size` pixels, uint8, dark on white."""
    box = (frame.left, frame.top, frame.left + frame.side, frame.top + frame.side)
    left, top, right, bottom = (round(value) for value in box)
    side = max(right - left, bottom - top, 1)
    piece = np.zeros((side, side), np.float32)
    height, width = ink.shape
    part = ink[max(top, 0) : min(top + side, height), max(left, 0) : min(left + side, width)]
    piece[max(-top, 0) : max(-top, 0) + part.shape[0], max(-left, 0) : max(-left, 0) + part.shape[1]] = part
    if side >= size:
        laid = average_areas(piece, size, size)
    else:
        laid = np.asarray(Image.fromarray(piece).resize((size, size), Image.Resampling.BILINEAR))
    return np.round(255 * (1 - laid.clip(0, 1))).astype(np.uint8)
