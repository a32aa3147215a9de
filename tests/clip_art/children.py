"""The boy and the girl: seven poses of each (reach, cheer, kick, run, sit, lean, wave) with five faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import atan2, cos, sin

from PIL import Image

from .canvas import Canvas
from .faces import draw_face
from .geometry import Outline, Point, arc, curve, ellipse, hull


@dataclass(frozen=True)
class Pose:
    """Where the joints are, in pixels from the hips: arms as elbow and hand, legs as knee, ankle and toes."""

    neck: Point
    arms: tuple[Outline, Outline]
    legs: tuple[Outline, Outline]


_STANDING = ([(-9, 34), (-11, 66), (-19, 70)], [(9, 34), (11, 66), (20, 70)])
POSES = (
    Pose((0, -54), ([(12, -26), (42, -24)], [(33, -40), (56, -44)]), _STANDING),
    Pose((0, -54), ([(-34, -62), (-44, -98)], [(34, -62), (44, -98)]), _STANDING),
    Pose(
        (-7, -54),
        ([(-32, -34), (-50, -46)], [(20, -30), (38, -14)]),
        ([(-5, 34), (-12, 66), (-4, 70)], [(30, 2), (60, -6), (60, -16)]),
    ),
    Pose(
        (8, -53),
        ([(-20, -30), (-16, -4)], [(26, -26), (46, -42)]),
        ([(-10, 32), (-44, 40), (-49, 48)], [(28, 20), (25, 54), (34, 57)]),
    ),
    Pose(
        (0, -54),
        ([(-32, -30), (-56, -18)], [(32, -30), (56, -36)]),
        ([(-37, 2), (0, 16), (9, 18)], [(37, 2), (-2, 16), (-12, 18)]),
    ),
    Pose(
        (-15, -52),
        ([(-38, -24), (-46, 8)], [(14, -26), (36, -36)]),
        ([(36, 4), (70, 8), (74, -2)], [(33, -20), (55, 6), (64, 8)]),
    ),
    Pose((0, -54), ([(-32, -28), (-14, -8)], [(34, -44), (50, -74)]), _STANDING),
)
FACES = 5
_NECK_TO_HEAD = 34
_HEAD = (31, 29)
_SHEET, _HIPS = (210, 224), (90, 138)


@dataclass(frozen=True)
class Look:
    """The colours of a child."""

    skin: str
    blush: str
    hair: str
    top: str
    trim: str
    legs: str
    shoes: str


BOY = Look("#f6c9a0", "#f2a58c", "#c8562a", "#3fa66b", "#f4f1e4", "#3b4f86", "#d8433b")
GIRL = Look("#a86f4b", "#a65a45", "#3a2a2c", "#f2b632", "#f7e7b0", "#8d6bc1", "#c2407f")


@cache
def head_offset(look: Look, number: int) -> Point:
    """From the centre of the picture of a child, BOY or GIRL, to the middle of the head, in pixels."""
    pose = POSES[number // FACES]
    left, top, right, bottom = _body(look, pose).bounds
    x, y = _head(pose)
    return _HIPS[0] + x - (left + right) / 2, _HIPS[1] + y - (top + bottom) / 2


def boy(number: int) -> Image.Image:
    """The boy in pose number // 5 with face number % 5."""
    return _child(BOY, number)


def girl(number: int) -> Image.Image:
    """The girl in pose number // 5 with face number % 5."""
    return _child(GIRL, number)


def _child(look: Look, number: int) -> Image.Image:
    pose, face = divmod(number, FACES)
    canvas = _body(look, POSES[pose])
    draw_face(canvas, _head(POSES[pose]), face, look.blush)
    return canvas.picture()


def _head(pose: Pose) -> Point:
    return pose.neck[0] * 1.3, pose.neck[1] - _NECK_TO_HEAD


def _body(look: Look, pose: Pose) -> Canvas:
    c = Canvas(*_SHEET, _HIPS)
    lean = atan2(pose.neck[0], -pose.neck[1])
    left, right = (
        (pose.neck[0] + side * 13 * cos(lean), pose.neck[1] + 8 + side * 13 * sin(lean)) for side in (-1, 1)
    )
    if look is GIRL:
        _puffs(c, look, _head(pose))
    _arm(c, look, left, pose.arms[0])
    for hip, leg in zip((-7, 7), pose.legs, strict=True):
        _leg(c, look, (hip, 2), leg)
    c.stroke([pose.neck, _head(pose)], 11, look.skin)
    (_dress if look is GIRL else _shirt)(c, look, pose, left, right)
    _arm(c, look, right, pose.arms[1])
    _skull(c, look, _head(pose))
    return c


def _arm(c: Canvas, look: Look, shoulder: Point, arm: Outline) -> None:
    bent = curve([shoulder, *arm])
    c.union([ellipse(*arm[-1], 6.5)], look.skin)
    c.stroke(bent, 9, look.skin)
    c.shape(ellipse(*arm[-1], 6.5), look.skin, 0)
    c.stroke(bent[: 6 if look is GIRL else 8], 12, look.top)


def _leg(c: Canvas, look: Look, hip: Point, leg: Outline) -> None:
    knee, ankle, toes = leg
    bent = curve([hip, knee, ankle])
    c.stroke(bent, 10, look.legs if look is GIRL else look.skin)
    if look is BOY:
        c.stroke(bent[:10], 15, look.legs)
    c.shape(hull((*ankle, 6), (*toes, 6.5)), look.shoes)


def _shirt(c: Canvas, look: Look, pose: Pose, left: Point, right: Point) -> None:
    c.shape(hull((-7, 1, 9), (7, 1, 9)), look.legs)
    shirt = hull((*left, 6), (*right, 6), (-9, -4, 7), (9, -4, 7))
    c.shape(shirt, look.top)
    with c.inside(shirt):
        for share in (0.25, 0.55, 0.85):
            x, y = pose.neck[0] * (1 - share), pose.neck[1] * (1 - share) + 4
            slope = pose.neck[0] / pose.neck[1] * -40
            c.stroke([(x - 40, y - slope), (x + 40, y + slope)], 6, look.trim, 0)


def _dress(c: Canvas, look: Look, pose: Pose, left: Point, right: Point) -> None:
    hems = [
        (hip + 0.62 * (leg[0][0] - hip), 2 + 0.62 * (leg[0][1] - 2))
        for hip, leg in zip((-7, 7), pose.legs, strict=True)
    ]
    skirt = hull((-4, -16, 9), (4, -16, 9), *((x * 1.6, y, 10) for x, y in hems))
    bodice = hull((*left, 5), (*right, 5), (-5, -12, 9), (5, -12, 9))
    c.union([skirt, bodice], look.top)
    waist, tilt = pose.neck[0] * 0.3, -30 * pose.neck[0] / pose.neck[1]
    with c.inside(skirt, bodice):
        c.stroke([(waist - 30, -17 - tilt), (waist + 30, -17 + tilt)], 5, look.shoes, 0)
        for x, y in hems:
            c.shape(ellipse(x * 1.5, y + 1, 3), look.trim, 0)
        c.shape(ellipse(*pose.neck, 12, 9), look.trim, 0)


def _puffs(c: Canvas, look: Look, head: Point) -> None:
    x, y = head
    for side in (-1, 1):
        c.lit([ellipse(x + side * 29, y - 19, 15)], look.hair, "#4b393a")
        c.stroke([(x + side * 20, y - 12), (x + side * 23, y - 21)], 6, look.shoes)


def _skull(c: Canvas, look: Look, head: Point) -> None:
    x, y = head
    for side in (-1, 1):
        c.shape(ellipse(x + side * 30, y + 4, 5.5, 7), look.skin)
    c.shape(ellipse(x, y, *_HEAD), look.skin)
    c.shape([(x + px, y + py) for px, py in (_fringe() if look is GIRL else _mop())], look.hair)


def _mop() -> Outline:
    tufts = [(20, -33), (24, -41), (10, -37), (8, -45), (-4, -36), (-14, -40), (-16, -31)]
    fringe = [(-25, -8), (-19, -18), (-11, -11), (-3, -20), (7, -12), (14, -20), (23, -12), (27, -16)]
    return [*arc(0, 0, 33, 32, -160, -120)[:-1], *tufts[::-1], *arc(0, 0, 33, 32, -55, -10), *fringe[::-1]]


def _fringe() -> Outline:
    return [
        *arc(0, 0, 33, 32, -178, -2),
        *curve([(30, 4), (25, -9), (8, -21), (3, -22), (-12, -17), (-25, -8), (-30, 4)]),
    ]
