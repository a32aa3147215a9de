"""The animals (type a)."""

from __future__ import annotations

from .canvas import Canvas, picture
from .geometry import arc, curve, ellipse, hull


_INK = "#33262b"


def _eye(c: Canvas, x: float, y: float, radius: float) -> None:
    c.shape(ellipse(x, y, radius), "#ffffff", 1)
    c.shape(ellipse(x + radius * 0.25, y, radius * 0.55), _INK, 0)


@picture(170, 250)
def bear(c: Canvas) -> None:
    fur, light = "#7a4b2c", "#94603b"
    for side in (-1, 1):
        c.shape(hull((85 + side * 26, 200, 22), (85 + side * 34, 228, 14)), fur)
        c.shape(ellipse(85 + side * 38, 234, 20, 10), fur)
        c.stroke(curve([(85 + side * 36, 124), (85 + side * 66, 96), (85 + side * 60, 46)]), 26, fur)
        for claw in (-8, 0, 8):
            c.stroke([(85 + side * 60 + claw, 34), (85 + side * 60 + claw * 1.3, 24)], 4, "#f3e6d0", 1)
        c.shape(ellipse(85 + side * 60, 42, 16), light)
    c.lit([ellipse(85, 158, 54, 66)], fur, light, (-4, -6))
    c.shape(ellipse(85, 170, 34, 42), "#c99a6b", 0)
    for side in (-1, 1):
        c.shape(ellipse(85 + side * 32, 38, 13), fur)
        c.shape(ellipse(85 + side * 32, 38, 6), "#c99a6b", 0)
    c.lit([ellipse(85, 66, 43, 38)], fur, light, (-3, -5))
    c.shape(ellipse(85, 82, 25, 20), "#d9b185", 0)
    c.shape(ellipse(85, 71, 9, 6), _INK, 0)
    mouth = arc(85, 80, 14, 17, 0, 180)
    c.shape(mouth, "#7c2434", 1)
    for side in (-1, 1):
        c.shape([(85 + side * 11, 81), (85 + side * 4, 81), (85 + side * 8, 88)], "#ffffff", 0)
        _eye(c, 85 + side * 17, 56, 6)
        c.stroke([(85 + side * 26, 42), (85 + side * 10, 48)], 3, _INK, 0)


@picture(90, 100)
def cat(c: Canvas) -> None:
    c.stroke(curve([(24, 84), (8, 78), (10, 56), (18, 48)]), 9, "#8b8f9c")
    c.lit([curve([(40, 40), (62, 60), (64, 92), (20, 92), (22, 62)], closed=True)], "#7b7f8d", "#a3a7b3", (-3, -4))
    c.shape(ellipse(46, 74, 11, 15), "#f1f1f4", 0)
    for x in (34, 54):
        c.shape(ellipse(x, 92, 9, 5), "#f1f1f4")
    for ear in ([(26, 30), (26, 6), (42, 16)], [(54, 16), (70, 6), (70, 30)]):
        c.shape(ear, "#8b8f9c")
    c.lit([ellipse(48, 32, 26, 22)], "#8b8f9c", "#a9adb9", (-2, -4))
    for x in (40, 48, 56):
        c.stroke([(x, 12), (x, 18)], 3, "#6d7180", 0)
    for x in (38, 58):
        c.shape(ellipse(x, 30, 5, 6), "#d8ef7a", 1)
        c.shape(ellipse(x, 30, 1.8, 5), _INK, 0)
    c.shape([(45, 38), (51, 38), (48, 42)], "#ee8fa0", 0)
    c.stroke(curve([(40, 44), (44, 47), (48, 42), (52, 47), (56, 44)]), 1.6, _INK, 0)
    for side in (-1, 1):
        for y in (38, 43):
            c.stroke([(48 + side * 16, 40), (48 + side * 34, y)], 1, "#5d6170", 0)


@picture(150, 120)
def dog(c: Canvas) -> None:
    coat, patch = "#f4e3c8", "#a9683a"
    c.stroke(curve([(28, 58), (12, 46), (10, 24)]), 9, coat)
    for x in (38, 92):
        c.stroke([(x + 9, 74), (x + 9, 106)], 11, "#d9c4a3")
        c.stroke([(x, 74), (x, 108)], 12, coat)
    body = hull((36, 64, 20), (94, 64, 20))
    c.lit([body], "#dcc8a6", coat, (-2, -7))
    with c.inside(body):
        c.shape(ellipse(48, 50, 20, 16), patch, 0)
    c.shape(hull((96, 56, 13), (106, 36, 13)), coat, 0)
    c.lit([hull((104, 32, 23), (128, 42, 12))], "#e6d3b2", coat, (-2, -5))
    c.stroke(curve([(88, 60), (98, 66), (112, 62)]), 6, "#d8433b")
    c.shape(curve([(92, 14), (104, 20), (100, 48), (86, 54), (80, 32)], closed=True), patch)
    c.shape(ellipse(138, 36, 7, 6), _INK)
    c.stroke(curve([(138, 46), (128, 52), (116, 50)]), 2, _INK, 0)
    c.shape(arc(124, 52, 5, 10, 0, 180), "#ef7f86", 1.2)
    _eye(c, 114, 28, 6)


@picture(100, 90)
def duck(c: Canvas) -> None:
    for x in (40, 54):
        c.stroke([(x, 68), (x, 80), (x + 8, 82)], 4, "#f28c28")
    body = curve([(6, 36), (28, 44), (52, 42), (72, 52), (66, 70), (38, 76), (16, 62)], closed=True)
    c.lit([body, hull((62, 54, 12), (64, 26, 10)), ellipse(66, 22, 17)], "#e8bd2f", "#ffdf5a", (-2, -5))
    c.shape(curve([(22, 48), (50, 48), (52, 62), (34, 66)], closed=True), "#f3c93b")
    c.shape(curve([(81, 18), (96, 22), (94, 28), (80, 28)], closed=True), "#f28c28")
    _eye(c, 70, 17, 4.5)


@picture(70, 86)
def owl(c: Canvas) -> None:
    c.stroke([(6, 76), (64, 76)], 6, "#8d5f34")
    c.lit(
        [curve([(16, 14), (35, 20), (54, 14), (60, 46), (50, 74), (20, 74), (10, 46)], closed=True)],
        "#6e5a94",
        "#8b76b3",
    )
    c.shape(ellipse(35, 56, 15, 17), "#e3d7f2", 0)
    for x, y in ((29, 50), (41, 50), (35, 57), (29, 64), (41, 64)):
        c.stroke(arc(x, y, 4, 4, 20, 160), 1.6, "#8b76b3", 0)
    for x in (8, 62):
        c.shape(ellipse(x, 50, 6, 19, (x - 35) * -0.4), "#5f4c84")
    for x in (24, 46):
        c.shape(ellipse(x, 30, 11), "#ffffff", 1.4)
        c.shape(ellipse(x, 30, 7), "#ffb830", 0)
        c.shape(ellipse(x, 30, 4), _INK, 0)
        c.stroke([(x - 4, 75), (x + 4, 75)], 5, "#f28c28", 1)
    c.shape([(31, 37), (39, 37), (35, 46)], "#f28c28", 1.2)


@picture(124, 80)
def snake(c: Canvas) -> None:
    body = curve([(6, 52), (18, 68), (36, 66), (44, 44), (58, 34), (70, 48), (78, 66), (96, 62), (98, 36), (94, 20)])
    c.stroke([(112, 20), (118, 20), (122, 17)], 2, "#e4572e", 0)
    c.stroke([(118, 20), (122, 23)], 2, "#e4572e", 0)
    c.stroke(body, 12, "#b5468b")
    for x, y in body[4::6]:
        c.shape(ellipse(x, y, 3.5), "#ffd166", 0)
    c.lit([ellipse(98, 18, 15, 11)], "#b5468b", "#c75b9d", (-1, -4))
    _eye(c, 100, 13, 4.5)
    c.stroke(arc(104, 20, 7, 5, 30, 120), 1.6, _INK, 0)


ANIMALS = (bear, cat, dog, duck, owl, snake)
