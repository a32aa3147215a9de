"""The hands of a sketch, but freer with its parts: what one stroke of TikZ draws is put together from several.

Half of the hands draw a rectangle by four strokes that do not quite meet, half draw the head of an arrow by two
straight strokes, half draw circles that are not round and do not quite close, and dashes are uneven. The strokes of a
primitive bend as one, by its waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.random import Generator

from .drawing import CIRCLE, LINE, NO_TIP, POINT, RECTANGLE, Drawing
from .strokes import unit
from .variation import draw_each, draw_hands, factor_in, sketch


SHARE = 0.5  # of the hands, each: those that draw rectangles by four strokes, heads by two, and such circles
OVERSHOOT = 0.15  # canvas units, the most: deviation of where a rectangle's side ends, along it,
ASIDE = 0.06  # and across
WING = (0.35, 1.2)  # canvas units: the length of a head's strokes, its logarithm uniform
LONGEST_WING = 0.7  # of the line's length
ANGLE = (0.3, 0.9)  # radians, between a stroke of a head and the line
WING_NOISE = 0.15  # deviation of both, as logarithms, from one stroke to the next
CHORDS = 24  # of a circle
OVAL = 0.1  # the most: deviation of the logarithms of a circle's half-axes,
SPIRAL = 0.08  # of how much larger its radius is at its end, as a share,
GAP = 0.25  # and, in radians, of how far beyond its beginning, or before it, it ends
UNEVEN = 0.35  # the most: deviation of the logarithms of dashes and gaps
MOST_DASHES = 40  # of an uneven line; one with more stays as it is


def draw_freehand(drawing: Drawing, rngs: Sequence[Generator]) -> Drawing:
    """The drawing of a batch as sketches (`variation.sketch`) whose rectangles, heads, circles and dashes are put
    together."""
    drawing = sketch(drawing, rngs)
    boxes, heads, astray, length, angle, uneven, circles, loose = draw_hands(drawing, rngs, 8).T
    shapes = (4, 2, 2), (2, 2), (5,), (MOST_DASHES, 2)
    sides, wings, loops, dashes = (draw_each(drawing, rngs, Generator.standard_normal, *shape) for shape in shapes)
    boxed = np.flatnonzero((drawing.kind == RECTANGLE) & (boxes < SHARE))
    looped = np.flatnonzero((drawing.kind == CIRCLE) & (circles < SHARE))
    headed = np.flatnonzero((drawing.tip != NO_TIP) & (heads < SHARE))
    parts = [
        (np.repeat(boxed, 4), _draw_sides(drawing.geometry[boxed], sides[boxed] * astray[boxed, None, None, None])),
        (np.repeat(looped, CHORDS), _draw_loops(drawing.geometry[looped], loops[looped] * loose[looped, None])),
        (np.repeat(headed, 2), _draw_wings(drawing.geometry[headed], length[headed], angle[headed], wings[headed])),
    ]
    bare = drawing.tip.copy()
    bare[headed] = NO_TIP
    drawing = replace(drawing, tip=bare)
    dashed = np.flatnonzero((drawing.dash[:, 0] > 0) & (drawing.tip == NO_TIP))
    cut, pieces = _draw_dashes(drawing, dashed, dashes[dashed] * (UNEVEN * uneven[dashed, None, None]))
    return _put_together(drawing, np.concatenate([boxed, looped, cut]), [*parts, (cut, pieces)])


def _draw_sides(geometry: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Four strokes of each rectangle, (4 N, 4): its corners in turn, each end astray; `noise` (N, 4, 2, 2) is
    normal."""
    x1, y1, x2, y2 = geometry.T
    corners = np.stack([x1 + 1j * y1, x1 + 1j * y2, x2 + 1j * y2, x2 + 1j * y1], -1)
    ends = np.stack([corners, np.roll(corners, -1, axis=1)], -1)
    way = unit(ends[..., 1] - ends[..., 0])[..., None]
    ends = ends + way * (OVERSHOOT * noise[..., 0] + 1j * ASIDE * noise[..., 1])
    return ends.reshape(-1, 2).view(np.float64)


def _draw_loops(geometry: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The chords of each circle's oval, (CHORDS N, 4), which begins anywhere; `noise` (N, 5) is normal."""
    x, y, radius, _ = geometry.T[..., None]
    wide, high, larger, gap, begin = noise.T[..., None]
    share = np.linspace(0, 1, CHORDS + 1)
    turn = np.exp(1j * (10 * begin + (2 * np.pi + GAP * gap) * share))
    radius = radius * (1 + SPIRAL * larger * (share - 0.5))
    points = x + radius * np.exp(OVAL * wide) * turn.real + 1j * (y + radius * np.exp(OVAL * high) * turn.imag)
    return np.stack([points[:, :-1], points[:, 1:]], -1).reshape(-1, 2).view(np.float64)


def _draw_wings(geometry: np.ndarray, length: np.ndarray, angle: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Two strokes of the head of each line, (2 N, 4); `length` and `angle` (N,) are uniform in [0, 1) and `noise`
    (N, 2, 2) is normal."""
    start, end = geometry.view(np.complex128).T
    length = np.minimum(factor_in(WING, length), LONGEST_WING * np.abs(end - start))
    factors = np.exp(WING_NOISE * noise)
    angle = np.array([1, -1]) * factor_in(ANGLE, angle)[:, None] * factors[..., 0]
    back = unit(start - end)[:, None] * (length[:, None] * factors[..., 1]) * np.exp(1j * angle)
    tips = np.repeat(end[:, None], 2, axis=1)
    return np.stack([tips, tips + back], -1).reshape(-1, 2).view(np.float64)


def _draw_dashes(drawing: Drawing, rows: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The dashes of each line, (D, 4), after the rows that they are of, (D,); `noise` (N, MOST_DASHES, 2) is normal.

    Lines of more dashes are not among the rows.
    """
    start, end = drawing.geometry[rows].view(np.complex128).reshape(-1, 2).T
    length = np.abs(end - start)[:, None]
    inked, gap = np.moveaxis(drawing.dash[rows, None] * POINT * np.exp(noise), -1, 0)
    after = np.cumsum(inked + gap, axis=1)
    few = after[:, -1:] >= length
    first = after - inked - gap
    number, dash = np.nonzero(few & (first < length))
    way = unit(end - start)[number]
    begin = start[number] + first[number, dash] * way
    finish = start[number] + np.minimum(first + inked, length)[number, dash] * way
    return rows[number], np.stack([begin, finish], -1).reshape(-1, 2).view(np.float64)


def _put_together(drawing: Drawing, gone: np.ndarray, parts: list[tuple[np.ndarray, np.ndarray]]) -> Drawing:
    """Without the rows that are `gone`, and with straight strokes (rows, geometry), each as of the row it is of."""
    kept = np.setdiff1d(np.arange(len(drawing.kind)), gone)
    rows = np.concatenate([kept, *(owner for owner, _ in parts)])
    rows = rows[order := np.argsort(drawing.scene[rows], kind="stable")]
    is_new = order >= len(kept)
    geometry = np.concatenate([drawing.geometry[kept], *(geometry for _, geometry in parts)])[order]
    waves = type(drawing.waves)(*(getattr(drawing.waves, field.name)[rows] for field in fields(drawing.waves)))
    return replace(
        drawing,
        scene=drawing.scene[rows],
        kind=np.where(is_new, LINE, drawing.kind[rows]),
        geometry=geometry,
        line_width=drawing.line_width[rows],
        dash=np.where(is_new[:, None], 0.0, drawing.dash[rows]),
        tip=np.where(is_new, NO_TIP, drawing.tip[rows]),
        tip_scale=drawing.tip_scale[rows],
        waves=waves,
    )
