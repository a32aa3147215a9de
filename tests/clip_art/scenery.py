"""Large things that stand on the grass (type p)."""

from __future__ import annotations

from .canvas import Canvas, picture
from .geometry import arc, box, curve, ellipse, hull


@picture(110, 130)
def spring_rider(c: Canvas) -> None:
    c.shape(ellipse(54, 120, 26, 6), "#6b7a8a")
    coil = [(54 + (14 if step % 2 else -14), 118 - step * 5) for step in range(8)]
    c.stroke(curve(coil), 3.5, "#b8c2cd")
    c.lit([ellipse(88, 54, 17)], "#3b3340", "#544a5c", (-2, -4))
    for x, y in ((84, 20), (100, 22)):
        c.stroke(curve([(88, 40), (x, y + 10), (x, y)]), 2.5, "#3b3340", 0)
        c.shape(ellipse(x, y, 4), "#ffd54f", 1.2)
    shell = [*arc(48, 80, 42, 48, 180, 360), *curve([(90, 80), (48, 90), (6, 80)])]
    c.lit([shell], "#c92f2f", "#ec4a42", (-3, -6))
    with c.inside(shell):
        for x, y, r in ((26, 62, 8), (52, 48, 8), (46, 74, 7), (74, 66, 8)):
            c.shape(ellipse(x, y, r), "#3b3340", 0)
    c.shape(ellipse(94, 50, 6, 7), "#ffffff", 1)
    c.shape(ellipse(96, 51, 3), "#33262b", 0)
    c.stroke([(64, 34), (74, 22)], 4, "#ffd54f")


@picture(250, 260)
def slide(c: Canvas) -> None:
    for x in (18, 44):
        c.stroke([(x, 250), (x + 34, 20)], 6, "#8e6bbf")
    for step in range(8):
        c.stroke([(25 + step * 4, 222 - step * 26), (46 + step * 4, 222 - step * 26)], 5, "#b79be0")
    c.stroke([(116, 82), (124, 250)], 6, "#8e6bbf")
    c.stroke([(50, 46), (92, 46)], 10, "#8e6bbf")
    near = curve([(84, 50), (110, 74), (150, 160), (184, 226), (236, 238)])
    far = [(x + 16, y - 16) for x, y in near]
    c.shape([*far, *near[::-1]], "#ffd54f")
    c.stroke(far, 5, "#f2a03d")
    c.stroke(near, 7, "#f2a03d")
    c.stroke(curve([(52, 30), (58, 12), (74, 12), (80, 44)]), 5, "#8e6bbf")


@picture(320, 120)
def sandbox(c: Canvas) -> None:
    c.shape([(60, 30), (312, 30), (262, 96), (8, 96)], "#8e5a34")
    c.shape([(66, 38), (298, 38), (256, 88), (24, 88)], "#f0d48a")
    c.lit(
        [curve([(120, 70), (150, 44), (172, 14), (196, 40), (232, 68), (178, 76)], closed=True)],
        "#e3bf6c",
        "#f7e2a4",
        (-8, -4),
    )
    for x, y in ((60, 66), (82, 78), (246, 58), (264, 48), (98, 56)):
        c.shape(ellipse(x, y, 4, 2), "#d9b565", 0)
    c.shape([(6, 92), (262, 92), (262, 112), (6, 112)], "#c98a4b")
    c.shape([(264, 92), (314, 30), (314, 46), (264, 112)], "#a76c38")
    for x in (14, 134, 254):
        c.shape(ellipse(x, 102, 2.5), "#7a4a24", 0)


@picture(90, 120)
def grill(c: Canvas) -> None:
    for x, foot in ((26, 14), (64, 76), (45, 45)):
        c.stroke([(x, 56), (foot, 112)], 4, "#78828f")
    c.stroke([(22, 90), (68, 90)], 4, "#9aa5b1")
    c.lit([arc(45, 36, 38, 30, 0, 180)], "#2f5f8a", "#4682b4", (-3, -6))
    c.shape(ellipse(45, 36, 38, 8), "#3a3f47")
    for x in range(18, 74, 9):
        c.stroke([(x, 34), (x + 2, 40)], 1.5, "#aab4be", 0)
    for x, y in ((30, 32), (48, 35), (62, 31)):
        c.shape(ellipse(x, y, 9, 4), "#a5532b")
    for x in (32, 56):
        c.stroke(curve([(x, 24), (x - 4, 17), (x + 4, 11), (x, 4)]), 2.5, "#dfe6ecb0", 0)


@picture(330, 280)
def swings(c: Canvas) -> None:
    for x, foot in ((48, 12), (282, 318)):
        c.stroke([(x, 16), (foot, 268)], 8, "#d9544f")
        c.stroke([(x, 16), (x + (x - 165) * 0.2 - (foot - x) * 1.4, 250)], 8, "#b9403c")
    c.stroke([(44, 16), (286, 16)], 9, "#f2b632")
    for left, right in (((96, 88), (132, 124)), ((196, 206), (232, 242))):
        for top, bottom in (left, right):
            c.stroke([(top, 20), (bottom, 196)], 2, "#6b7480", 0)
    for x in (104, 224):
        c.shape(hull((x - 22, 198, 5), (x + 22, 198, 5)), "#3f7fbf")


@picture(340, 190)
def tent(c: Canvas) -> None:
    for x, y, peg in ((96, 22, 8), (262, 22, 332)):
        c.stroke([(x, y), (peg, 174)], 1.5, "#8a7a5a", 0)
        c.stroke([(peg, 166), (peg, 180)], 4, "#8a6a3a")
    c.lit([[(96, 20), (262, 20), (316, 172), (170, 172)]], "#3d7ea6", "#58a3cf", (14, -18))
    c.shape([(96, 20), (170, 172), (26, 172)], "#8fd0ef")
    c.shape([(96, 62), (132, 172), (64, 172)], "#2b3a55")
    c.shape(curve([(96, 60), (84, 118), (58, 172), (44, 172)]) + [(62, 120)], "#ffd166")
    c.shape(curve([(96, 60), (108, 118), (136, 172), (152, 172)]) + [(132, 120)], "#ffd166")
    c.stroke([(94, 20), (264, 20)], 4, "#ffd166")
    c.shape([(98, 18), (98, 2), (122, 9)], "#e4572e")


@picture(270, 124)
def picnic_table(c: Canvas) -> None:
    for x, slant in ((58, -22), (84, 22), (196, -22), (222, 22)):
        c.stroke([(x, 40), (x + slant, 114)], 9, "#a8672f")
    for y, inset in ((70, 6), (82, 0)):
        c.shape([(inset + 6, y), (264 - inset, y), (264 - inset, y + 9), (inset + 6, y + 9)], "#d8924a")
    for row in range(4):
        top, bottom = 10 + row * 9, 19 + row * 9
        c.shape([(50 - top, top), (220 + top, top), (220 + bottom, bottom), (50 - bottom, bottom)], "#e6a75c", 1.2)
    cloth = [(112, 10), (160, 10), (170, 46), (170, 58), (102, 58), (102, 46)]
    c.shape(cloth, "#ffffff", 1.2)
    with c.inside(cloth):
        for x in range(104, 180, 16):
            c.stroke([(136 + (x - 136) * 0.7, 8), (x, 60)], 6, "#e4572e90", 0)
        c.stroke([(100, 26), (172, 26)], 6, "#e4572e", 0)
        c.stroke([(100, 48), (172, 48)], 7, "#e4572e", 0)


@picture(190, 340)
def fir(c: Canvas) -> None:
    c.lit([box(82, 280, 108, 332, 3)], "#6e4526", "#8d5c36", (-8, 0))
    for top, width, height in ((168, 88, 124), (116, 76, 112), (68, 62, 100), (14, 46, 96)):
        base = top + height
        hem = [(95 + width * (1 - step / 4), base + (7 if step % 2 else -4)) for step in range(9)]
        c.lit([[(95, top), *hem]], "#1f6b4f", "#2f8d66", (-10, -6))


@picture(220, 320)
def tree(c: Canvas) -> None:
    trunk = [*curve([(92, 190), (98, 260), (78, 312)]), *curve([(144, 312), (124, 260), (130, 190)])]
    c.lit([trunk], "#84522e", "#a56c3f", (-10, 0))
    c.stroke(curve([(110, 240), (134, 214), (150, 190)]), 10, "#a56c3f")
    crown = ((60, 150, 48), (160, 154, 48), (110, 168, 48), (56, 92, 44), (164, 92, 44), (110, 54, 48), (110, 110, 60))
    c.lit([ellipse(x, y, r) for x, y, r in crown], "#5d9e32", "#86c447", (-6, -9))
    for x, y in ((60, 80), (104, 44), (150, 96), (92, 134), (146, 158), (48, 146)):
        c.stroke(arc(x, y, 14, 12, 200, 320), 3, "#a9dc6a", 0)


@picture(280, 320)
def apple_tree(c: Canvas) -> None:
    trunk = [*curve([(116, 210), (124, 268), (96, 312)]), *curve([(180, 312), (156, 268), (164, 210)])]
    c.lit([trunk], "#6b4a3a", "#8a6350", (-10, 0))
    crown = [
        ellipse(60, 140, 52),
        ellipse(220, 140, 52),
        ellipse(140, 84, 78),
        ellipse(100, 178, 54),
        ellipse(182, 178, 54),
    ]
    c.lit([*crown, ellipse(140, 140, 60)], "#2f7d3e", "#48a253", (-6, -10))
    for x, y in ((92, 62), (150, 40), (190, 92), (128, 112), (56, 128), (84, 180), (146, 170), (218, 150), (196, 196)):
        c.stroke([(x, y - 8), (x + 3, y - 15)], 2, "#4f3524", 0)
        c.shape(ellipse(x, y, 9), "#e63946", 1.4)
        c.shape(ellipse(x - 3, y - 3, 2.5), "#ff9aa2", 0)


SCENERY = (spring_rider, slide, sandbox, grill, swings, tent, picnic_table, fir, tree, apple_tree)
