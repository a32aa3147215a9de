"""Where an object of a picture should rather be: found from what it looks like, without drawing it at each place."""

from __future__ import annotations

from itertools import product

import numpy as np

from modeling_derender.reconstruction_error import NUM_BUCKETS


POINTS = 500  # of an object's pixels, that stand for all
REACH = 64  # canvas units in each direction
STRIDES = (4, 1)  # canvas units between the places tried: coarse, then fine about the best


class Alignment:
    """Tells where objects would agree best with `target`, of a canvas `width` units wide.

    Pictures are uint8 (H, W) or (H, W, 3).
    """

    def __init__(self, target: np.ndarray, width: float, rng: np.random.Generator):
        self.target, self.rng = _codes(target), rng
        self.scale = target.shape[1] / width

    def find_shift(self, without: np.ndarray, drawn: np.ndarray) -> tuple[tuple[int, int], float]:
        """The (right, down) shift in whole canvas units of the object that `drawn` has and `without` has not, and the
        share of the picture that would then be right and is wrong without the object."""
        changed = drawn != without
        rows, columns = np.nonzero(changed.any(axis=-1) if changed.ndim == 3 else changed)
        if not len(rows):
            return (0, 0), 0.0
        chosen = self.rng.choice(len(rows), min(POINTS, len(rows)), replace=False)
        points = rows[chosen], columns[chosen]
        seen = points, _codes(drawn)[points], _codes(without) != self.target
        best, reach = (0, 0), REACH
        for stride in STRIDES:
            steps = range(-reach, reach + 1, stride)
            shifts = [(best[0] + right, best[1] + down) for right, down in product(steps, steps)]
            gains = self._gains(np.array(shifts), *seen)
            best, reach = shifts[int(np.argmax(gains))], stride
        return best, float(gains.max()) * len(rows) / len(chosen) / self.target.size

    def _gains(self, shifts: np.ndarray, points, codes: np.ndarray, wrong: np.ndarray) -> np.ndarray:
        """How many of the points, at each of the shifts (N, 2), turn right, less those that turn wrong: (N,)."""
        height, width = self.target.shape
        moved = np.round(shifts * self.scale).astype(int)
        columns, rows = (points[axis] + moved[:, 1 - axis, None] for axis in (1, 0))
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        places = np.where(inside, rows * width + columns, 0)
        differs = self.target.ravel()[places] != codes
        return ((wrong.ravel()[places].astype(int) - differs) * inside).sum(axis=1)


def _codes(picture: np.ndarray) -> np.ndarray:
    """The buckets of a pixel's channels in one number, (H, W)."""
    buckets = (picture.astype(np.uint16) * NUM_BUCKETS) >> 8
    if buckets.ndim == 2:
        return buckets
    return (buckets[..., 0] * NUM_BUCKETS + buckets[..., 1]) * NUM_BUCKETS + buckets[..., 2]
