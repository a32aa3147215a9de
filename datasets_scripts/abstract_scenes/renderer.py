"""The renderer of Abstract Scenes by the house's interface: objects -> RGB picture. This language has no noise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator

from .batch_renderer import BatchRenderer
from .data_folder import find_data_dir
from .language import HEIGHT, WIDTH


def render(
    objects: Sequence[dict],
    size: tuple[int, int] = (HEIGHT, WIDTH),
    rng: Generator | None = None,
    data_dir: str | Path | None = None,
) -> np.ndarray:
    """Renders one scene; see `render_batch`. Returns uint8 (H, W, 3)."""
    return render_batch([objects], size, data_dir=data_dir)[0]


def render_batch(
    scenes: Sequence[Sequence[dict]],
    size: tuple[int, int] = (HEIGHT, WIDTH),
    rngs: Sequence[Generator] | None = None,
    data_dir: str | Path | None = None,
) -> np.ndarray:
    """Renders many scenes on the CPU, the same bytes as one by one and faster.

    Args:
        scenes: the objects of each scene, in any order.
        size: (height, width), at most (400, 500), of the canvas's aspect 4 : 5.
        rngs: ignored, since nothing here is random; the house's interface has it.
        data_dir: the data's folder; see `find_data_dir`.

    Returns:
        uint8 (B, H, W, 3): a view of a (B, 3, H, W) array, so that moving the channels first costs nothing.

    Raises:
        ValueError: no such folder, a bad picture in it, a bad size or a bad object.
    """
    pictures = _batch_renderer(find_data_dir(data_dir), tuple(size))(scenes)
    return pictures.permute(0, 2, 3, 1).numpy()


# Its sprites are made once for a folder and a size. All of them take up to 300 MB, so few renderers are kept.
_batch_renderer = lru_cache(maxsize=3)(BatchRenderer)
