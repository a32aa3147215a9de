"""What is in the sky (type s) and the background behind every scene."""

from __future__ import annotations

from PIL import Image

from .canvas import Canvas, picture
from .geometry import Outline, arc, box, curve, ellipse, hull, shifted, star, turned


@picture(200, 120)
def helicopter(c: Canvas) -> None:
    c.stroke([(92, 30), (92, 12)], 5, "#7d8796")
    c.stroke([(30, 14), (162, 10)], 5, "#aab3c0")
    c.shape([(60, 44), (14, 40), (8, 24), (20, 24), (28, 34), (66, 30)], "#26a69a")
    c.shape(star(15, 30, 13, 3, 3, 10), "#aab3c0")
    for x in (82, 126):
        c.stroke([(x, 90), (x - 4, 106)], 3, "#7d8796")
    c.stroke(curve([(60, 106), (144, 106), (154, 100)]), 4, "#7d8796")
    body = curve([(58, 42), (84, 27), (126, 28), (152, 52), (150, 78), (122, 93), (86, 91), (62, 68)], closed=True)
    c.lit([body], "#1d8a80", "#2fc0b0", (-2, -7))
    c.shape(curve([(112, 36), (138, 42), (149, 62), (132, 66), (112, 62)], closed=True), "#cdeffb")
    c.shape(box(82, 38, 102, 60, 6), "#cdeffb")
    with c.inside(body):
        c.stroke([(50, 74), (160, 76)], 6, "#ffd54f", 0)


@picture(140, 196)
def hot_air_balloon(c: Canvas) -> None:
    for x in (52, 88):
        c.stroke([(x, 138), (70 + (x - 70) * 0.7, 172)], 1.5, "#6d5038", 0)
    bag = curve(
        [(70, 6), (116, 24), (132, 68), (114, 112), (90, 142), (50, 142), (26, 112), (8, 68), (24, 24)], closed=True
    )
    c.shape(bag, "#ff8f3f")
    with c.inside(bag):
        for radius, colour in ((46, "#ffd166"), (30, "#ff8f3f"), (13, "#ffd166")):
            c.shape(ellipse(70, 68, radius, 82), colour, 0)
        zigzag = [(x, 62 if step % 2 else 78) for step, x in enumerate(range(-2, 150, 12))]
        c.shape([*zigzag, *shifted(zigzag[::-1], 0, 18)], "#2a9d8f", 0)
    c.shape(box(56, 168, 84, 188, 4), "#b07d4a")
    c.stroke([(55, 170), (85, 170)], 4, "#8d5f34")


def _puffs(y: float) -> list[Outline]:
    return [
        ellipse(x, y + dy, r) for x, dy, r in ((34, 14, 24), (64, -10, 32), (104, -2, 28), (132, 16, 22), (84, 16, 26))
    ]


@picture(170, 100)
def cloud(c: Canvas) -> None:
    c.lit(_puffs(50), "#c3d6ea", "#ffffff", (-2, -9))


@picture(154, 154)
def sun(c: Canvas) -> None:
    c.shape(star(77, 77, 72, 52, 14), "#ff9f1c")
    c.lit([ellipse(77, 77, 49)], "#ffc52e", "#ffe04f", (-4, -5))
    for x in (62, 92):
        c.shape(ellipse(x, 70, 4, 6), "#8a4b08", 0)
        c.shape(ellipse(x + (x - 77) * 0.8, 85, 7, 5), "#ffb03a", 0)
    c.stroke(arc(77, 78, 20, 17, 25, 155), 4, "#8a4b08", 0)


@picture(170, 180)
def thunder_cloud(c: Canvas) -> None:
    c.shape([(82, 70), (108, 70), (94, 104), (114, 104), (64, 172), (78, 122), (58, 122)], "#ffdd33")
    c.lit(_puffs(50), "#6f7a90", "#8d98ad", (-2, -9))


@picture(170, 190)
def rain_cloud(c: Canvas) -> None:
    for row, y in enumerate((112, 142, 170)):
        for x in range(34 + 14 * (row % 2), 140, 28):
            drop = [(x + 3, y - 13), *arc(x, y, 6, 7, -30, 210)]
            c.shape(turned(drop, 12, (x, y)), "#3fa0ee", 1.2)
    c.lit(_puffs(50), "#9db2cb", "#d3deea", (-2, -9))


@picture(150, 190)
def rocket(c: Canvas) -> None:
    def tilted(points: Outline) -> Outline:
        return turned(points, 38, (75, 95))

    c.shape(tilted(curve([(60, 138), (62, 162), (75, 186), (88, 162), (90, 138)])), "#ff8c2b")
    c.shape(tilted(curve([(68, 138), (69, 154), (75, 168), (81, 154), (82, 138)])), "#ffe04f", 0)
    for side in (-1, 1):
        fin = [(75 + side * 22, 96), (75 + side * 46, 124), (75 + side * 44, 146), (75 + side * 18, 134)]
        c.shape(tilted(curve(fin, closed=True)), "#3fa66b")
    hull_points = tilted(curve([(75, 8), (96, 44), (101, 92), (91, 138), (59, 138), (49, 92), (54, 44)], closed=True))
    c.lit([hull_points], "#d5dbe6", "#f6f8fc", (-7, -2))
    with c.inside(hull_points):
        c.shape(tilted(box(40, 0, 110, 40)), "#3fa66b", 0)
        c.shape(tilted(box(40, 126, 110, 150)), "#3fa66b", 0)
    for y, radius in ((66, 13), (98, 9)):
        c.shape(tilted(ellipse(75, y, radius)), "#ffd166")
        c.shape(tilted(ellipse(75, y, radius - 4)), "#7ccdf5", 0)


@picture(236, 120)
def aeroplane(c: Canvas) -> None:
    c.shape([(120, 52), (92, 14), (110, 14), (156, 52)], "#e8b93a")
    c.shape([(46, 52), (10, 10), (34, 10), (74, 44)], "#e4572e")
    body = curve([(14, 52), (60, 42), (150, 38), (204, 44), (228, 62), (206, 80), (140, 84), (60, 76)], closed=True)
    c.lit([body], "#e8b93a", "#ffdb6e", (0, -8))
    c.shape(curve([(186, 46), (206, 50), (214, 60), (190, 60)], closed=True), "#cdeffb")
    for x in range(86, 176, 18):
        c.shape(ellipse(x, 56, 5), "#cdeffb", 1.4)
    c.shape(hull((132, 70, 5), (160, 70, 5), (92, 108, 4), (76, 108, 4)), "#e4572e")
    c.shape(hull((36, 58, 3), (58, 58, 3), (30, 74, 3), (20, 74, 3)), "#e4572e")


SKY = (helicopter, hot_air_balloon, cloud, sun, thunder_cloud, rain_cloud, rocket, aeroplane)


def background() -> Image.Image:
    """The sky over hills and grass that every scene lies on: 500 x 400, RGBA and opaque."""
    c = Canvas(500, 400)
    for y in range(0, 220, 2):
        share = y / 220
        c.shape(box(0, y, 500, y + 3), (round(108 + 110 * share), round(190 + 48 * share), round(240 + 10 * share)), 0)
    for colour, ridge in (
        ("#a5d3b4", (176, 150, 160, 182, 158, 142, 168, 176)),
        ("#8cca84", (196, 188, 168, 172, 194, 186, 172, 166)),
        ("#7cc061", (196, 200, 206, 200, 192, 198, 206, 202)),
        ("#70b655", (260, 246, 244, 256, 268, 262, 246, 240)),
        ("#65ac4c", (322, 330, 318, 308, 314, 330, 336, 328)),
    ):
        top = curve([(-60 + step * 620 / 7, y) for step, y in enumerate(ridge)])
        c.shape([*top, (560, 400), (-60, 400)], colour, 0)
    for step in range(46):
        x, y = step * 197 % 500, 212 + step * 89 % 182
        for tip in (-5, 0, 5):
            c.stroke([(x, y), (x + tip, y - 8 + abs(tip) * 0.6)], 1.4, "#559a3f", 0)
    return c.picture()
