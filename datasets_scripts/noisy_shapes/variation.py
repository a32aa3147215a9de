"""More variation than the drawing noise of Ellis et al. (2018) has, for models that are to read hand drawings.

Every scene gets a hand of its own: a pen, an unsteadiness, dashes, and a place and size on the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from .drawing import CANVAS, CIRCLE, Drawing


PEN = (0.5, 1.6)  # the line width is multiplied by a factor in this range, its logarithm uniform
DASH = (0.4, 1.6)  # so are the dashes
SIZE = 0.04  # the drawing is up to so much larger or smaller, about the canvas's centre,
SHIFT = 0.25  # and moved by up to so many canvas units on each axis
UNSTEADINESS = 0.12  # the most, in canvas units: deviation of what each number of the geometry is moved by


def vary(drawing: Drawing, rngs: Sequence[Generator]) -> Drawing:
    """The drawing of a batch in other hands: pen, dashes, unsteadiness, size and place, one draw of each a scene.

    An object is moved as a whole and by its numbers, as in the drawing noise; a circle's radius keeps above half a
    canvas unit.
    """
    hands = np.array([rng.random(6) for rng in rngs]).reshape(-1, 6)[drawing.scene]
    counts = np.bincount(drawing.scene, minlength=drawing.num_scenes)
    wobbles = [rng.standard_normal((count, 4)) for rng, count in zip(rngs, counts, strict=True)]
    wobble = np.concatenate([*wobbles, np.empty((0, 4))]) * UNSTEADINESS * hands[:, 2:3]
    is_circle = drawing.kind == CIRCLE
    wobble[is_circle, 3] = 0.0
    size = 1 + SIZE * (2 * hands[:, 3:4] - 1)
    shift = SHIFT * (2 * hands[:, 4:6] - 1)
    geometry = drawing.geometry + wobble
    ends = size * (geometry - CANVAS / 2) + CANVAS / 2 + np.tile(shift, 2)
    geometry[~is_circle] = ends[~is_circle]
    geometry[is_circle, :2] = ends[is_circle, :2]
    geometry[is_circle, 2] = np.maximum(geometry[is_circle, 2] * size[is_circle, 0], 0.5)
    return replace(
        drawing,
        geometry=geometry,
        line_width=drawing.line_width * _factor(PEN, hands[:, 0]),
        dash=drawing.dash * _factor(DASH, hands[:, 1])[:, None],
    )


def _factor(ends: tuple[float, float], share: np.ndarray) -> np.ndarray:
    low, high = np.log(ends)
    return np.exp(low + share * (high - low))
