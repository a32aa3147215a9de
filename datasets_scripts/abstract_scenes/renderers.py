"""The renderers of Abstract Scenes by name: `(scenes, size=(400, 500), rngs=None, data_dir=None) -> (B, H, W, 3)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .data_folder import find_data_dir
from .language import HEIGHT, WIDTH
from .picture_size import check_size
from .plain_renderer import render_plain
from .renderer import render_batch


def render_batch_plain(
    scenes: Sequence[Sequence[dict]],
    size: tuple[int, int] = (HEIGHT, WIDTH),
    rngs=None,
    data_dir: str | Path | None = None,
) -> np.ndarray:
    """`render_batch` by the reference renderer: uint8 (B, H, W, 3).

    Below 400 x 500 the full picture is shrunk as the image processor does it, by Pillow's area averaging.
    """
    height, width = check_size(size)
    folder = find_data_dir(data_dir)
    pictures = np.empty((len(scenes), height, width, 3), np.uint8)
    for picture, objects in zip(pictures, scenes, strict=True):
        picture[:] = np.asarray(render_plain(objects, folder).resize((width, height), Image.Resampling.BOX))
    return pictures


RENDERERS = {"batched": render_batch, "plain": render_batch_plain}
