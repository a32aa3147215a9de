"""The renderers of Noisy Shapes by name: `(scenes, size=(256, 256), rngs=None) -> uint8 (B, H, W)`."""

from __future__ import annotations

from functools import partial

import numpy as np

from .coarse import coarsen
from .freehand import draw_freehand
from .ink_profile import FULL_SIZE
from .renderer import render_batch
from .tikz import render_tikz
from .variation import sketch, vary


def render_clean(scenes, size=(FULL_SIZE, FULL_SIZE), rngs=None) -> np.ndarray:
    """No noise at all, whatever the generators."""
    return render_batch(scenes, size)


RENDERERS = {
    "noisy": render_batch,
    "pencil": partial(render_batch, image_noise=False),
    "varied": partial(render_batch, hand=vary),
    "sketched": partial(render_batch, hand=sketch),
    "freehand": partial(render_batch, hand=draw_freehand),
    "coarse": partial(render_batch, hand=draw_freehand, wear=coarsen),
    "clean": render_clean,
    "tikz": render_tikz,
}
WITHOUT_IMAGE_NOISE = ("pencil", "clean", "tikz")
