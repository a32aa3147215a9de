"""Objects -> primitives in canvas units, with the drawing noise of Ellis et al. (2018); rasterizer and TikZ draw them.

t below is a standard normal truncated to [-1, 1], drawn anew each time; one canvas unit is one TikZ centimetre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from .waves import Waves


CANVAS = 16.0  # canvas units on a side; the origin is bottom left and y points up
POINT = 1 / 28.45274  # one TeX point in canvas units

CIRCLE, RECTANGLE, LINE = range(3)
NO_TIP, TO, STEALTH, LATEX = range(-1, 3)  # TO is the tip that TikZ draws for `>`

_CLEAN_WIDTH, _CLEAN_DASH, _CLEAN_TIP, _CLEAN_SCALE = 0.1, 4.0, STEALTH, 1.3
_DRAWS = 11  # random numbers an object takes, whatever its category

_NUMBERS = (int, float, np.integer, np.floating, np.bool_)
_LARGEST = 1 << 63  # numbers beyond lie on no canvas, and NumPy makes objects of them

_QUANTILES = np.linspace(0, 1, 4097)
_NORMAL_QUANTILES = np.array(
    [NormalDist().inv_cdf(NormalDist().cdf(-1) + q * (NormalDist().cdf(1) - NormalDist().cdf(-1))) for q in _QUANTILES]
)


@dataclass(frozen=True)
class Drawing:
    """The primitives of a batch of scenes, one row each, the rows of a scene together and in the order of its objects.

    Attributes:
        num_scenes: how many scenes the batch holds.
        scene: (N,) index of the scene.
        kind: (N,) CIRCLE, RECTANGLE or LINE.
        geometry: (N, 4) canvas units: circle (x, y, radius, 0), rectangle and line (x1, y1, x2, y2).
        line_width: (N,) canvas units.
        dash: (N, 2) TeX points on and off; zeros where the stroke is solid.
        tip: (N,) arrow tip at (x2, y2): NO_TIP, TO, STEALTH or LATEX.
        tip_scale: (N,) TikZ's `scale` of the tip.
        pencil: whether the strokes are to be decorated with random steps.
        waves: what bends the strokes, None where nothing does.
    """

    num_scenes: int
    scene: np.ndarray
    kind: np.ndarray
    geometry: np.ndarray
    line_width: np.ndarray
    dash: np.ndarray
    tip: np.ndarray
    tip_scale: np.ndarray
    pencil: bool
    waves: Waves | None = None


def draw(scenes: Sequence[Sequence[dict]], rngs: Sequence[Generator] | None = None) -> Drawing:
    """Draws a batch of scenes: noisily with a generator for each, clean without.

    A clean stroke is 0.1 wide, a clean dash 4 pt on and 4 pt off, a clean tip Stealth at scale 1.3.

    Raises:
        ValueError: an object's category is unknown or a property is missing or no number; `rngs` has another length.
    """
    if rngs is not None and len(rngs) != len(scenes):
        raise ValueError(f"{len(scenes)} scenes need as many random generators, not {len(rngs)}")
    rows = [_read_object(item) for objects in scenes for item in objects]
    counts = [len(objects) for objects in scenes]
    columns = _to_numbers(rows)
    kind = columns[:, 0].astype(np.intp)
    arrow, dashed = columns[:, 5] > 0, columns[:, 6] == 0
    scene = np.repeat(np.arange(len(scenes)), counts)
    if rngs is None:
        return _draw_clean(len(scenes), scene, kind, columns[:, 1:5], arrow, dashed)
    draws = [rng.random((n, _DRAWS)) for rng, n in zip(rngs, counts, strict=True)]
    uniform = np.concatenate([*draws, np.empty((0, _DRAWS))])
    return _draw_noisy(len(scenes), scene, kind, columns[:, 1:5], arrow, dashed, uniform)


def _read_object(item: dict) -> tuple[float, ...]:
    """One object as (kind, four numbers of geometry, arrow, solid)."""
    try:
        category = item["category"]
        if category == "line":
            return LINE, item["x1"], item["y1"], item["x2"], item["y2"], item["arrow"], item["solid"]
        if category == "rectangle":
            return RECTANGLE, item["x1"], item["y1"], item["x2"], item["y2"], False, True
        if category == "circle":
            return CIRCLE, item["x"], item["y"], 1, 0, False, True
    except KeyError as error:
        raise ValueError(f"object {item!r} has no property {error.args[0]!r}") from None
    raise ValueError(f"object {item!r}: the category must be circle, rectangle or line")


def _to_numbers(rows: list[tuple]) -> np.ndarray:
    """(N, 7) float64. The type is left to NumPy, which would otherwise read "7" as 7 and None as nan."""
    try:
        columns = np.array(rows).reshape(len(rows), 7)
    except ValueError:
        columns = None
    if columns is None or columns.dtype.kind not in "biuf" or not np.isfinite(columns).all():
        bad = next(row for row in rows if not all(isinstance(v, _NUMBERS) and abs(v) < _LARGEST for v in row))
        raise ValueError(f"an object's properties must be numbers and flags, not {bad[1:]!r}")
    return columns.astype(np.float64)


def _draw_clean(num_scenes, scene, kind, geometry, arrow, dashed) -> Drawing:
    return Drawing(
        num_scenes=num_scenes,
        scene=scene,
        kind=kind,
        geometry=geometry,
        line_width=np.full(len(kind), _CLEAN_WIDTH),
        dash=np.where(dashed[:, None], (_CLEAN_DASH, _CLEAN_DASH), 0.0),
        tip=np.where(arrow, _CLEAN_TIP, NO_TIP),
        tip_scale=np.full(len(kind), _CLEAN_SCALE),
        pencil=False,
    )


def _draw_noisy(num_scenes, scene, kind, geometry, arrow, dashed, uniform) -> Drawing:
    t = np.interp(uniform[:, :7], _QUANTILES, _NORMAL_QUANTILES)
    dash = 2.0 + np.floor(5 * uniform[:, 7:9])
    return Drawing(
        num_scenes=num_scenes,
        scene=scene,
        kind=kind,
        geometry=geometry + _geometry_noise(kind, geometry, t[:, 1:]),
        line_width=0.1 + np.where(kind == CIRCLE, 0.03, 0.04) * t[:, 0],
        dash=np.where(dashed[:, None], dash, 0.0),
        tip=np.where(arrow, np.minimum(3 * uniform[:, 9], 2).astype(np.intp), NO_TIP),
        tip_scale=1.2 + 0.36 * uniform[:, 10],
        pencil=True,
    )


def _geometry_noise(kind: np.ndarray, geometry: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The shift of each number of the geometry, (N, 4), from six values of t each."""
    noise = np.empty_like(geometry)
    circle = kind == CIRCLE
    noise[circle] = t[circle, :4] * (0.2, 0.2, 0.1, 0.0)
    rectangle = kind == RECTANGLE
    noise[rectangle] = 0.14 * np.tile(t[rectangle, :2], 2) + 0.06 * t[rectangle, 2:]
    line = kind == LINE
    length = np.hypot(geometry[line, 2] - geometry[line, 0], geometry[line, 3] - geometry[line, 1])
    amplitude = np.where(length >= 3, 0.2, 0.2 * 0.2 * length / 4)[:, None]
    noise[line] = amplitude * (0.6 * np.tile(t[line, :2], 2) + 0.4 * t[line, 2:])
    return noise
