"""What thick pens, few pixels and no grey levels leave of a drawing: markers, small pictures, bilevel scans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy.ndimage import maximum_filter, maximum_filter1d

from .ink_profile import FULL_SIZE
from .variation import factor_in


THICK = 0.4  # of the pictures: drawn by a thicker pen,
MOST_THICKER = 3  # pixels of 256, the most, by which a stroke is wider on either side
SMALL = 0.4  # of the pictures: averaged to fewer pixels, and enlarged again,
LEAST_SIDE = 64  # pixels on a side, of 256, that are left; the logarithm of their number uniform
BILEVEL = 0.15  # of the pictures: in black and white,
LEVEL = (0.2, 0.5)  # of the middle of most strokes, from which on a pixel is black


def coarsen(ink: np.ndarray, rngs: Sequence[Generator]) -> np.ndarray:
    """Pictures of ink, uint8 (B, S, S), made coarse, each from its own generator; the darkest ink stays as dark, but
    for what enlarging blurs."""
    uniform = np.array([rng.random(6) for rng in rngs]).reshape(-1, 6)
    is_thick, is_small, is_bilevel = (uniform[:, :3] < (THICK, SMALL, BILEVEL)).T
    size = ink.shape[1]
    thicker = np.floor(uniform[:, 3] * MOST_THICKER) + 1
    ink = _thicken(ink, np.rint(is_thick * thicker * size / FULL_SIZE))
    fewer = np.minimum(np.rint(factor_in((FULL_SIZE, LEAST_SIDE), uniform[:, 4])), size)
    sides = np.where(is_small, fewer, size).astype(int)
    levels = np.where(is_bilevel, LEVEL[0] + uniform[:, 5] * (LEVEL[1] - LEVEL[0]), 0)
    for number in np.flatnonzero(is_small | is_bilevel):
        ink[number] = _scan(ink[number], sides[number], levels[number])
    return ink


def find_black(ink: np.ndarray, level: float) -> np.ndarray:
    """Which pixels of a picture of ink (H, W) are black without grey levels: those at least as dark as the share
    `level` of the median of the pixels that no neighbour is darker than, which are the middles of strokes."""
    middles = ink[(ink > 0) & (ink == maximum_filter(ink, 3))]
    return ink >= max(level * np.median(middles), 1) if middles.size else np.zeros(ink.shape, bool)


def _thicken(ink: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """A copy whose strokes are wider by so many pixels (B,) on either side: octagons of them about each pixel."""
    ink = ink.copy()
    for number in range(int(pixels.max(initial=0))):
        rows = np.flatnonzero(pixels > number)
        aside = maximum_filter1d(ink[rows], 3, axis=2, mode="constant")
        if number % 2:
            ink[rows] = maximum_filter1d(aside, 3, axis=1, mode="constant")
        else:
            ink[rows] = np.maximum(aside, maximum_filter1d(ink[rows], 3, axis=1, mode="constant"))
    return ink


def _scan(ink: np.ndarray, side: int, level: float) -> np.ndarray:
    """A picture (S, S) of `side` pixels a side, in black and white above a level of 0, enlarged to its size again."""
    size, darkest = ink.shape[::-1], int(ink.max())
    small = np.asarray(Image.fromarray(ink).resize((side, side), Image.Resampling.BOX))
    small = find_black(small, level) if level else small / max(int(small.max()), 1)
    small = np.rint(darkest * small).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR))
