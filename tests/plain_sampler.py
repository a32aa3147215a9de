"""A slow all-pairs sampler of Noisy Shapes scenes, written for reading: the reference of the fast one.

It follows the rules one by one, keeps no table and shares no code with `datasets_scripts.noisy_shapes`.
"""

from itertools import combinations
from math import hypot

from numpy.random import Generator


MAX_ATTEMPTS = 10_000


def sample_scene(rng: Generator, min_objects: int = 1, max_objects: int = 12) -> list[dict]:
    """Draws one scene: circles, then rectangles, then lines, none intersecting one placed before it."""
    count = rng.integers(min_objects, max_objects + 1)
    categories = [("circle", "rectangle", "line")[rng.integers(3)] for _ in range(count)]
    scene = []
    place(scene, categories.count("circle"), lambda: draw_circle(rng, scene))
    place(scene, categories.count("rectangle"), lambda: draw_rectangle(rng, scene))
    candidates = attachment_candidates(rng, scene)
    place(scene, categories.count("line"), lambda: draw_line(rng, scene, candidates))
    return scene


def place(scene: list[dict], count: int, draw) -> None:
    """Appends `count` draws that intersect nothing in the scene, or fewer where the attempts run out."""
    wanted = len(scene) + count
    for _ in range(MAX_ATTEMPTS):
        if len(scene) == wanted:
            return
        drawn = draw()
        if not any(intersects(drawn, other) for other in scene):
            scene.append(drawn)


def draw_circle(rng: Generator, scene: list[dict]) -> dict:
    while True:
        x, y = draw_point(rng, scene)
        if 2 <= x <= 14 and 2 <= y <= 14:
            return {"category": "circle", "x": x, "y": y}


def draw_rectangle(rng: Generator, scene: list[dict]) -> dict:
    while True:
        (xa, ya), (xb, yb) = draw_point(rng, scene), draw_point(rng, scene)
        if xa != xb and ya != yb:
            x1, x2 = sorted((xa, xb))
            y1, y2 = sorted((ya, yb))
            return {"category": "rectangle", "x1": x1, "y1": y1, "x2": x2, "y2": y2}


def draw_line(rng: Generator, scene: list[dict], candidates: list[tuple]) -> dict:
    if rng.random() < len(candidates) / (2 + len(candidates)):
        start, end = candidates[rng.integers(len(candidates))]
    else:
        start = end = draw_point(rng, scene)
        horizontal = rng.random() < 0.5
        while end == start:
            end = (draw_coordinate(rng), start[1]) if horizontal else (start[0], draw_coordinate(rng))
    arrow, solid = bool(rng.random() < 0.5), bool(rng.random() < 0.9)
    if not arrow:
        start, end = sorted((start, end))
    return {
        "category": "line",
        "x1": start[0],
        "y1": start[1],
        "x2": end[0],
        "y2": end[1],
        "arrow": arrow,
        "solid": solid,
    }


def draw_coordinate(rng: Generator) -> int:
    return int(rng.integers(1, 15))


def draw_point(rng: Generator, scene: list[dict]) -> tuple[int, int]:
    ends = line_ends(scene)
    if ends and rng.random() < 0.1:
        return ends[rng.integers(len(ends))]
    x, y = draw_coordinate(rng), draw_coordinate(rng)
    used_x, used_y = used_coordinates(scene)
    kind = rng.integers(3)
    if kind == 0 and used_x:
        x = used_x[rng.integers(len(used_x))]
    if kind == 1 and used_y:
        y = used_y[rng.integers(len(used_y))]
    return x, y


def line_ends(scene: list[dict]) -> list[tuple[int, int]]:
    """The end points of the placed lines; a point where two lines end stands here twice."""
    lines = [line for line in scene if line["category"] == "line"]
    return [(line["x1"], line["y1"]) for line in lines] + [(line["x2"], line["y2"]) for line in lines]


def used_coordinates(scene: list[dict]) -> tuple[list[int], list[int]]:
    """The distinct x and the distinct y of the circles (centre and extremes), corners and end points.

    "each distinct value once, while end points keep their repeats" is read so: the values here are distinct, also
    those of end points; the repeats are those of `line_ends`, out of which a whole point is drawn.
    """
    used_x, used_y = set(), set()
    for shape in scene:
        if shape["category"] == "circle":
            used_x.update((shape["x"] - 1, shape["x"], shape["x"] + 1))
            used_y.update((shape["y"] - 1, shape["y"], shape["y"] + 1))
        else:
            used_x.update((shape["x1"], shape["x2"]))
            used_y.update((shape["y1"], shape["y2"]))
    return sorted(used_x), sorted(used_y)


def attachment_points(shape: dict) -> list[tuple[int, int, str]]:
    """The points (x, y, side) of a shape where a line may be attached; side is "h" (left, right) or "v"."""
    if shape["category"] == "circle":
        x, y = shape["x"], shape["y"]
        return [(x - 1, y, "h"), (x + 1, y, "h"), (x, y - 1, "v"), (x, y + 1, "v")]
    inner_x = range(shape["x1"] + 1, shape["x2"])
    inner_y = range(shape["y1"] + 1, shape["y2"])
    return [(x, y, "v") for y in (shape["y1"], shape["y2"]) for x in inner_x] + [
        (x, y, "h") for x in (shape["x1"], shape["x2"]) for y in inner_y
    ]


def attachment_candidates(rng: Generator, shapes: list[dict]) -> list[tuple]:
    """The (start, end) pairs of points that a line may join.

    A pair of equal points (circles that touch) is no line and so no candidate.
    """
    aligned, free = [], []
    for first, second in combinations(shapes, 2):
        for xa, ya, side_a in attachment_points(first):
            for xb, yb, side_b in attachment_points(second):
                start, end = (xa, ya), (xb, yb)
                if start == end:
                    continue
                is_aligned = (xa == xb and side_a == side_b == "v") or (ya == yb and side_a == side_b == "h")
                if is_aligned:
                    start, end = sorted((start, end))
                line = {"category": "line", "x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
                if not any(intersects(line, shape) for shape in shapes):
                    (aligned if is_aligned else free).append((start, end))
    if aligned:
        free = [free[index] for index in rng.permutation(len(free))[: max(2, len(aligned))]]
    return aligned + free


def intersects(first: dict, second: dict) -> bool:
    """Whether two objects intersect, by the rules for their categories."""
    categories = (first["category"], second["category"])
    if categories == ("circle", "circle"):
        return hypot(first["x"] - second["x"], first["y"] - second["y"]) < 2
    if categories[1] == "circle":
        return any(circle_meets_segment(second, segment) for segment in segments(first))
    if categories[0] == "circle":
        return intersects(second, first)
    if categories == ("rectangle", "line"):
        return intersects(second, first)
    if categories == ("line", "rectangle"):
        line = shorten(*segments(first))
        return any(segments_meet(line, side) for side in segments(second))
    return any(segments_meet(a, b) for a in segments(first) for b in segments(second))


def segments(shape: dict) -> list[tuple]:
    """The segment of a line, or the sides of a rectangle as they run round it, each as (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = (shape[name] for name in ("x1", "y1", "x2", "y2"))
    if shape["category"] == "line":
        return [(x1, y1, x2, y2)]
    return [(x1, y1, x2, y1), (x2, y1, x2, y2), (x2, y2, x1, y2), (x1, y2, x1, y1)]


def circle_meets_segment(circle: dict, segment: tuple) -> bool:
    """Whether any of 11 evenly spaced points of the segment lies strictly inside; in tenths, so all is exact."""
    x1, y1, x2, y2 = segment
    for step in range(11):
        x = 10 * x1 + step * (x2 - x1)
        y = 10 * y1 + step * (y2 - y1)
        if (x - 10 * circle["x"]) ** 2 + (y - 10 * circle["y"]) ** 2 < 100:
            return True
    return False


def shorten(segment: tuple) -> tuple:
    """The segment less 0.1 at each end."""
    x1, y1, x2, y2 = segment
    length = hypot(x2 - x1, y2 - y1)
    dx, dy = 0.1 * (x2 - x1) / length, 0.1 * (y2 - y1) / length
    return x1 + dx, y1 + dy, x2 - dx, y2 - dy


def segments_meet(a: tuple, b: tuple) -> bool:
    """Whether two segments cross or touch, shortened first unless they run the same way, rounded to 0.1."""
    if not same_way(a, b):
        a, b = shorten(a), shorten(b)
    ax1, ay1, ax2, ay2 = (round(10 * value) for value in a)
    bx1, by1, bx2, by2 = (round(10 * value) for value in b)
    a1, a2, b1, b2 = (ax1, ay1), (ax2, ay2), (bx1, by1), (bx2, by2)
    turns_b = turn(a1, a2, b1), turn(a1, a2, b2)
    turns_a = turn(b1, b2, a1), turn(b1, b2, a2)
    if turns_b[0] * turns_b[1] < 0 and turns_a[0] * turns_a[1] < 0:
        return True
    return (
        (turns_b[0] == 0 and in_box(b1, a1, a2))
        or (turns_b[1] == 0 and in_box(b2, a1, a2))
        or (turns_a[0] == 0 and in_box(a1, b1, b2))
        or (turns_a[1] == 0 and in_box(a2, b1, b2))
    )


def same_way(a: tuple, b: tuple) -> bool:
    """Whether both are vertical, horizontal or of one angle, and point the same way."""
    ax, ay, bx, by = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    return abs(ax * by - ay * bx) < 1e-6 and ax * bx + ay * by > 0


def turn(a: tuple, b: tuple, c: tuple) -> int:
    """The sign of the turn from a through b to c: 1 left, -1 right, 0 straight."""
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)


def in_box(point: tuple, corner: tuple, opposite: tuple) -> bool:
    return all(min(a, b) <= value <= max(a, b) for value, a, b in zip(point, corner, opposite, strict=True))
