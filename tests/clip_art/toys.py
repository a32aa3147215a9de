"""Toys, and the campfire (type t)."""

from __future__ import annotations

from .canvas import Canvas, picture
from .geometry import Outline, arc, box, curve, ellipse, hull, star, turned


@picture(40, 40)
def baseball(c: Canvas) -> None:
    c.lit([ellipse(20, 20, 16)], "#d9dde6", "#ffffff", (-2, -3))
    with c.inside(ellipse(20, 20, 16)):
        for x, start in ((1, -60), (39, 120)):
            seam = arc(x, 20, 12, 15, start, start + 120)
            c.stroke(seam, 1.4, "#d8433b", 0)
            for px, py in seam[1::2]:
                c.stroke([(px - 2.5, py), (px + 2.5, py)], 1.2, "#d8433b", 0)


@picture(64, 80)
def bucket(c: Canvas) -> None:
    c.stroke(arc(32, 32, 24, 26, 180, 360), 3.5, "#f4f1e4")
    c.shape(ellipse(32, 30, 20, 8), "#f0d48a")
    pail = [(6, 32), (58, 32), (50, 74), (14, 74)]
    c.lit([pail], "#2f7fc2", "#4fa3e3", (-5, 0))
    c.shape(hull((7, 34, 4), (57, 34, 4)), "#ffd54f")
    c.shape(star(32, 55, 12, 5, 5), "#ffd54f", 0)


def _striped_ball(c: Canvas, x: float, y: float, radius: float, colours: tuple[str, ...]) -> None:
    ball = ellipse(x, y, radius)
    c.shape(ball, "#ffffff")
    with c.inside(ball):
        step = 360 / len(colours)
        for index, colour in enumerate(colours):
            centre = (x - radius * 0.25, y - radius * 0.35)
            c.shape([centre, *arc(x, y, radius * 1.6, radius * 1.6, index * step, index * step + step)], colour, 0)
        c.shape(ellipse(x - radius * 0.25, y - radius * 0.35, radius * 0.2), "#ffffff", 1)


@picture(84, 84)
def beach_ball(c: Canvas) -> None:
    _striped_ball(c, 42, 42, 38, ("#ff6f61", "#fff8e7", "#ffc93c", "#fff8e7", "#3fa7d6", "#fff8e7"))


@picture(64, 64)
def basketball(c: Canvas) -> None:
    ball = ellipse(32, 32, 28)
    c.lit([ball], "#d96b1f", "#f28c3a", (-3, -5))
    with c.inside(ball):
        for seam in (
            [(0, 36), (64, 28)],
            [(28, 0), (36, 64)],
            arc(8, 10, 26, 26, -30, 120),
            arc(56, 54, 26, 26, 150, 300),
        ):
            c.stroke(seam, 2.2, "#5d2d10", 0)


@picture(64, 64)
def football(c: Canvas) -> None:
    ball = ellipse(32, 32, 28)
    c.lit([ball], "#ccd3de", "#ffffff", (-3, -5))
    with c.inside(ball):
        c.shape(star(32, 32, 10, 8.1, 5), "#2b2f3a", 0)
        for turn in range(-90, 270, 72):
            tip, far = (turned([(x, 32)], turn, (32, 32))[0] for x in (42, 54))
            c.stroke([tip, far], 1.8, "#2b2f3a", 0)
            c.shape(star(*turned([(60, 32)], turn, (32, 32))[0], 11, 9, 5, turn + 180), "#2b2f3a", 0)


@picture(32, 32)
def tennis_ball(c: Canvas) -> None:
    ball = ellipse(16, 16, 12)
    c.lit([ball], "#a8cf2c", "#d5f04d", (-1, -3))
    with c.inside(ball):
        for x in (0, 32):
            c.stroke(ellipse(x, 16, 9, 12), 1.8, "#ffffff", 0)


@picture(76, 52)
def american_football(c: Canvas) -> None:
    ball = turned([*arc(36, 50, 42, 42, 217, 323), *arc(36, 0, 42, 42, 37, 143)], -14, (38, 26))
    c.lit([ball], "#6d3a1f", "#935232", (-2, -4))
    with c.inside(ball):
        for x in (14, 58):
            c.stroke(turned([(x, 0), (x, 50)], -14, (38, 26)), 4, "#ffffff", 0)
    for x in (28, 34, 40, 46):
        c.stroke(turned([(x, 20), (x, 29)], -14, (38, 26)), 2.2, "#ffffff", 0)
    c.stroke(turned([(25, 24.5), (49, 24.5)], -14, (38, 26)), 2.2, "#ffffff", 0)


@picture(80, 40)
def flying_disc(c: Canvas) -> None:
    c.lit([ellipse(40, 20, 34, 11, -10)], "#7a52c7", "#9b78e0", (0, -4))
    c.stroke(ellipse(39, 16, 18, 4.5, -10), 2, "#c9b4f5", 0)


@picture(70, 130)
def bat(c: Canvas) -> None:
    c.shape(ellipse(11, 120, 7, 5, 20), "#8d5f34")
    c.lit([hull((14, 112, 3.5), (20, 92, 4), (46, 32, 10), (52, 16, 9))], "#c58f4f", "#e3b377", (-4, -2))
    c.stroke([(13, 113), (21, 94)], 7, "#3f7fbf")
    c.stroke([(37, 44), (50, 50)], 2, "#8d5f34", 0)


@picture(120, 230)
def balloons(c: Canvas) -> None:
    bunch = ((34, 54, "#e4572e"), (86, 52, "#2fa36b"), (60, 34, "#ffc93c"), (58, 82, "#7a52c7"))
    for x, y, _ in bunch:
        c.stroke(curve([(x, y + 30), (60 + (x - 60) * 0.5, 140), (60, 176), (56, 222)]), 1.3, "#6b7480", 0)
    for x, y, colour in bunch:
        c.shape([(x, y + 26), (x - 5, y + 36), (x + 5, y + 36)], colour)
        c.shape(ellipse(x, y, 24, 30), colour)
        c.shape(ellipse(x - 9, y - 12, 4, 8, 24), "#ffffff", 0)


@picture(70, 66)
def glove(c: Canvas) -> None:
    for x, y in ((16, 20), (28, 11), (42, 10), (54, 18)):
        c.stroke([(x, y), (x * 0.5 + 18, 44)], 12, "#b5703a")
    c.stroke(curve([(62, 38), (54, 48), (40, 52)]), 12, "#b5703a")
    c.lit([ellipse(34, 44, 24, 17)], "#8f5528", "#b5703a", (-1, -4))
    c.stroke(arc(38, 36, 12, 11, 20, 170), 2.5, "#6d3f1c", 0)
    c.shape(box(20, 54, 48, 62, 3), "#d8433b")


@picture(50, 80)
def shovel(c: Canvas) -> None:
    c.stroke(turned([(25, 14), (25, 48)], 16, (25, 40)), 5, "#f2b632")
    c.stroke(turned([(16, 10), (34, 10)], 16, (25, 40)), 6, "#f2b632")
    blade = turned([(14, 44), (36, 44), (37, 60), (25, 72), (13, 60)], 16, (25, 40))
    c.lit([blade], "#2f7fc2", "#4fa3e3", (-4, 0))


@picture(90, 120)
def racket(c: Canvas) -> None:
    def tilted(points: Outline) -> Outline:
        return turned(points, 24, (45, 60))

    for x in (37, 53):
        c.stroke(tilted([(x, 60), (45, 80)]), 4, "#2fa36b")
    c.stroke(tilted([(45, 80), (45, 112)]), 8, "#3a3f47")
    rim = tilted(ellipse(45, 36, 22, 30))
    c.stroke([*rim, rim[0]], 6, "#2fa36b")
    with c.inside(rim):
        for step in range(-4, 5):
            c.stroke(tilted([(45 + step * 6, 0), (45 + step * 6, 72)]), 1, "#f4f6fa", 0)
            c.stroke(tilted([(15, 36 + step * 7), (75, 36 + step * 7)]), 1, "#f4f6fa", 0)
    c.stroke([*rim, rim[0]], 5, "#2fa36b", 0)


@picture(210, 230)
def kite(c: Canvas) -> None:
    tail = curve([(104, 104), (126, 138), (112, 170), (140, 200), (186, 206)])
    c.stroke(tail, 1.8, "#6b7480", 0)
    for (x, y), colour in zip(tail[6::7], ("#ffd166", "#ff6f91", "#4dc3ff", "#8bd450"), strict=False):
        c.shape([(x - 10, y - 6), (x, y), (x + 10, y + 6), (x + 10, y - 6), (x, y), (x - 10, y + 6)], colour, 1)
    c.stroke(curve([(62, 56), (46, 130), (16, 222)]), 1.2, "#ffffff", 0)
    corners, middle = [(36, 8), (112, 22), (104, 104), (14, 74)], (62, 52)
    c.shape(corners, "#ff6f91")
    for index, colour in enumerate(("#ff6f91", "#ffd166", "#4dc3ff", "#8bd450")):
        c.shape([corners[index], corners[(index + 1) % 4], middle], colour, 0)
    for corner in corners:
        c.stroke([middle, corner], 1.6, "#5d4a66", 0)


@picture(110, 120)
def campfire(c: Canvas) -> None:
    flame = curve(
        [(55, 6), (66, 30), (84, 48), (86, 78), (70, 98), (40, 98), (24, 78), (30, 54), (42, 60), (44, 32)],
        closed=True,
    )
    c.shape(flame, "#f4511e")
    c.shape(curve([(57, 38), (72, 66), (66, 94), (44, 94), (38, 72), (50, 70)], closed=True), "#ffa726", 0)
    c.shape(curve([(56, 64), (63, 82), (57, 95), (49, 92), (48, 80)], closed=True), "#fff176", 0)
    for log in ([(18, 90), (90, 108)], [(92, 90), (20, 108)]):
        c.stroke(log, 13, "#85522e")
        c.shape(ellipse(*log[1], 6.5), "#d9a877", 0)
        c.shape(ellipse(*log[1], 3), "#b57f4d", 0)
    for x, y in ((16, 112), (38, 115), (72, 115), (96, 112)):
        c.shape(ellipse(x, y - 3, 10, 6), "#9aa3ad")


TOYS = (
    baseball,
    bucket,
    beach_ball,
    basketball,
    football,
    tennis_ball,
    american_football,
    flying_disc,
    bat,
    balloons,
    glove,
    shovel,
    racket,
    kite,
    campfire,
)
