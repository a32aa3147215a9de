"""How much ink a pixel gets at a given distance from the middle of a stroke, as pdftoppm paints it.

pdftoppm (Splash) cuts a pixel into 4 x 4 cells, inks every cell that the stroke touches, and turns the inked share c
into the ink c ** 1.5. So a stroke is wider than its outline by the reach of half a cell on either side, and a pixel
that is half covered is far lighter than half. A picture below 256 x 256 is the 256 x 256 picture averaged over its
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .drawing import CANVAS


FULL_SIZE = 256  # pixels on a side at which the pictures are defined
CELLS = 4  # cells of a pixel on each axis
GAMMA = 1.5
_EDGE_LOSS = 0.5 - 1 / (1 + GAMMA)  # ink that GAMMA takes from an edge, in pixels
MEAN_REACH = 4 / np.pi  # |cos| + |sin| averaged over directions: the extent of a cell across a stroke

_NARROWEST, _WIDEST = 0.05, 0.15  # stroke widths of the table, canvas units
_NUM_WIDTHS, _NUM_ANGLES, _NUM_DISTANCES = 33, 8, 512
_BOOSTS = np.linspace(1, 1.5, 6)
LAST_DISTANCE = _NUM_DISTANCES - 1  # its entry is 0


@dataclass(frozen=True)
class InkProfile:
    """Ink against the squared distance, for strokes of many widths and directions, at one picture size.

    Attributes:
        pixel: side of the pixel that is painted, in pixels of the picture: 1, or less where the picture is averaged.
        per_pixel: how many painted pixels a pixel of the picture averages, on each axis.
        table: (boosts * widths * angles * distances,) uint8.
        distance_scale: index of the last axis for a squared distance of one pixel.
        flat_gamma: exponent that turns the covered share along a stroke, at its flat end, into ink.
    """

    pixel: float
    per_pixel: int
    table: np.ndarray
    distance_scale: float
    flat_gamma: float

    def rows(self, boost: np.ndarray, width: np.ndarray, ux: np.ndarray, uy: np.ndarray) -> np.ndarray:
        """Start in `table` of the profiles of strokes (N,): boost, width in canvas units, unit direction.

        Each is the nearest that the table has: a boost from 1 to 1.5 is rounded to tenths.
        """
        level = np.rint((boost - 1) * (len(_BOOSTS) - 1) / (_BOOSTS[-1] - 1)).astype(np.int64)
        width = (width - _NARROWEST) * ((_NUM_WIDTHS - 1) / (_WIDEST - _NARROWEST))
        width = np.rint(width).clip(0, _NUM_WIDTHS - 1).astype(np.int64)
        slant = np.minimum(np.abs(ux), np.abs(uy))
        angle = np.rint(slant * ((_NUM_ANGLES - 1) * np.sqrt(2))).astype(np.int64).clip(0, _NUM_ANGLES - 1)
        return ((level * _NUM_WIDTHS + width) * _NUM_ANGLES + angle) * _NUM_DISTANCES

    def reach(self, width_pixels: np.ndarray, ux: np.ndarray, uy: np.ndarray) -> np.ndarray:
        """The distance from a stroke's middle, in pixels, beyond which a pixel's centre gets no ink."""
        return 0.5 * width_pixels + (0.5 + 0.5 / CELLS * self.pixel) * (np.abs(ux) + np.abs(uy))

    def flat_reach(self, ux: np.ndarray, uy: np.ndarray) -> np.ndarray:
        """How far the ink of a flat end reaches beyond the end, in pixels."""
        lost = _EDGE_LOSS if self.per_pixel > 1 else 0.0
        return (0.5 / CELLS * (np.abs(ux) + np.abs(uy)) - lost) * self.pixel


@lru_cache(maxsize=8)
def ink_profile(size: int) -> InkProfile:
    """The profile table of pictures of `size` x `size` pixels."""
    pixel = min(size / FULL_SIZE, 1.0)
    per_pixel = int(np.ceil(1 / pixel))
    slant = np.linspace(0, np.sqrt(0.5), _NUM_ANGLES)
    normal = np.stack([slant, np.sqrt(1 - slant**2)], -1)  # (A, 2)
    widths = np.linspace(_NARROWEST, _WIDEST, _NUM_WIDTHS) * (size / CANVAS)
    farthest = 0.5 * widths[-1] + (0.5 + 0.5 / CELLS) * np.sqrt(2)
    distance = farthest * np.sqrt(np.linspace(0, 1, _NUM_DISTANCES))
    boosts = _BOOSTS if per_pixel > 1 else _BOOSTS[:1]
    table = np.empty((len(boosts), _NUM_WIDTHS, _NUM_ANGLES, _NUM_DISTANCES), np.uint8)
    spread = _centred(per_pixel, (1 - pixel) / max(per_pixel - 1, 1))
    for angle in range(_NUM_ANGLES):
        table[:, :, angle] = np.rint(255 * _painted(distance, widths, normal[angle], spread, pixel, boosts))
    return InkProfile(
        pixel=pixel,
        per_pixel=per_pixel,
        table=table.reshape(-1),
        distance_scale=LAST_DISTANCE / farthest**2,
        flat_gamma=1.0 if per_pixel > 1 else GAMMA,
    )


def _painted(distance, widths, normal, spread, pixel, boosts) -> np.ndarray:
    """Mean ink, (boosts, widths, distances), of a picture's pixel `distance` from strokes across `normal`."""
    half_width = 0.5 * widths + 0.5 * pixel / CELLS * normal.sum()
    cells = _across(_centred(CELLS, pixel / CELLS), normal)
    total = np.zeros((len(boosts), len(widths), len(distance)))
    offsets, repeats = np.unique(_across(spread, normal).round(9), return_counts=True)
    for offset, count in zip(offsets, repeats, strict=True):
        covered = np.zeros((len(widths), len(distance)))
        for cell in cells:
            covered += np.abs(distance + offset + cell) <= half_width[:, None]
        ink = (covered / len(cells)) ** GAMMA
        total += count * np.minimum(boosts[:, None, None] * ink, 1)
    return total / repeats.sum()


def _centred(count: int, spacing: float) -> np.ndarray:
    return (np.arange(count) - (count - 1) / 2) * spacing


def _across(offsets: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Distances along `normal` of the points of a square lattice with these offsets on each axis."""
    return (offsets[:, None] * normal[0] + offsets * normal[1]).reshape(-1)
