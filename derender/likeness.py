"""How unlike a picture what was read in it looks, drawn again: the measure that readings are compared by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from derender_training.drawing import draw_readings
from modeling_derender.reconstruction_error import reconstruction_error


BLUR = 0.3  # canvas units: about as far as a pencil's strokes stray


def correlate(picture: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation of the brightness of two pictures of one shape, from -1 to 1; 0 where one has but one."""
    first, second = (
        (item if item.ndim == 2 else item.mean(axis=2)).ravel() - item.mean() for item in (picture, other)
    )
    norm = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float(first @ second / norm) if norm else 0.0


class Likeness:
    """Compares readings with one picture, uint8 (H, W) or (H, W, 3), at its size.

    - `draw`: a language folder's `render_batch`, without noise.
    - `form`: "buckets", the reconstruction error, for pictures that are drawn again exactly; "blurred" for pencil:
      the squared distance of blurred ink over that of the two pages to blank ones, 0 for equal and 1 for disjoint
      drawings, whatever the strokes' darkness.
    - `width`: of the canvas in the language's units.
    """

    def __init__(self, draw: Callable, picture: np.ndarray, form: str, width: float):
        self.draw, self.size, self.form = draw, picture.shape[:2], form
        self.deviation = BLUR * picture.shape[1] / width
        self.picture = np.ascontiguousarray(picture)
        self.target = self._blur(picture) if form == "blurred" else None

    def errors(self, scenes: Sequence[list[dict]]) -> np.ndarray:
        """(N,) in [0, 1], the lower the liker; 1 for what cannot be drawn. RenderError where nothing can."""
        return self.look(scenes)[1]

    def look(self, scenes: Sequence[list[dict]]) -> tuple[np.ndarray, np.ndarray]:
        """The pictures, uint8 (N, H, W) or (N, H, W, 3), and the `errors`."""
        if not scenes:
            return np.empty((0, *self.picture.shape), np.uint8), np.empty(0)
        pictures, failed = draw_readings(self.draw, scenes, self.size)
        return pictures, np.where(failed, 1.0, [self.distance(picture) for picture in pictures])

    def distance(self, picture: np.ndarray) -> float:
        """The error of what has this picture."""
        if self.form == "buckets":
            return reconstruction_error([picture], [self.picture])
        drawn = self._blur(picture)
        whole = np.square(drawn).sum() + np.square(self.target).sum()
        return float(np.square(drawn - self.target).sum() / whole) if whole else 0.0

    def _blur(self, picture: np.ndarray) -> np.ndarray:
        """Blurred ink (H, W), float32, scaled to the darkness of a full stroke."""
        ink = 1 - picture.astype(np.float32) / 255
        strokes = ink[ink > ink.max() / 4]
        return ndimage.gaussian_filter(ink / max(float(strokes.mean()) if strokes.size else 0, 0.05), self.deviation)
