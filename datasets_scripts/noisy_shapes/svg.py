"""Objects -> SVG, an element each, drawn as the renderer draws them without noise."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import numpy as np

from .arrow_tips import shortening, stealth_outline
from .drawing import CANVAS, CIRCLE, NO_TIP, POINT, RECTANGLE, Drawing, draw
from .ink_profile import FULL_SIZE


def to_svg(objects: Sequence[dict]) -> str:
    """One scene as an SVG document of 256 x 256 pixels, whose units are the canvas's. ValueError for a bad object.

    Every object is an element whose class is its category: <circle>, <rect>, <line>, or a <g> of an arrow's shaft
    and tip.
    """
    drawing = draw([objects])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{FULL_SIZE}" height="{FULL_SIZE}" '
        f'viewBox="0 0 {CANVAS:g} {CANVAS:g}">',
        f'  <rect width="{CANVAS:g}" height="{CANVAS:g}" fill="white"/>',
        '  <g fill="none" stroke="black">',
        *(f"    {_element(drawing, row, item['category'])}" for row, item in enumerate(objects)),
        "  </g>",
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _element(drawing: Drawing, row: int, category: str) -> str:
    a, b, c, d = drawing.geometry[row].tolist()
    style = {"class": category, "stroke-width": drawing.line_width[row]}
    if drawing.kind[row] == CIRCLE:
        return _tag("circle", cx=a, cy=CANVAS - b, r=c, **style)
    if drawing.kind[row] == RECTANGLE:
        return _tag("rect", x=a, y=CANVAS - d, width=c - a, height=d - b, **style)
    if drawing.dash[row].any():
        style["stroke-dasharray"] = " ".join(f"{length * POINT:.6g}" for length in drawing.dash[row])
    if drawing.tip[row] == NO_TIP:
        return _line((a, b), (c, d), style)
    return _arrow(drawing, row, style)


def _arrow(drawing: Drawing, row: int, style: dict) -> str:
    """A shaft that ends below its tip, and the tip: what an arrow without noise has is a Stealth tip."""
    one = slice(row, row + 1)
    start, end = drawing.geometry[row].reshape(2, 2)
    way = (end - start) / np.hypot(*(end - start))
    shaft = end - way * shortening(drawing.tip[one], drawing.line_width[one], drawing.tip_scale[one])
    along, aside = stealth_outline(drawing.line_width[row], drawing.tip_scale[row]).T[:, :, None]
    corners = end + along * way + aside * np.array([-way[1], way[0]])
    points = " ".join(f"{x:.6g},{CANVAS - y:.6g}" for x, y in corners)
    group = f'<g class="{style.pop("class")}">'
    return group + _line(start, shaft, style) + _tag("polygon", points=points, fill="black", stroke="none") + "</g>"


def _line(start, end, style: dict) -> str:
    (x1, y1), (x2, y2) = start, end
    return _tag("line", x1=x1, y1=CANVAS - y1, x2=x2, y2=CANVAS - y2, **style)


def _tag(name: str, **attributes) -> str:
    texts = {key: value if isinstance(value, str) else f"{value:.6g}" for key, value in attributes.items()}
    return f"<{name} {' '.join(f'{key}={quoteattr(text)}' for key, text in texts.items())}/>"
