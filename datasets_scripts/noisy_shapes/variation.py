"""More variation than the drawing noise of Ellis et al. (2018) has, for models that are to read hand drawings.

Every scene gets a hand of its own: a pen, an unsteadiness, dashes, and a place and size on the paper. A sketch's
hand is freer: it bends the strokes, and draws other heads of arrows and longer dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from .drawing import CANVAS, CIRCLE, Drawing
from .waves import Waves


PEN = (0.5, 1.6)  # the line width is multiplied by a factor in this range, its logarithm uniform
DASH = (0.4, 1.6)  # so are the dashes
SIZE = 0.04  # the drawing is up to so much larger or smaller, about the canvas's centre,
SHIFT = 0.25  # and moved by up to so many canvas units on each axis
UNSTEADINESS = 0.12  # the most, in canvas units: deviation of what each number of the geometry is moved by

# Of a sketch alone:
HEAD = (0.7, 1.8)  # the heads of arrows are scaled by a factor in this range
DASH_LENGTH = (0.8, 3.0)  # the dashes and the gaps, each by another
NUM_WAVES = 3  # that bend each stroke,
WAVELENGTH = (2.5, 10.0)  # canvas units, its logarithm uniform
BEND = 0.015  # the most, in wavelengths: deviation of a wave's amplitude on each axis


def vary(drawing: Drawing, rngs: Sequence[Generator]) -> Drawing:
    """The drawing of a batch in other hands: pen, dashes, unsteadiness, size and place, one draw of each a scene.

    An object is moved as a whole and by its numbers, as in the drawing noise; a circle's radius keeps above half a
    canvas unit.
    """
    hands = draw_hands(drawing, rngs, 6)
    wobble = draw_each(drawing, rngs, Generator.standard_normal, 4) * UNSTEADINESS * hands[:, 2:3]
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
        line_width=drawing.line_width * factor_in(PEN, hands[:, 0]),
        dash=drawing.dash * factor_in(DASH, hands[:, 1])[:, None],
    )


def sketch(drawing: Drawing, rngs: Sequence[Generator]) -> Drawing:
    """The drawing of a batch by other and freer hands: as `vary`, its strokes bent, with other heads and dashes."""
    drawing = vary(drawing, rngs)
    hands = draw_hands(drawing, rngs, 4)
    lengths = np.stack([factor_in(DASH_LENGTH, hands[:, 0]), factor_in(DASH_LENGTH, hands[:, 1])], -1)
    return replace(
        drawing,
        dash=drawing.dash * lengths,
        tip_scale=drawing.tip_scale * factor_in(HEAD, hands[:, 2]),
        waves=_draw_waves(drawing, rngs, hands[:, 3:]),
    )


def _draw_waves(drawing: Drawing, rngs: Sequence[Generator], strength: np.ndarray) -> Waves:
    """Waves of each primitive, as strong as its scene's hand is free, (N, 1)."""
    uniform = draw_each(drawing, rngs, Generator.random, NUM_WAVES, 3)
    normal = draw_each(drawing, rngs, Generator.standard_normal, NUM_WAVES, 2)
    length = factor_in(WAVELENGTH, uniform[..., 0])
    return Waves(
        vector=2 * np.pi / length * np.exp(2j * np.pi * uniform[..., 1]),
        phase=2 * np.pi * uniform[..., 2],
        amplitude=BEND * strength * length * normal.view(np.complex128)[..., 0],
    )


def draw_hands(drawing: Drawing, rngs: Sequence[Generator], number: int) -> np.ndarray:
    """Uniform numbers of each scene's hand, for each of its primitives, (N, number)."""
    return np.array([rng.random(number) for rng in rngs]).reshape(-1, number)[drawing.scene]


def draw_each(drawing: Drawing, rngs: Sequence[Generator], draw: Callable, *shape: int) -> np.ndarray:
    """What `draw` gives of each primitive by its scene's generator, (N, *shape)."""
    counts = np.bincount(drawing.scene, minlength=drawing.num_scenes)
    draws = [draw(rng, (count, *shape)) for rng, count in zip(rngs, counts, strict=True)]
    return np.concatenate([*draws, np.empty((0, *shape))])


def factor_in(ends: tuple[float, float], share: np.ndarray) -> np.ndarray:
    low, high = np.log(ends)
    return np.exp(low + share * (high - low))
