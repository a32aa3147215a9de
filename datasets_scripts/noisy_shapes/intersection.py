"""Which objects of a scene intersect, as bit masks over the 16 x 16 canvas: one `&` tests all placed shapes at once.

A placed circle or rectangle has a *body*, and every object a *reach*: the bits that any body it intersects must hold.
Both are integers of 1280 bits in three planes.

- Row sides: bit `32 * y + position`; a horizontal side from x1 to x2 covers the positions 2 * x1 + 1 .. 2 * x2 - 1,
  where 2 * x stands for "within 0.1 of x" and 2 * x + 1 for "between x and x + 1".
- Column sides: the same for vertical sides, `32 * x + position`, after the first 512 bits.
- Centres: bit `16 * x + y` of a circle's centre, after the first 1024 bits.

The half-unit positions are exact. All coordinates are integers and a side that is met across is shortened by 0.1, so
it is met if and only if the crossing lies in [x1 + 0.1, x2 - 0.1], the union of its positions. Where a segment runs
along a side, at least one end of each overlap is shortened or belongs to a side that goes on round the rectangle, so
touching end to end does not count and the overlap is that of the positions again. Only two lines may run the same way
unshortened; they are tested by `lines_meet`.
"""

from functools import cache
from math import hypot


SIZE = 16
COLUMN_PLANE = 512
CENTRE_PLANE = 1024

Segment = tuple[int, int, int, int]


@cache
def circle_body(x: int, y: int) -> int:
    """The centre of a circle."""
    return 1 << (CENTRE_PLANE + SIZE * x + y)


@cache
def circle_reach(x: int, y: int) -> int:
    """The centres nearer than 2; rectangles and lines are placed later and reach for the circle themselves."""
    reach = 0
    for other_x in range(max(0, x - 1), min(SIZE, x + 2)):
        for other_y in range(max(0, y - 1), min(SIZE, y + 2)):
            reach |= circle_body(other_x, other_y)
    return reach


@cache
def rectangle_body(x1: int, y1: int, x2: int, y2: int) -> int:
    """The four sides."""
    rows = _covered(x1, x2) << 32 * y1 | _covered(x1, x2) << 32 * y2
    columns = _covered(y1, y2) << 32 * x1 | _covered(y1, y2) << 32 * x2
    return rows | columns << COLUMN_PLANE


@cache
def rectangle_reach(x1: int, y1: int, x2: int, y2: int) -> int:
    """The centres of circles and the sides of rectangles that any of the four sides meets."""
    sides = (x1, y1, x2, y1), (x1, y2, x2, y2), (x1, y1, x1, y2), (x2, y1, x2, y2)
    reach = 0
    for side in sides:
        reach |= line_reach(*side)
    return reach


@cache
def line_reach(x1: int, y1: int, x2: int, y2: int) -> int:
    """The centres of circles and the sides of rectangles that a line meets, in whichever direction it runs."""
    # Against a rectangle a line is shortened twice, save along a side, where the body's open ends say the same.
    u1, v1, u2, v2 = _shortened_tenths((x1, y1, x2, y2), 0.2)
    rows = _covered(min(x1, x2), max(x1, x2)) << 32 * y1 if y1 == y2 else _crossings(v1, u1, v2, u2)
    columns = _covered(min(y1, y2), max(y1, y2)) << 32 * x1 if x1 == x2 else _crossings(u1, v1, u2, v2)
    return rows | columns << COLUMN_PLANE | _centres_met(x1, y1, x2, y2)


def lines_meet(first: Segment, second: Segment) -> bool:
    """Whether two lines cross or touch: both less 0.1 at each end unless they run the same way, rounded to 0.1."""
    shortening = 0.0 if _same_way(first, second) else 0.1
    ax1, ay1, ax2, ay2 = _shortened_tenths(first, shortening)
    bx1, by1, bx2, by2 = _shortened_tenths(second, shortening)
    if max(ax1, ax2) < min(bx1, bx2) or max(bx1, bx2) < min(ax1, ax2):
        return False
    if max(ay1, ay2) < min(by1, by2) or max(by1, by2) < min(ay1, ay2):
        return False
    dx, dy = ax2 - ax1, ay2 - ay1
    if (dx * (by1 - ay1) - dy * (bx1 - ax1)) * (dx * (by2 - ay1) - dy * (bx2 - ax1)) > 0:
        return False
    dx, dy = bx2 - bx1, by2 - by1
    return (dx * (ay1 - by1) - dy * (ax1 - bx1)) * (dx * (ay2 - by1) - dy * (ax2 - bx1)) <= 0


def _same_way(first: Segment, second: Segment) -> bool:
    """Whether two lines are parallel and point the same way."""
    ax, ay = first[2] - first[0], first[3] - first[1]
    bx, by = second[2] - second[0], second[3] - second[1]
    return ax * by == ay * bx and ax * bx + ay * by > 0


def _shortened_tenths(segment: Segment, shortening: float) -> Segment:
    """The segment less `shortening` units at each end, in whole tenths of a unit."""
    x1, y1, x2, y2 = segment
    scale = 10 * shortening / hypot(x2 - x1, y2 - y1)
    dx, dy = round(scale * (x2 - x1)), round(scale * (y2 - y1))
    return 10 * x1 + dx, 10 * y1 + dy, 10 * x2 - dx, 10 * y2 - dy


def _covered(start: int, stop: int) -> int:
    """The positions of a row between two integer coordinates, without the two."""
    return (1 << 2 * stop) - (1 << 2 * start + 1)


def _crossings(along1: int, across1: int, along2: int, across2: int) -> int:
    """One position for each of the 16 rows that a segment in tenths crosses or touches.

    `along` is the coordinate that counts the rows, `across` the one within a row.
    """
    if along1 > along2:
        along1, across1, along2, across2 = along2, across2, along1, across1
    length = along2 - along1
    crossings = 0
    for row in range(-(-along1 // 10), along2 // 10 + 1):
        # The crossing, in fractions 1 / length of a tenth, measured from 0.1 before each integer coordinate.
        crossing = across1 * length + (10 * row - along1) * (across2 - across1) + length
        unit, rest = divmod(crossing, 10 * length)
        if rest == 0:
            position = 2 * unit - 1
        elif rest < 2 * length:
            position = 2 * unit
        else:
            position = 2 * unit + 1
        crossings |= 1 << 32 * row + position
    return crossings


def _centres_met(x1: int, y1: int, x2: int, y2: int) -> int:
    """The centres of the circles that hold, strictly inside, any of 11 evenly spaced points of a segment."""
    centres = 0
    for step in range(11):
        x, y = 10 * x1 + step * (x2 - x1), 10 * y1 + step * (y2 - y1)
        for centre_x in (x // 10, x // 10 + 1):
            for centre_y in (y // 10, y // 10 + 1):
                if (x - 10 * centre_x) ** 2 + (y - 10 * centre_y) ** 2 < 100:
                    centres |= circle_body(centre_x, centre_y)
    return centres
