"""The renderer of Noisy Shapes: objects -> grey picture, clean, or with the noise of Ellis et al. (2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from .drawing import Drawing, draw
from .image_noise import invert_pixels, sample_image_noise
from .ink_profile import FULL_SIZE
from .rasterizer import rasterize
from .strokes import trace


_CHUNK, _CHUNK_PIXELS = 128, 1 << 22  # scenes and pixels painted at once: fast enough, and little memory


def render(
    objects: Sequence[dict],
    size: tuple[int, int] = (FULL_SIZE, FULL_SIZE),
    rng: Generator | None = None,
    image_noise: bool = True,
) -> np.ndarray:
    """Renders one scene; see `render_batch`. Returns uint8 (H, W), 0 is ink and 255 paper."""
    return render_batch([objects], size, None if rng is None else [rng], image_noise)[0]


def render_batch(
    scenes: Sequence[Sequence[dict]],
    size: tuple[int, int] = (FULL_SIZE, FULL_SIZE),
    rngs: Sequence[Generator] | None = None,
    image_noise: bool = True,
    hand: Callable[[Drawing, Sequence[Generator]], Drawing] | None = None,
    wear: Callable[[np.ndarray, Sequence[Generator]], np.ndarray] | None = None,
) -> np.ndarray:
    """Renders many scenes, the same bytes as one by one and faster.

    Args:
        scenes: the objects of each scene, any values inside the 16 x 16 canvas.
        size: (height, width) in pixels; the canvas is square. A picture below 256 x 256 looks like the picture of
            256 x 256 averaged over its pixels, noise included.
        rngs: a generator for each scene: drawing noise, pencil and image noise; None for clean pictures.
        image_noise: False leaves the image noise out. What is drawn from the generators before it stays the same.
        hand: changes what is drawn noisily (`variation.vary`, `variation.sketch`), for models that are to read hand
            drawings.
        wear: changes the ink that a noisy drawing left, uint8 (B, H, W) (`coarse.coarsen`).

    Returns:
        uint8 (B, H, W), 0 is ink and 255 paper.

    Raises:
        ValueError: a size that is not square or not positive, a bad object, or too few generators.
    """
    side = _check_size(size)
    if rngs is not None and len(rngs) != len(scenes):
        raise ValueError(f"{len(scenes)} scenes need as many random generators, not {len(rngs)}")
    pictures = np.empty((len(scenes), side, side), np.uint8)
    chunk = max(min(_CHUNK, _CHUNK_PIXELS // side**2), 1)
    for first in range(0, len(scenes), chunk):
        part = slice(first, first + chunk)
        own = None if rngs is None else rngs[part]
        pictures[part] = _render_chunk(scenes[part], side, own, image_noise, hand, wear)
    return pictures


def _render_chunk(scenes, side: int, rngs, image_noise: bool, hand, wear) -> np.ndarray:
    if rngs is None:
        image_noise, hand, wear = False, None, None
    drawing = draw(scenes, rngs)
    if hand is not None:
        drawing = hand(drawing, rngs)
    segments, tips = trace(drawing, rngs)
    noise = sample_image_noise(rngs) if image_noise else None
    moved = () if noise is None else (noise.shift, noise.factor)
    ink = _paint(segments, tips, len(scenes), side, *moved)
    if wear is not None:
        ink = wear(ink, rngs)
    if noise is not None:
        invert_pixels(ink, noise.inverted)
    return 255 - ink


def _paint(segments, tips, num_scenes: int, side: int, shift=None, factor=None) -> np.ndarray:
    """Ink, uint8 (B, side, side): small pictures are painted at twice their size and averaged."""
    if 2 * side > FULL_SIZE:
        return rasterize(segments, tips, num_scenes, side, shift, factor)
    ink = rasterize(segments, tips, num_scenes, 2 * side, shift, factor)
    total = sum(ink[:, down::2, right::2].astype(np.uint16) for down in (0, 1) for right in (0, 1))
    return ((total + 2) // 4).astype(np.uint8)


def _check_size(size: tuple[int, int]) -> int:
    height, width = size
    if height != width or height < 1:
        raise ValueError(f"size {size!r}: the canvas is square, so height and width must be equal and positive")
    return int(height)
