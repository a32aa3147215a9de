"""What was read, drawn over the picture that it was read in."""

from __future__ import annotations

import numpy as np


PALE = 0.35  # how much of the picture's ink is left below the drawing
COLOUR = (214, 39, 40)  # of what was read, in a picture of grey


def lay_over(picture: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Both uint8 (H, W) or (H, W, 3) of one size; uint8 (H, W, 3): strokes in colour on the pale picture, or half of
    each picture in colour."""
    if picture.ndim == 3:
        return ((picture.astype(np.uint16) + drawn) // 2).astype(np.uint8)
    paper = 255 - PALE * (255 - picture.astype(np.float32))[..., None]
    ink = 1 - drawn.astype(np.float32)[..., None] / 255
    return np.round(paper * (1 - ink) + ink * np.array(COLOUR)).astype(np.uint8)
