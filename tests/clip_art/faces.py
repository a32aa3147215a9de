"""The five faces of a child, by number: angry, laughing, smiling, sad, surprised."""

from __future__ import annotations

from collections.abc import Callable

from .canvas import Canvas, darker
from .geometry import Outline, Point, arc, box, curve, ellipse


Placed = Callable[[Outline], Outline]  # moves points from the head's middle to where the head is

_INK, _WHITE, _MOUTH, _TONGUE = "#33262b", "#ffffff", "#7c2434", "#ef7f86"
_EYES = ((-9, 3), (14, 3))
# For each face the inner and outer end of a brow, as x outwards from the eye and y.
_BROWS = (
    ((-6, -7), (7, -13)),
    ((-6, -14), (6, -13)),
    ((-6, -13), (6, -12)),
    ((-5, -15), (7, -9)),
    ((-6, -18), (6, -17)),
)


def draw_face(c: Canvas, head: Point, face: int, blush: str) -> None:
    """Draws face 0 to 4 on a head, turned a little to the right."""

    def at(points: Outline) -> Outline:
        return [(x + head[0], y + head[1]) for x, y in points]

    for x in (-18, 23):
        c.shape(at(ellipse(x, 11, 5, 4)), blush, 0)
    for x, y in _EYES:
        _draw_eye(c, at, x, y, face)
    for (x, y), side in zip(_EYES, (-1, 1), strict=True):
        c.stroke(at([(x + side * px, y + py) for px, py in _BROWS[face]]), 2.5, _INK, 0)
    c.stroke(at(curve([(4, 4), (7, 8), (3, 9)])), 1.8, darker(blush), 0)
    (_clench, _laugh, _smile, _frown, _gasp)[face](c, at)


def _draw_eye(c: Canvas, at: Placed, x: float, y: float, face: int) -> None:
    if face == 1:
        c.stroke(at(arc(x, y + 2, 6, 7, -160, -20)), 2.6, _INK, 0)
        return
    wide = face == 4
    c.shape(at(ellipse(x, y, 7 + wide, 8 + 1.5 * wide)), _WHITE, 1)
    c.shape(at(ellipse(x + 2, y + (2 if face == 3 else 0), 3 if wide else 4)), _INK, 0)
    c.shape(at(ellipse(x + 3.2, y - 1.5, 1.3)), _WHITE, 0)


def _clench(c: Canvas, at: Placed) -> None:
    c.shape(at(box(-5, 14, 13, 21, 3)), _WHITE, 1.6)
    for x in (-0.5, 4, 8.5):
        c.stroke(at([(x, 15), (x, 20)]), 1, _INK, 0)


def _laugh(c: Canvas, at: Placed) -> None:
    mouth = at(arc(4, 11, 13, 14, 0, 180))
    c.shape(mouth, _MOUTH, 1.4)
    with c.inside(mouth):
        c.shape(at(ellipse(4, 25, 8, 6)), _TONGUE, 0)
        c.shape(at(box(-12, 9, 20, 14)), _WHITE, 0)


def _smile(c: Canvas, at: Placed) -> None:
    c.stroke(at(arc(4, 11, 11, 9, 15, 165)), 2.4, _MOUTH, 0)


def _frown(c: Canvas, at: Placed) -> None:
    c.stroke(at(arc(4, 22, 9, 7, -160, -20)), 2.4, _MOUTH, 0)
    c.shape(at([(-15, 7), *arc(-15, 13, 3, 3.5, -20, 200)]), "#7cc8f2", 1)


def _gasp(c: Canvas, at: Placed) -> None:
    c.shape(at(ellipse(5, 18, 6, 7)), _MOUTH, 1.4)
    with c.inside(at(ellipse(5, 18, 6, 7))):
        c.shape(at(ellipse(5, 24, 5, 4)), _TONGUE, 0)
