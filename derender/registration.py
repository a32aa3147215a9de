"""Where on its canvas a drawing should lie: found by laying what was read in it, drawn again, over it."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
from scipy import fft, ndimage


SCALES = 1.027 ** np.arange(-6, 7)  # of the drawing, that are tried
REACH = 1.5  # canvas units that it may be off in each direction
BLUR = 0.3  # canvas units
STRIDE = 2  # pixels between those that are compared


def register(seen: np.ndarray, drawn: np.ndarray, unit: float) -> tuple[float, float, float]:
    """The scale about the middle, and then the shift right and down in pixels, that lays `seen` best over `drawn`.

    Both are uint8 (N, N), dark on white; `unit` is the canvas's in pixels. Best is the highest correlation of the
    blurred ink; (1, 0, 0) where nothing is drawn.
    """
    ink, wanted = (
        ndimage.gaussian_filter(1 - picture.astype(np.float32) / 255, BLUR * unit)[::STRIDE, ::STRIDE]
        for picture in (seen, drawn)
    )
    side = ink.shape[0]
    spectrum, reach = np.conj(fft.rfft2(wanted)), round(REACH * unit / STRIDE)
    best = (1e-6, 1.0, 0.0, 0.0)
    middle = (side - 1) / 2
    for scale in SCALES:
        scaled = ndimage.affine_transform(ink, [1 / scale] * 2, middle - middle / scale, order=1)
        norm = np.sqrt(np.square(scaled).sum()) or 1.0
        correlation = fft.irfft2(fft.rfft2(scaled) * spectrum, s=scaled.shape)
        window = np.roll(correlation, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
        row, column = np.unravel_index(int(np.argmax(window)), window.shape)
        shift = STRIDE * (reach - column), STRIDE * (reach - row)
        found = (float(window[row, column] / norm), float(scale), float(shift[0]), float(shift[1]))
        best = max(best, found, key=itemgetter(0))
    return best[1:]
