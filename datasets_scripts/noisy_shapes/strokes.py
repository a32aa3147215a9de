"""Primitives -> short straight segments and filled arrow tips: pencil, dashes and shortening as TikZ does them.

The pencil is PGF's decoration `random steps`: from every 4 pt along an edge a step goes 4 pt along the tangent and
then aside by a uniform offset on both local axes; the rest, at most 6 pt, is one straight step to the edge's end.

Points and directions of the plane are complex numbers x + iy in canvas units, so a turn is a product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.random import Generator

from .arrow_tips import NUM_FRONT_LINES, FilledTips, filled_tips, shortening, to_tip_wing
from .drawing import CIRCLE, LINE, NO_TIP, POINT, RECTANGLE, TO, Drawing


STEP, AMPLITUDE = 4 * POINT, 1 * POINT
CIRCLES, RECTANGLES, SHAFTS, TIPS = range(4)  # layers: strokes that are painted one over the other, not joined
NUM_LAYERS = 4
_MITER_LIMIT = 10  # the longest mitre in line widths, PDF's default
_SHARPEST_CORNER = -0.8  # cosine of the turn beyond which a rectangle's corner stays round
_LONGEST_SEGMENT = 8 * POINT


@dataclass(frozen=True)
class Segments:
    """Straight pieces of strokes with round ends, or flat ones where `before` or `after` is finite.

    Attributes:
        scene, layer: (S,) the scene and the layer painted on.
        start, end: (S,) complex.
        width: (S,).
        before, after: (S,) how far beyond start and end the stroke goes on before it ends flat; inf: round.
    """

    scene: np.ndarray
    layer: np.ndarray
    start: np.ndarray
    end: np.ndarray
    width: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def take(self, index: np.ndarray | slice) -> Segments:
        return Segments(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True)
class Tips:
    """Filled arrow tips, and the spikes of strokes that turn back.

    Attributes:
        scene, layer: (N,) the scene and the layer painted on.
        end: (N,) complex, the foremost point.
        direction: (N,) complex unit, where it points.
        shape: the outlines.
    """

    scene: np.ndarray
    layer: np.ndarray
    end: np.ndarray
    direction: np.ndarray
    shape: FilledTips


@dataclass(frozen=True)
class _Edges:
    """Lines and quarter circles, the edges of the primitives in the order drawn, (E,) each."""

    owner: np.ndarray  # row of the primitive
    is_arc: np.ndarray
    start: np.ndarray  # complex
    direction: np.ndarray  # complex unit tangent at the start
    length: np.ndarray
    radius: np.ndarray  # of an arc

    def frame(self, edge: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The points `way` along the edges, and the unit tangents there, complex."""
        direction = self.direction[edge]
        point = self.start[edge] + way * direction
        tangent = direction
        arc = np.flatnonzero(self.is_arc[edge])
        radius = self.radius[edge[arc]]
        turn = np.exp(1j * (way[arc] / radius))
        point[arc] = self.start[edge[arc]] + 1j * direction[arc] * radius * (1 - turn)
        tangent[arc] = direction[arc] * turn
        return point, tangent


@dataclass(frozen=True)
class _Steps:
    """The steps along all edges, (S,) each; the fields end, before and after are changed as joins and tips need it."""

    owner: np.ndarray
    start: np.ndarray
    end: np.ndarray
    before: np.ndarray
    after: np.ndarray
    edge_first: np.ndarray  # (E,) index of each edge's first step
    edge_last: np.ndarray
    first: np.ndarray  # (N,) index of each primitive's first step
    last: np.ndarray


def trace(drawing: Drawing, rngs: Sequence[Generator] | None = None) -> tuple[Segments, Tips]:
    """Traces the strokes of a drawing; one with pencil takes its random steps from `rngs`, one generator a scene."""
    shorten = shortening(drawing.tip, drawing.line_width, drawing.tip_scale)
    # As in PGF a decorated path is decorated in full, and then its last point alone moves back from the tip.
    edges = _edges(drawing, np.zeros_like(shorten) if drawing.pencil else shorten)
    steps = _steps(drawing, edges, rngs)
    line = drawing.kind == LINE
    steps.before[steps.first[line]] = 0
    steps.after[steps.last[line]] = 0
    _mitre_corners(drawing, edges, steps)

    arrow = np.flatnonzero(drawing.tip != NO_TIP)
    last = steps.last[arrow]
    if drawing.pencil:
        direction, path_end = unit(steps.end[last] - steps.start[last]), steps.end[last]
        steps.end[last] -= shorten[arrow] * direction
        spikes = _turn_back(drawing, arrow[last > steps.first[arrow]], steps)
    else:
        points = drawing.geometry[arrow].view(np.complex128)
        direction, path_end = unit(points[:, 1] - points[:, 0]), points[:, 1]
        spikes = _turn_back(drawing, arrow[:0], steps)

    barbed = drawing.tip[arrow] == TO
    wings = _wings(drawing, arrow[barbed], path_end[barbed], direction[barbed])
    rows = arrow[~barbed]
    shape = filled_tips(drawing.tip[rows], drawing.line_width[rows], drawing.tip_scale[rows])
    tips = Tips(drawing.scene[rows], np.full(len(rows), TIPS), path_end[~barbed], direction[~barbed], shape)
    return _concatenate([*_shafts(drawing, steps), wings]), _concatenate([tips, spikes])


def _edges(drawing: Drawing, shorten: np.ndarray) -> _Edges:
    """The edges of each primitive; a line ends `shorten` before its second point."""
    counts = np.where(drawing.kind == LINE, 1, 4)
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    x1, y1, x2, y2 = drawing.geometry[owner].T
    kind = drawing.kind[owner]
    is_arc, is_line = kind == CIRCLE, kind == LINE
    quarter = np.array([1, 1j, -1, -1j])[number]
    radius = np.where(is_arc, x2, 1.0)
    # Rectangles from the lower left corner clockwise, as PGF does; circles from the right counterclockwise.
    corner = np.where(number >= 2, x2, x1) + 1j * np.where((number == 1) | (number == 2), y2, y1)
    start = np.where(is_arc, x1 + 1j * y1 + radius * quarter, corner)
    way = np.where(is_line, (x2 - x1) + 1j * (y2 - y1), np.where(number % 2, x2 - x1, 1j * (y2 - y1)))
    way = np.where(number >= 2, -way, way)
    way -= shorten[owner] * unit(way)
    direction = np.where(is_arc, 1j * quarter, unit(way))
    length = np.where(is_arc, radius * (np.pi / 2), np.abs(way))
    return _Edges(owner, is_arc, start, direction, length, radius)


def _steps(drawing: Drawing, edges: _Edges, rngs: Sequence[Generator] | None) -> _Steps:
    num_random = np.maximum(np.ceil((edges.length - 1.5 * STEP) / STEP), 0).astype(np.intp)
    edge = np.repeat(np.arange(len(num_random)), num_random + 1)
    edge_last = np.cumsum(num_random + 1) - 1
    edge_first = edge_last - num_random
    number = np.arange(len(edge)) - edge_first[edge]
    way = number * STEP
    stride = np.full(len(edge), STEP)
    stride[edge_last] = edges.length - way[edge_last]
    owner = edges.owner[edge]
    if drawing.pencil:
        point, tangent = edges.frame(edge, way)
        per_scene = np.bincount(drawing.scene[edges.owner], num_random, minlength=drawing.num_scenes).astype(np.intp)
        draws = [rng.random(2 * n) for rng, n in zip(rngs, per_scene, strict=True)]
        aside = np.concatenate([*draws, np.empty(0)]).view(np.complex128)
        aside = AMPLITUDE * (2 * aside - (1 + 1j))
        offset = stride.astype(np.complex128)
        offset[number < num_random[edge]] += aside
        end = point + offset * tangent
    else:
        end, _ = edges.frame(edge, way + stride)
    counts = np.bincount(owner, minlength=len(drawing.kind))
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    begin = edges.start[edge[first]]
    if drawing.waves is not None:
        begin, end = drawing.waves.displace(owner[first], begin), drawing.waves.displace(owner, end)
    start = np.empty_like(end)
    start[1:] = end[:-1]
    start[first] = begin
    before, after = np.full(len(owner), np.inf), np.full(len(owner), np.inf)
    return _Steps(owner, start, end, before, after, edge_first, edge_last, first, last)


def _mitre_corners(drawing: Drawing, edges: _Edges, steps: _Steps) -> None:
    """Joins the sides of rectangles with a mitre: both strokes go on, flat, to where their outer sides meet."""
    sides = drawing.kind[edges.owner] == RECTANGLE
    into = steps.edge_last[sides]
    out = np.roll(steps.edge_first[sides].reshape(-1, 4), -1, axis=1).reshape(-1)
    cosine = (unit(steps.end[into] - steps.start[into]) * unit(steps.end[out] - steps.start[out]).conj()).real
    mitred = cosine > _SHARPEST_CORNER
    into, out, cosine = into[mitred], out[mitred], cosine[mitred]
    reach = 0.5 * drawing.line_width[steps.owner[into]] * np.sqrt((1 - cosine).clip(0) / (1 + cosine))
    steps.after[into] = reach
    steps.before[out] = reach


def _turn_back(drawing: Drawing, rows: np.ndarray, steps: _Steps) -> Tips:
    """Joins the last step of arrows' strokes where it turns back under the tip: with a mitre, often a long spike, or,
    beyond the mitre limit, with none."""
    last = steps.last[rows]
    into, out = unit(steps.end[last - 1] - steps.start[last - 1]), unit(steps.end[last] - steps.start[last])
    back = (into * out.conj()).real < 0
    rows, last, into, out = rows[back], last[back], into[back], out[back]
    steps.after[last - 1] = 0
    steps.before[last] = 0
    bisector = unit(into - out)
    # Of half the angle between the two steps.
    cosine = (into * bisector.conj()).real
    sine = np.sqrt(np.maximum(1 - cosine**2, 1e-12))
    spiked = (sine >= 1 / _MITER_LIMIT) & _is_inked(drawing, rows, steps)
    rows, last, bisector, sine, cosine = (part[spiked] for part in (rows, last, bisector, sine, cosine))
    half_width = 0.5 * drawing.line_width[rows]
    length, zero = half_width / sine, np.zeros_like(sine)
    front = np.repeat(np.stack([sine, cosine, zero], -1)[:, None], NUM_FRONT_LINES, axis=1)
    shape = FilledTips(front, np.stack([zero - 1, zero, length], -1), length, half_width / cosine)
    apex = steps.start[last] + length * bisector
    return Tips(drawing.scene[rows], np.full(len(rows), SHAFTS), apex, bisector, shape)


def _is_inked(drawing: Drawing, rows: np.ndarray, steps: _Steps) -> np.ndarray:
    """Whether the stroke is inked, not between two dashes, where its last step starts, (N,)."""
    length = np.concatenate([[0], np.cumsum(np.abs(steps.end - steps.start))])
    on, off = drawing.dash[rows].T * POINT
    period = np.where(on > 0, on + off, np.inf)
    return (on == 0) | ((length[steps.last[rows]] - length[steps.first[rows]]) % period < on)


def _shafts(drawing: Drawing, steps: _Steps) -> list[Segments]:
    """The strokes themselves, dashed where they are, in short segments."""
    owner = steps.owner
    layer = np.choose(drawing.kind, (CIRCLES, RECTANGLES, SHAFTS))
    steps = Segments(
        drawing.scene[owner],
        layer[owner],
        steps.start,
        steps.end,
        drawing.line_width[owner],
        steps.before,
        steps.after,
    )
    is_long = np.abs(steps.end - steps.start) > _LONGEST_SEGMENT
    is_dashed = drawing.dash[owner, 0] > 0
    pieces = [steps.take(np.flatnonzero(~(is_long | is_dashed))), _split(steps.take(is_long & ~is_dashed))]
    for row in np.flatnonzero(drawing.dash[:, 0]):
        run = steps.take(slice(*np.searchsorted(owner, [row, row + 1])))
        pieces.append(_dash(run, *(drawing.dash[row] * POINT)))
    return pieces


def _dash(run: Segments, on: float, off: float) -> Segments:
    """Cuts one stroke into dashes that run along its bends; neighbouring dashes are painted on different layers."""
    lengths = np.abs(run.end - run.start)
    joints = np.concatenate([[0], np.cumsum(lengths)])
    dash_start = np.arange(0, joints[-1], on + off)
    dash_end = np.minimum(dash_start + on, joints[-1])
    cuts = np.unique(np.concatenate([joints, dash_start, dash_end]))
    middle = 0.5 * (cuts[1:] + cuts[:-1])
    dash = np.searchsorted(dash_start, middle, side="right") - 1
    inked = np.flatnonzero(middle < dash_end[dash])
    dash, cut_start, cut_end = dash[inked], cuts[inked], cuts[inked + 1]
    bend = np.clip(np.searchsorted(joints, middle[inked], side="right") - 1, 0, len(lengths) - 1)
    direction = unit(run.end - run.start)[bend]
    before, after = cut_start - dash_start[dash], dash_end[dash] - cut_end
    near = 0.6 * run.width[0]
    return Segments(
        scene=np.repeat(run.scene[:1], len(dash)),
        layer=np.where(dash % 2, TIPS, SHAFTS),
        start=run.start[bend] + (cut_start - joints[bend]) * direction,
        end=run.start[bend] + (cut_end - joints[bend]) * direction,
        width=np.repeat(run.width[:1], len(dash)),
        before=np.where(before < near, before, np.inf),
        after=np.where(after < near, after, np.inf),
    )


def _wings(drawing: Drawing, rows: np.ndarray, path_end: np.ndarray, direction: np.ndarray) -> Segments:
    """The two wings of each tip `>`."""
    wing = to_tip_wing(drawing.line_width[rows], drawing.tip_scale[rows])
    points = path_end[:, None, None] + direction[:, None, None] * np.stack([wing, wing.conj()], axis=1)
    pieces = 2 * (wing.shape[1] - 1)
    infinite = np.full(len(rows) * pieces, np.inf)
    return Segments(
        scene=np.repeat(drawing.scene[rows], pieces),
        layer=np.full(len(rows) * pieces, TIPS),
        start=points[:, :, :-1].reshape(-1),
        end=points[:, :, 1:].reshape(-1),
        width=np.repeat(drawing.line_width[rows], pieces),
        before=infinite,
        after=infinite,
    )


def _split(segments: Segments) -> Segments:
    """Cuts long segments into pieces, so that all are small."""
    way = segments.end - segments.start
    pieces = np.ceil(np.abs(way) / _LONGEST_SEGMENT).astype(np.intp)
    index = np.repeat(np.arange(len(pieces)), pieces)
    split, last = segments.take(index), pieces[index] - 1
    number = np.arange(len(index)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = way[index] / pieces[index]
    start = split.start + number * step
    return replace(
        split,
        start=start,
        end=start + step,
        before=np.where(number == 0, split.before, np.inf),
        after=np.where(number == last, split.after, np.inf),
    )


def _concatenate(pieces: list) -> Segments | Tips:
    """Joins dataclasses or tuples of arrays, field by field."""
    first = pieces[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(pieces)
    if isinstance(first, tuple):
        return type(first)(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))
    return type(first)(*(_concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(first)))


def unit(vector: np.ndarray) -> np.ndarray:
    """Complex numbers of length 1, and 1 for 0."""
    length = np.abs(vector)
    return np.where(length > 0, vector / np.where(length > 0, length, 1), 1)
