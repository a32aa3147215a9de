"""The lines that may attach two placed shapes to each other."""

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

from .intersection import Segment, line_reach


class Point(NamedTuple):
    """A point of a shape where a line may be attached."""

    shape: int
    """The shape's place in the order of placing."""
    x: int
    y: int
    side: str
    """ "h" at the left and the right of the shape, "v" at its top and bottom."""


def circle_points(shape: int, x: int, y: int) -> list[Point]:
    """The four compass points of a circle."""
    return [
        Point(shape, x - 1, y, "h"),
        Point(shape, x + 1, y, "h"),
        Point(shape, x, y - 1, "v"),
        Point(shape, x, y + 1, "v"),
    ]


def rectangle_points(shape: int, x1: int, y1: int, x2: int, y2: int) -> list[Point]:
    """The integer points strictly inside the four sides of a rectangle."""
    level = [Point(shape, x, y, "h") for y in range(y1 + 1, y2) for x in (x1, x2)]
    return level + [Point(shape, x, y, "v") for x in range(x1 + 1, x2) for y in (y1, y2)]


def attachment_candidates(points: list[Point], bodies: int, draw: Callable[[], float]) -> list[Segment]:
    """The candidates for an attached line: all aligned ones, and all free ones, or a few where any is aligned.

    Two points of different shapes are aligned where a straight line leaves both at a right angle: the same y and both
    "h", or the same x and both "v". All other pairs are free. Where any is aligned, a random `max(2, number aligned)`
    of the free candidates stay. Candidates that meet a placed shape are out, and so are pairs of equal points (of
    shapes that touch), which make no line. Lines between the same points of different shapes count each.

    Args:
        points: the attachment points of all placed shapes, those of earlier shapes first.
        bodies: the bodies of all placed shapes, as in `intersection`.
        draw: gives uniform numbers in [0, 1).
    """
    aligned = [line for line in _aligned_lines(points) if not line_reach(*line) & bodies]
    if not aligned:
        return _free_lines(points, bodies)
    return aligned + _some_free_lines(points, bodies, max(2, len(aligned)), draw)


def _aligned_lines(points: list[Point]) -> list[Segment]:
    """The lines between aligned points, from the lower to the higher coordinate."""
    rows, columns = defaultdict(list), defaultdict(list)
    for shape, x, y, side in points:
        if side == "h":
            rows[y].append((x, shape))
        else:
            columns[x].append((y, shape))
    return [(x1, y, x2, y) for y, row in rows.items() for x1, x2 in _spans(row)] + [
        (x, y1, x, y2) for x, column in columns.items() for y1, y2 in _spans(column)
    ]


def _spans(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The (lower, higher) pairs of unequal coordinates of different shapes, out of (coordinate, shape)."""
    return [
        (first, second)
        for (first, one), (second, other) in combinations(sorted(places), 2)
        if one != other and first != second
    ]


def _free_line(first: Point, second: Point, bodies: int) -> Segment | None:
    """The line between two points, from the shape placed earlier, if it is a candidate and not an aligned one."""
    one, x1, y1, side1 = first
    other, x2, y2, side2 = second
    if one == other:
        return None
    if side1 == side2 and (y1 == y2 if side1 == "h" else x1 == x2):
        return None
    if x1 == x2 and y1 == y2:
        return None
    return None if line_reach(x1, y1, x2, y2) & bodies else (x1, y1, x2, y2)


def _free_lines(points: list[Point], bodies: int) -> list[Segment]:
    """All free candidates."""
    return [line for pair in combinations(points, 2) if (line := _free_line(*pair, bodies))]


def _some_free_lines(points: list[Point], bodies: int, wanted: int, draw: Callable[[], float]) -> list[Segment]:
    """`wanted` of the free candidates, every choice with equal chance, or all where there are not so many.

    There are often a thousand pairs of points and few candidates wanted. So pairs are tried at random, and all are
    listed only where that takes long. That the trial failed says how many candidates there are, not which, so choosing
    afresh from the list keeps the chances equal.
    """
    chosen = {}
    for _ in range(len(points) ** 2 // 4):
        first, second = points[int(draw() * len(points))], points[int(draw() * len(points))]
        if first.shape > second.shape:
            first, second = second, first
        line = _free_line(first, second, bodies)
        if line:
            chosen[first, second] = line
            if len(chosen) == wanted:
                return list(chosen.values())
    return _choose(_free_lines(points, bodies), wanted, draw)


def _choose(lines: list[Segment], wanted: int, draw: Callable[[], float]) -> list[Segment]:
    """`wanted` of the lines without repetition, by the first steps of a shuffle."""
    wanted = min(wanted, len(lines))
    for index in range(wanted):
        other = index + int(draw() * (len(lines) - index))
        lines[index], lines[other] = lines[other], lines[index]
    return lines[:wanted]
