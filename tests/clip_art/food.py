"""Food and drink (type e)."""

from __future__ import annotations

from .canvas import Canvas, picture
from .geometry import arc, box, curve, ellipse, hull


@picture(74, 50)
def pie(c: Canvas) -> None:
    c.shape([(10, 26), (64, 26), (56, 44), (18, 44)], "#9fb4c7")
    c.lit([[*arc(37, 26, 32, 20, 180, 360), *arc(37, 26, 32, 5, 0, 180)]], "#c98a3b", "#eab564", (-1, -5))
    for x in (24, 37, 50):
        c.stroke([(x, 12 + abs(x - 37) * 0.2), (x, 20)], 3, "#a32a4c", 0)


@picture(96, 44)
def pizza(c: Canvas) -> None:
    c.shape(ellipse(48, 22, 44, 18), "#d9974a")
    c.shape(ellipse(48, 20, 38, 13.5), "#ffd866", 0)
    for x, y in ((26, 20), (40, 12), (46, 25), (62, 14), (70, 23)):
        c.shape(ellipse(x, y, 6, 3.2), "#d8433b", 0)
    for x, y in ((34, 27), (54, 19), (32, 14), (60, 28), (74, 16)):
        c.shape(ellipse(x, y, 3, 1.6), "#4f8f3a", 0)


@picture(76, 42)
def hot_dog(c: Canvas) -> None:
    c.shape(hull((16, 20, 10), (60, 20, 10)), "#d9974a")
    c.shape(hull((10, 18, 7), (66, 18, 7)), "#c4492e")
    c.shape(hull((17, 28, 9), (59, 28, 9)), "#eab564")
    c.stroke(curve([(12, 18), (20, 13), (28, 19), (36, 13), (44, 19), (52, 13), (62, 18)]), 3, "#ffd93b", 0)


def _bottle(c: Canvas, colour: str, light: str, label: str) -> None:
    c.shape([(13, 12), (15, 3), (17, 3), (19, 12)], light)
    c.lit([box(6, 18, 26, 58, 5), box(10, 12, 22, 24, 3)], colour, light, (-4, 0))
    c.shape(ellipse(16, 38, 7), label, 0)


@picture(32, 64)
def ketchup(c: Canvas) -> None:
    _bottle(c, "#c22f2a", "#e4483f", "#ffffff")
    c.shape(ellipse(16, 39, 4), "#e4483f", 0)
    c.stroke([(16, 35), (18, 32)], 2, "#4f8f3a", 0)


@picture(32, 64)
def mustard(c: Canvas) -> None:
    _bottle(c, "#e0ac1b", "#ffd23f", "#8a5a14")
    c.stroke(curve([(12, 40), (14, 36), (18, 40), (20, 36)]), 2, "#ffd23f", 0)


@picture(60, 50)
def burger(c: Canvas) -> None:
    c.shape(box(8, 36, 52, 46, 5), "#dd9a4c")
    c.shape(hull((10, 32, 4), (50, 32, 4)), "#7a4427")
    c.shape([(8, 28), (52, 28), (42, 31), (36, 36), (30, 31)], "#ffcf3f", 1)
    c.stroke(curve([(7, 27), (14, 29), (22, 26), (30, 29), (38, 26), (46, 29), (53, 27)]), 5, "#7cc04f", 1.2)
    c.lit([arc(30, 23, 24, 18, 180, 360)], "#dd9a4c", "#f0b769", (-1, -3))
    for x, y in ((20, 14), (29, 9), (38, 13), (29, 17), (45, 18)):
        c.shape(ellipse(x, y, 2, 1.3), "#fff3d0", 0)


@picture(44, 70)
def drink(c: Canvas) -> None:
    c.stroke([(24, 20), (29, 4), (38, 4)], 3.5, "#ff8fa8")
    c.shape([(7, 20), (37, 20), (32, 64), (12, 64)], "#ffffff")
    with c.inside([(7, 20), (37, 20), (32, 64), (12, 64)]):
        c.shape(box(0, 32, 44, 54), "#2fb3a5", 0)
        c.stroke(curve([(2, 46), (12, 40), (22, 46), (32, 40), (42, 46)]), 4, "#ffffff", 0)
    c.shape(hull((8, 18, 3), (36, 18, 3)), "#d7eef8")


FOOD = (pie, pizza, hot_dog, ketchup, mustard, burger, drink)
