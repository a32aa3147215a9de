"""Draws what a model read. Among the readings there may be some that their renderer cannot draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from datasets_scripts.scenes import RenderError


FAILURES = (RuntimeError, ValueError, ArithmeticError, LookupError)  # of a renderer, on what it cannot draw


def draw_readings(
    draw: Callable, scenes: Sequence[list[dict]], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The picture of each scene, uint8 (N, H, W[, C]), and which (N,) could not be drawn: those are an empty page.

    `draw` is a language folder's `render_batch` and `size` (height, width). Raises RenderError where not even an empty
    page can be drawn.
    """
    try:
        return np.ascontiguousarray(draw(scenes, size=size)), np.zeros(len(scenes), bool)
    except FAILURES as error:
        reason = error
    try:
        empty = np.asarray(draw([[]], size=size))
    except Exception as error:
        raise RenderError(f"drawing what was predicted: {reason}") from error
    drawn = [_try_to_draw(draw, scene, size) for scene in scenes]
    pictures = np.concatenate([empty if picture is None else picture for picture in drawn])
    return pictures, np.array([picture is None for picture in drawn])


def _try_to_draw(draw: Callable, scene: list[dict], size: tuple[int, int]) -> np.ndarray | None:
    try:
        return np.asarray(draw([scene], size=size))
    except FAILURES:
        return None
