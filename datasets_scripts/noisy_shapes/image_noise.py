"""The image noise of Ellis et al. (2018): ink times a factor, the picture shifted with wrapping, ten pixels inverted.

It is defined on 256 x 256 pictures. A smaller picture gets what averaging the noisy 256 x 256 picture would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .ink_profile import FULL_SIZE


_LARGEST_SHIFT = 4
_NUM_INVERTED = 10


@dataclass(frozen=True)
class ImageNoise:
    """The draws for a batch: `factor` (B,), `shift` (B, 2) right and down in pixels of 256, `inverted` (B, 10, 2).

    `inverted` are points inside the pixels, (column, row) as shares of the picture's side, in [0, 1).
    """

    factor: np.ndarray
    shift: np.ndarray
    inverted: np.ndarray


def sample_image_noise(rngs: Sequence[Generator]) -> ImageNoise:
    """Draws the image noise of one picture from each generator."""
    uniform = np.array([rng.random(3 + 2 * _NUM_INVERTED) for rng in rngs]).reshape(-1, 3 + 2 * _NUM_INVERTED)
    return ImageNoise(
        factor=0.5 + uniform[:, 0],
        shift=np.floor((2 * _LARGEST_SHIFT + 1) * uniform[:, 1:3]) - _LARGEST_SHIFT,
        inverted=uniform[:, 3:].reshape(-1, _NUM_INVERTED, 2),
    )


def add_image_noise(pictures: np.ndarray, rngs: Sequence[Generator]) -> np.ndarray:
    """Adds image noise to `pictures` uint8 (B, S, S) that have none, each from its own generator; the like of them.

    These are the bytes that `render_batch` draws where the generators stand where its drawing left them. Raises
    ValueError where S is no multiple of 256: what is drawn smaller is shifted and cut before it is averaged.
    """
    size = pictures.shape[1]
    if size % FULL_SIZE or pictures.shape[2] != size:
        wrong = " x ".join(map(str, pictures.shape[1:]))
        raise ValueError(
            f"image noise is added to square pictures of a multiple of {FULL_SIZE} pixels, not of {wrong}"
        )
    noise = sample_image_noise(rngs)
    ink = scale_ink(255 - pictures, noise.factor)
    shift = noise.shift[:, ::-1].astype(int) * (size // FULL_SIZE)  # down, right
    ink = np.stack([np.roll(picture, distance, (0, 1)) for picture, distance in zip(ink, shift, strict=True)])
    invert_pixels(ink, noise.inverted)
    return 255 - ink


def scale_ink(ink: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Multiplies each picture of `ink` uint8 (B, H, W) by its factor (B,), cut at full ink."""
    if (factor == 1).all():
        return ink
    tables = np.rint(np.minimum(factor[:, None] * np.arange(256), 255)).astype(np.uint8)
    return np.stack([table.take(picture) for table, picture in zip(tables, ink, strict=True)])


def invert_pixels(ink: np.ndarray, inverted: np.ndarray) -> None:
    """Inverts, in place, the pixels of `ink` uint8 (B, size, size) that `ImageNoise.inverted` names.

    A pixel named twice is inverted once. In a picture below 256 x 256 a pixel of 256 is a small share of a pixel, and
    is taken to be as dark as the whole.
    """
    size = ink.shape[1]
    share = min(size / FULL_SIZE, 1.0) ** 2
    place = np.floor(inverted * size).astype(np.intp)
    index = (np.arange(len(ink))[:, None] * size + place[..., 1]) * size + place[..., 0]
    index, times = np.unique(index, return_counts=True)
    flat = ink.reshape(-1)
    value = flat[index].astype(np.float64)
    flat[index] = np.rint(value + np.minimum(times * share, 1) * (255 - 2 * value))
