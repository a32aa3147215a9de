"""Where on its canvas a drawing should lie: found by laying what was read in it, drawn again, over it."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
from scipy import fft, ndimage


STEP = 1.027  # between the scales of the drawing that are tried
STEPS, REACH = 6, 1.5  # so many to each side, and canvas units that it may be off in each direction
# Of a drawing on its canvas; more, and one that was read a unit beside where it is would be moved there.
NEAR_STEPS, NEAR_REACH = 1, 0.3
BLUR = 0.3  # canvas units
STRIDE = 2  # pixels between those that are compared


def register(
    seen: np.ndarray, drawn: np.ndarray, unit: float, steps: int = STEPS, reach: float = REACH
) -> tuple[float, float, float]:
    """The scale about the middle, and then the shift right and down in pixels, that lays `seen` best over `drawn`.

    Both are uint8 (H, W), dark on white; `unit` is the canvas's in pixels. Best is the highest correlation of the
    blurred ink; (1, 0, 0) where nothing is drawn.
    """
    ink, wanted = (
        ndimage.gaussian_filter(1 - picture.astype(np.float32) / 255, BLUR * unit)[::STRIDE, ::STRIDE]
        for picture in (seen, drawn)
    )
    spectrum, reach = np.conj(fft.rfft2(wanted)), int(reach * unit / STRIDE)
    best = (1e-6, 1.0, 0.0, 0.0)
    for scale in STEP ** np.arange(-steps, steps + 1):
        scaled = _move(ink, scale, (0, 0), 0.0)
        norm = np.sqrt(np.square(scaled).sum()) or 1.0
        correlation = fft.irfft2(fft.rfft2(scaled) * spectrum, s=scaled.shape)
        window = np.roll(correlation, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
        row, column = np.unravel_index(int(np.argmax(window)), window.shape)
        shift = STRIDE * (reach - column), STRIDE * (reach - row)
        found = (float(window[row, column] / norm), float(scale), float(shift[0]), float(shift[1]))
        best = max(best, found, key=itemgetter(0))
    return best[1:]


def straighten(seen: np.ndarray, drawn: np.ndarray, unit: float) -> np.ndarray:
    """`seen` a little scaled and shifted, to lie best over `drawn`, by `register`; white comes in at the edges."""
    scale, right, down = register(seen, drawn, unit, NEAR_STEPS, NEAR_REACH)
    return np.round(_move(seen.astype(np.float32), scale, (down, right), 255.0)).astype(np.uint8)


def _move(picture: np.ndarray, scale: float, shift: tuple[float, float], beyond: float) -> np.ndarray:
    """Scaled about its middle, then shifted (down, right); what comes in at the edges is `beyond`."""
    middle = (np.array(picture.shape) - 1) / 2
    offset = middle - (middle + shift) / scale
    return ndimage.affine_transform(picture, [1 / scale] * 2, offset, order=1, cval=beyond)
