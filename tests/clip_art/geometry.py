"""Outlines as lists of (x, y) points in pixels, y down; angles in degrees, clockwise from the right."""

from __future__ import annotations

from math import cos, pi, radians, sin


Point = tuple[float, float]
Outline = list[Point]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Outline:
    """Points along an ellipse about (x, y), some three pixels apart, from one angle to another."""
    steps = max(8, round(abs(end - start) * pi / 180 * max(rx, ry) / 3))
    angles = [radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + rx * cos(angle), y + ry * sin(angle)) for angle in angles]


def ellipse(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0) -> Outline:
    """An ellipse with radii rx and ry (a circle where ry is left out), turned by an angle."""
    return turned(arc(x, y, rx, rx if ry is None else ry, 0, 360)[:-1], turn, (x, y))


def box(left: float, top: float, right: float, bottom: float, corner: float = 0) -> Outline:
    """A rectangle with rounded corners."""
    if not corner:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    centres = [(right - corner, bottom - corner), (left + corner, bottom - corner)]
    centres += [(left + corner, top + corner), (right - corner, top + corner)]
    arcs = [arc(x, y, corner, corner, 90 * side, 90 * side + 90) for side, (x, y) in enumerate(centres)]
    return [point for points in arcs for point in points]


def curve(points: Outline, closed: bool = False) -> Outline:
    """A smooth (Catmull-Rom) curve through the points."""
    chain = [points[-1], *points, *points[:2]] if closed else [points[0], *points, points[-1]]
    result = []
    for a, b, c, d in zip(chain, chain[1:], chain[2:], chain[3:], strict=False):
        result += [_between(a, b, c, d, step / 8) for step in range(8)]
    return result if closed else [*result, points[-1]]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    return tuple(
        b[i]
        + 0.5 * t * (c[i] - a[i] + t * (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i] + t * (3 * (b[i] - c[i]) + d[i] - a[i])))
        for i in (0, 1)
    )


def hull(*circles: tuple[float, float, float]) -> Outline:
    """The band tightened round circles (x, y, radius): the convex hull of them all."""
    points = sorted({point for x, y, radius in circles for point in ellipse(x, y, radius)})

    def half(points: Outline) -> Outline:
        chain: Outline = []
        for point in points:
            while len(chain) > 1 and _cross(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return half(points) + half(points[::-1])


def _cross(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def star(x: float, y: float, outer: float, inner: float, tips: int, turn: float = -90) -> Outline:
    """A star with so many tips, the first in the direction `turn`."""
    angles = [radians(turn + 180 * step / tips) for step in range(2 * tips)]
    radii = [inner if step % 2 else outer for step in range(2 * tips)]
    return [(x + r * cos(angle), y + r * sin(angle)) for r, angle in zip(radii, angles, strict=True)]


def turned(points: Outline, turn: float, centre: Point) -> Outline:
    """The points turned about a centre."""
    c, s, (x, y) = cos(radians(turn)), sin(radians(turn)), centre
    return [(x + c * (px - x) - s * (py - y), y + s * (px - x) + c * (py - y)) for px, py in points]


def shifted(points: Outline, dx: float, dy: float) -> Outline:
    """The points moved by (dx, dy)."""
    return [(x + dx, y + dy) for x, y in points]
