"""Random Noisy Shapes scenes, with the distribution of the synthetic data of Ellis et al. (2018)."""

from collections.abc import Callable, Iterable
from itertools import chain, repeat

from numpy.random import Generator

from .attachments import attachment_candidates, circle_points, rectangle_points
from .intersection import (
    Segment,
    circle_body,
    circle_reach,
    line_reach,
    lines_meet,
    rectangle_body,
    rectangle_reach,
)


MAX_ATTEMPTS = 10_000
"""Draws of one category, rejected ones included, after which a scene does with fewer objects."""
DRAWS_AT_ONCE = 256


def sample_scene(
    rng: Generator, min_objects: int = 1, max_objects: int = 12, turned: float = 0.0, diagonal: float = 0.0
) -> list[dict]:
    """Draws one scene of `min_objects` to `max_objects` objects, each count with equal chance.

    The original's arrows mostly point the positive way, and its diagonals are all attached to shapes. For scenes like
    people's own, a share `turned` of the arrows points the other way, and a share `diagonal` of the lines that are not
    attached runs from a point to any other.

    Every object is a circle, a rectangle or a line with equal chance. They are placed, and returned, in this order of
    categories, and none intersects one placed before it; a scene too crowded for that holds fewer objects. The
    scene depends on nothing but the state of `rng` at entry, which moves on by whole blocks of `DRAWS_AT_ONCE`.

    Returns:
        Objects as plain dicts in units of the 16 x 16 canvas: `{"category": "circle", "x", "y"}`,
        `{"category": "rectangle", "x1", "y1", "x2", "y2"}` and `{"category": "line", ..., "arrow", "solid"}`.

    Raises:
        ValueError: `min_objects` or `max_objects` is not an integer of at least 1, or the two are the wrong way round;
            `turned` or `diagonal` is no number from 0 to 1.
    """
    _check_counts(min_objects, max_objects)
    _check_shares(turned=turned, diagonal=diagonal)
    # Numbers drawn one by one from a Generator would take longer than all else.
    draw = chain.from_iterable(rng.random(DRAWS_AT_ONCE).tolist() for _ in repeat(None)).__next__
    counts = [0, 0, 0]
    for _ in range(min_objects + int(draw() * (max_objects - min_objects + 1))):
        counts[int(draw() * 3)] += 1
    scene = _Scene(draw, turned, diagonal)
    scene.place(*counts)
    return scene.objects


def _check_counts(min_objects: int, max_objects: int) -> None:
    for name, value in (("min_objects", min_objects), ("max_objects", max_objects)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be an integer of at least 1, not {value!r}")
    if min_objects > max_objects:
        raise ValueError(f"min_objects ({min_objects}) must not exceed max_objects ({max_objects})")


def _check_shares(**shares: float) -> None:
    for name, value in shares.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")


class _Scene:
    """The objects placed so far, with what the next draws ask of them.

    The used coordinates are distinct values, those of end points too, while a point where two lines end stands twice
    in `ends`: so is "each distinct value once, while end points keep their repeats" read here.
    """

    def __init__(self, draw: Callable[[], float], turned: float = 0.0, diagonal: float = 0.0):
        self.draw, self.turned, self.diagonal = draw, turned, diagonal
        self.objects = []
        self.bodies = 0
        self.attachment_points = []
        self.lines = []
        self.ends = []
        self.used_x = []
        self.used_y = []

    def place(self, num_circles: int, num_rectangles: int, num_lines: int) -> None:
        _repeat(self.try_circle, num_circles)
        _repeat(self.try_rectangle, num_rectangles)
        if num_lines:
            candidates = attachment_candidates(self.attachment_points, self.bodies, self.draw)
            _repeat(lambda: self.try_line(candidates), num_lines)

    def try_circle(self) -> bool:
        """Draws a circle inside 1..15 and places it, or returns False where it intersects a placed one."""
        x, y = self.draw_point()
        while not (2 <= x <= 14 and 2 <= y <= 14):
            x, y = self.draw_point()
        if circle_reach(x, y) & self.bodies:
            return False
        self.bodies |= circle_body(x, y)
        self.use((x - 1, x, x + 1), (y - 1, y, y + 1))
        self.attachment_points += circle_points(len(self.objects), x, y)
        self.objects.append({"category": "circle", "x": x, "y": y})
        return True

    def try_rectangle(self) -> bool:
        """Draws a rectangle, both corners anew until they differ in x and in y, and places it if it may stand."""
        (xa, ya), (xb, yb) = self.draw_point(), self.draw_point()
        while xa == xb or ya == yb:
            (xa, ya), (xb, yb) = self.draw_point(), self.draw_point()
        corners = x1, y1, x2, y2 = min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)
        if rectangle_reach(*corners) & self.bodies:
            return False
        self.bodies |= rectangle_body(*corners)
        self.use((x1, x2), (y1, y2))
        self.attachment_points += rectangle_points(len(self.objects), *corners)
        self.objects.append({"category": "rectangle", "x1": x1, "y1": y1, "x2": x2, "y2": y2})
        return True

    def try_line(self, candidates: list[Segment]) -> bool:
        """Draws a line, one of the candidates or an axis line, and places it if it may stand."""
        x1, y1, x2, y2 = self.draw_segment(candidates)
        arrow, solid = self.draw() < 0.5, self.draw() < 0.9
        if (arrow and self.turned and self.draw() < self.turned) or (not arrow and (x1, y1) > (x2, y2)):
            x1, y1, x2, y2 = x2, y2, x1, y1
        segment = (x1, y1, x2, y2)
        if line_reach(*segment) & self.bodies or any(lines_meet(segment, other) for other in self.lines):
            return False
        self.lines.append(segment)
        self.ends += (x1, y1), (x2, y2)
        self.use((x1, x2), (y1, y2))
        line = {"category": "line", "x1": x1, "y1": y1, "x2": x2, "y2": y2, "arrow": arrow, "solid": solid}
        self.objects.append(line)
        return True

    def draw_segment(self, candidates: list[Segment]) -> Segment:
        draw = self.draw
        if draw() < len(candidates) / (2 + len(candidates)):
            return candidates[int(draw() * len(candidates))]
        x, y = self.draw_point()
        if self.diagonal and draw() < self.diagonal:
            return x, y, self.draw_coordinate_other_than(x), self.draw_coordinate_other_than(y)
        if draw() < 0.5:
            return x, y, self.draw_coordinate_other_than(x), y
        return x, y, x, self.draw_coordinate_other_than(y)

    def draw_coordinate_other_than(self, value: int) -> int:
        other = value
        while other == value:
            other = 1 + int(self.draw() * 14)
        return other

    def draw_point(self) -> tuple[int, int]:
        """Draws the end of a placed line, or a point with a used x, with a used y or with neither."""
        draw = self.draw
        if self.ends and draw() < 0.1:
            return self.ends[int(draw() * len(self.ends))]
        x, y = 1 + int(draw() * 14), 1 + int(draw() * 14)
        kind = int(draw() * 3)
        if kind == 0 and self.used_x:
            x = self.used_x[int(draw() * len(self.used_x))]
        elif kind == 1 and self.used_y:
            y = self.used_y[int(draw() * len(self.used_y))]
        return x, y

    def use(self, xs: Iterable[int], ys: Iterable[int]) -> None:
        """Adds the coordinates that are not in use yet."""
        for x in xs:
            if x not in self.used_x:
                self.used_x.append(x)
        for y in ys:
            if y not in self.used_y:
                self.used_y.append(y)


def _repeat(attempt: Callable[[], bool], successes: int) -> None:
    """Repeats an attempt until it has succeeded so often, or gives up after `MAX_ATTEMPTS`."""
    for _ in range(MAX_ATTEMPTS):
        if not successes:
            return
        successes -= attempt()
