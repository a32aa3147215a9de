"""Shapes of TikZ's arrow tips `>`, Stealth and Latex, which grow with the line width (the PGF manual, arrows.meta).

Each shape stands in the tip's own frame, in canvas units: the path would end at the origin, and the tip points along
+x and is symmetric about the x axis.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .drawing import LATEX, POINT, STEALTH, TO


NUM_FRONT_LINES = 4
_INSET = 0.675  # of a Stealth tip's length: where its back is hollowed out to
_CURVE_TIMES = np.linspace(0, 1, NUM_FRONT_LINES + 1)


class FilledTips(NamedTuple):
    """Filled tips as half-planes: a point (x, |y|) is inside where its least `front` value and its `back` are <= 0.

    Attributes:
        front: (N, NUM_FRONT_LINES, 3) lines (a, b, c), whose value a x + b |y| - c is a point's signed distance.
        back: (N, 3) the same for the one line that closes the tip at its back.
        length, half_width: (N,) the box that holds the tip.
    """

    front: np.ndarray
    back: np.ndarray
    length: np.ndarray
    half_width: np.ndarray


def shortening(tip: np.ndarray, width: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """How far the stroke of width `width` ends before the path's end under each tip, (N,)."""
    length = _filled_length(width, scale)
    return np.select(
        [tip == TO, tip == STEALTH, tip == LATEX],
        [width, _INSET * length - _inset_miter(width) + 0.25 * width, length - 0.5 * width],
        0.0,
    )


def to_tip_wing(width: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Points x + iy along the upper wing of `>` from its front, (N, 5): a stroke of the line's width, round ends."""
    length = (1.6 * POINT + 2.2 * width) * scale
    inner_length, inner_width = length - width, 2.096774 * length - width
    controls = np.array([(0, 0), (-0.41019, 0.05833333), (-0.81731, 0.2), (-1, 0.5)])
    x, y = _bezier(controls, _CURVE_TIMES).T
    return inner_length[:, None] * x - 0.5 * width[:, None] + 1j * inner_width[:, None] * y


def filled_tips(tip: np.ndarray, width: np.ndarray, scale: np.ndarray) -> FilledTips:
    """Outlines of Stealth and Latex tips (stroke included), `tip`, `width` and `scale` (N,)."""
    length = _filled_length(width, scale)
    half_width = 0.375 * length
    stealth = (tip == STEALTH)[:, None]
    front = np.where(stealth[:, None], _stealth_front(length), _latex_front(length, width))
    back = np.where(stealth, _stealth_back(length), _latex_back(length))
    return FilledTips(front, back, length, half_width)


def stealth_outline(width: float, scale: float) -> np.ndarray:
    """The corners of a Stealth tip (stroke included), (4, 2): its point, a wing, the inset at its back, a wing."""
    length = _filled_length(width, scale)
    wing = 0.375 * length
    return np.array([(0, 0), (-length, wing), (-_INSET * length, 0), (-length, -wing)])


def _filled_length(width: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return (3 * POINT + 4.5 * width) * scale


def _inset_miter(width: np.ndarray) -> np.ndarray:
    return 0.5 * width * np.sqrt(4 * (0.325 / 0.75) ** 2 + 1)


def _stealth_front(length: np.ndarray) -> np.ndarray:
    zero = np.zeros_like(length)
    line = _line_through(np.stack([zero, zero], -1), np.stack([-length, 0.375 * length], -1))
    return np.repeat(line[:, None], NUM_FRONT_LINES, axis=1)


def _stealth_back(length: np.ndarray) -> np.ndarray:
    wing = np.stack([-length, 0.375 * length], -1)
    inset = np.stack([-_INSET * length, np.zeros_like(length)], -1)
    return _line_through(wing, inset)


def _latex_front(length: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Chords of the outer edge of the stroke round the curve; as the flank is hollow, the tip is below any of them."""
    inner_length = length - 0.5 * (np.sqrt(17) + 1) * width
    normal = np.array([0.3, 0.75 * 0.7 / 3]) / np.hypot(0.3, 0.75 * 0.7 / 3)
    inner_half_width = 0.375 * length - 0.5 * width * (normal[1] + 1) / normal[0]
    controls = np.array([(1, 0), (0.877192, 0.077922), (0.337381, 0.519480), (0, 1)])
    size = np.stack([inner_length, inner_half_width], -1)[:, None]
    points = _bezier(controls, _CURVE_TIMES)[None] * size
    tangent = _bezier(np.diff(controls, axis=0), _CURVE_TIMES)[None] * size
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
    outer = points + 0.5 * width[:, None, None] * np.stack([tangent[..., 1], -tangent[..., 0]], -1)
    outer[..., 0] -= (length - 0.5 * width)[:, None]
    return _line_through(outer[:, :-1], outer[:, 1:])


def _latex_back(length: np.ndarray) -> np.ndarray:
    return np.stack([-np.ones_like(length), np.zeros_like(length), length], -1)


def _line_through(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Lines (a, b, c) through two points, positive on the right of the way from the first to the second, (..., 3)."""
    way = second - first
    normal = np.stack([way[..., 1], -way[..., 0]], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.concatenate([normal, (normal * first).sum(-1, keepdims=True)], -1)


def _bezier(controls: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Points of a Bézier curve, (T, 2), by de Casteljau's construction."""
    points = np.broadcast_to(controls, (len(times), *controls.shape))
    while points.shape[1] > 1:
        points = points[:, :-1] + times[:, None, None] * np.diff(points, axis=1)
    return points[:, 0]
