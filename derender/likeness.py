"""How unlike a picture what was read in it looks, drawn again: the measure that readings are compared by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from derender_training.drawing import draw_readings
from modeling_derender.reconstruction_error import reconstruction_error


BLUR = 0.3  # canvas units: about as far as a pencil's strokes stray
FLOOR = 0.003  # an error below which nothing more is gained


def correlate(picture: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation of the brightness of two pictures of one shape, from -1 to 1; 0 where one has but one."""
    first, second = (
        (item if item.ndim == 2 else item.mean(axis=2)).ravel() - item.mean() for item in (picture, other)
    )
    norm = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float(first @ second / norm) if norm else 0.0


def rank(errors: np.ndarray) -> np.ndarray:
    """What errors tell of which reading is the true one: their logarithms, as with noise of unknown strength."""
    return np.log(errors + FLOOR)


class Likeness:
    """Compares readings with one picture, uint8 (H, W) or (H, W, 3), at its size.

    - `draw`: a language folder's `render_batch`, without noise.
    - `form`: "buckets", the reconstruction error, for pictures that are drawn again exactly; "blurred" for pencil:
      one less the cosine between blurred ink and blurred ink, 0 for equal and 1 for disjoint drawings, whatever the
      strokes' darkness.
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
        if not drawn.any() and not self.target.any():
            return 0.0
        return float(1 - min(np.vdot(drawn, self.target), 1))

    def _blur(self, picture: np.ndarray) -> np.ndarray:
        """Blurred ink (H, W), float32, the root of whose summed squares is 1; all 0 where there is none."""
        ink = ndimage.gaussian_filter(1 - picture.astype(np.float32) / 255, self.deviation)
        return ink / (np.sqrt(np.square(ink).sum()) or 1)
