"""Hats and glasses (type c)."""

from __future__ import annotations

from .canvas import Canvas, picture
from .geometry import arc, box, curve, ellipse, hull, star


@picture(90, 56)
def cap(c: Canvas) -> None:
    c.shape(curve([(48, 40), (78, 38), (86, 46), (50, 48)], closed=True), "#b83227")
    dome = [*arc(38, 44, 32, 36, 180, 360), (8, 46)]
    c.lit([dome], "#d8433b", "#ee625a", (-3, -5))
    c.shape(ellipse(38, 8, 4, 3), "#b83227")
    c.shape(ellipse(46, 28, 10), "#ffffff", 0)
    c.shape(ellipse(46, 28, 5), "#3f7fbf", 0)


@picture(80, 60)
def crown(c: Canvas) -> None:
    c.lit([[(8, 52), (6, 16), (22, 32), (39, 8), (56, 32), (72, 16), (70, 52)]], "#e3a51c", "#ffcf3f", (-2, -5))
    for x, y in ((6, 14), (39, 7), (72, 14)):
        c.shape(ellipse(x, y, 4), "#ffcf3f")
    for x, colour in ((20, "#3fa66b"), (39, "#d8433b"), (58, "#3f7fbf")):
        c.shape(ellipse(x, 44, 4.5), colour, 1)


@picture(96, 84)
def chef_hat(c: Canvas) -> None:
    top = [ellipse(24, 32, 19), ellipse(48, 24, 21), ellipse(72, 32, 19), box(24, 34, 72, 60)]
    c.lit(top, "#d5dae4", "#ffffff", (-2, -5))
    for x in (36, 48, 60):
        c.stroke([(x, 40), (x, 54)], 2, "#c3cad6", 0)
    c.shape(box(22, 58, 74, 78, 3), "#eef1f6")


@picture(100, 60)
def pirate_hat(c: Canvas) -> None:
    hat = curve([(6, 44), (18, 24), (50, 6), (82, 24), (94, 44), (72, 50), (50, 46), (28, 50)], closed=True)
    c.lit([hat], "#3a2f4f", "#52446d", (0, -6))
    c.stroke(curve([(8, 42), (28, 46), (50, 42), (72, 46), (92, 42)]), 3.5, "#ffd166", 0)
    for ends in ([(38, 34), (62, 22)], [(38, 22), (62, 34)]):
        c.stroke(ends, 4, "#f4f1e4", 0)
    c.shape(ellipse(50, 24, 9, 8), "#f4f1e4", 0)
    for x in (47, 53):
        c.shape(ellipse(x, 24, 2), "#3a2f4f", 0)


@picture(80, 70)
def bobble_hat(c: Canvas) -> None:
    dome = [*arc(40, 50, 30, 34, 180, 360)]
    c.shape(dome, "#3f7fbf")
    with c.inside(dome):
        zigzag = [(x, 40 if step % 2 else 28) for step, x in enumerate(range(4, 80, 8))]
        c.stroke(zigzag, 4, "#ffffff", 0)
    c.shape(star(40, 13, 12, 9, 12), "#ffd166")
    c.shape(hull((12, 54, 8), (68, 54, 8)), "#ffd166")
    for x in range(14, 70, 8):
        c.stroke([(x, 50), (x, 58)], 1.6, "#d9a93a", 0)


@picture(84, 60)
def propeller_cap(c: Canvas) -> None:
    c.stroke([(42, 22), (42, 10)], 3, "#6b7480")
    for x, colour in ((24, "#ff6f91"), (60, "#4dc3ff")):
        c.shape(ellipse(x, 9, 18, 5), colour)
    c.shape(ellipse(42, 9, 4), "#ffd166")
    dome = arc(42, 52, 32, 34, 180, 360)
    c.shape(dome, "#ffd166")
    with c.inside(dome):
        for left, colour in ((0, "#3fa66b"), (54, "#ff8f3f")):
            c.shape(box(left, 0, left + 30, 60), colour, 0)
        c.shape(ellipse(42, 52, 12, 36), "#4dc3ff", 0)
    c.stroke([(10, 53), (74, 53)], 4, "#6a5acd")


@picture(100, 100)
def wizard_hat(c: Canvas) -> None:
    c.shape(ellipse(50, 82, 46, 11), "#44318d")
    cone = [*curve([(20, 80), (36, 46), (44, 20), (66, 6)]), *curve([(66, 6), (62, 22), (70, 46), (80, 80)]), (50, 88)]
    c.lit([cone], "#5b45ad", "#7a62d0", (-6, -2))
    with c.inside(cone):
        c.stroke(arc(50, 66, 40, 16, 20, 160), 8, "#ffd166", 0)
    for x, y, r in ((52, 34, 8), (40, 60, 6), (64, 58, 7)):
        c.shape(star(x, y, r, r * 0.45, 5), "#ffe680", 0)


@picture(100, 64)
def viking_helmet(c: Canvas) -> None:
    for side in (-1, 1):
        horn = [(28, 40), (42, 30), (44, 8), (36, 20), (24, 26)]
        c.shape(curve([(50 + side * x, y) for x, y in horn], closed=True), "#f6ecd2")
    c.lit([arc(50, 50, 32, 36, 180, 360)], "#8c99a8", "#b4c0cd", (-3, -5))
    c.stroke([(50, 16), (50, 48)], 5, "#c98a3b")
    c.shape(hull((18, 52, 6), (82, 52, 6)), "#c98a3b")
    for x in range(22, 84, 14):
        c.shape(ellipse(x, 52, 2.5), "#ffe0a3", 0)


@picture(70, 34)
def round_glasses(c: Canvas) -> None:
    c.stroke(arc(35, 18, 6, 5, -170, -10), 3, "#c2407f", 0)
    for x in (18, 52):
        c.shape(ellipse(x, 17, 14), "#c2407f", 0)
        c.shape(ellipse(x, 17, 11), "#e4f6ff90", 0)
        c.stroke([(x - 5, 18), (x + 2, 11)], 2, "#ffffff", 0)


@picture(70, 30)
def sunglasses(c: Canvas) -> None:
    c.stroke([(6, 8), (64, 8)], 5, "#2b2b33", 0)
    for x in (6, 38):
        lens = curve([(x, 7), (x + 26, 7), (x + 23, 22), (x + 12, 26), (x + 2, 20)], closed=True)
        c.shape(lens, "#2b2b33", 0)
        c.stroke([(x + 6, 18), (x + 14, 10)], 3, "#6f7c96", 0)


CLOTHING = (
    cap,
    crown,
    chef_hat,
    pirate_hat,
    bobble_hat,
    propeller_cap,
    wizard_hat,
    viking_helmet,
    round_glasses,
    sunglasses,
)
