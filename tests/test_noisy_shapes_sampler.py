"""The fast sampler of Noisy Shapes draws scenes as the plain one does, with the figures of the original code."""

import itertools
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from plain_sampler import attachment_points, intersects
from plain_sampler import sample_scene as sample_plain_scene
from scipy.stats import chi2

from datasets_scripts.noisy_shapes import attachments, sampler
from datasets_scripts.noisy_shapes.intersection import (
    circle_body,
    circle_reach,
    line_reach,
    lines_meet,
    rectangle_body,
    rectangle_reach,
)
from datasets_scripts.noisy_shapes.language import LANGUAGE
from datasets_scripts.noisy_shapes.sampler import sample_scene
from modeling_derender.specification import is_valid


CATEGORIES = ("circle", "rectangle", "line")
TIKZ_SCENES = Path(__file__).parents[2] / "shared" / "data" / "noisy_shapes_tikz" / "metadata.jsonl"
NUM_PLAIN, NUM_FAST, NUM_CHANGED = 500, 6_000, 2_000
FALSE_ALARM = 0.01
"""The chance that any of the statistics would tell two equal samplers apart, were the seeds not fixed."""


# Statistics: (scene, its number) -> one value, or None where the scene has none. One value a scene, so that the values
# are independent, as the chi-square test asks; out of several objects the scene's number picks one.


def of(scene: list[dict], category: str) -> list[dict]:
    return [item for item in scene if item["category"] == category]


def pick(scene: list[dict], number: int, category: str) -> dict | None:
    items = of(scene, category)
    return items[number % len(items)] if items else None


def property_of(category: str, name: str):
    return lambda scene, number: item[name] if (item := pick(scene, number, category)) else None


def extent_of(category: str, low: str, high: str):
    return lambda scene, number: item[high] - item[low] if (item := pick(scene, number, category)) else None


def direction(line: dict) -> str:
    if line["x1"] == line["x2"]:
        return "vertical"
    return "horizontal" if line["y1"] == line["y2"] else "diagonal"


def line_kind(scene: list[dict], number: int) -> tuple | None:
    line = pick(scene, number, "line")
    return (direction(line), line["arrow"], line["solid"]) if line else None


def is_attached(line: dict, scene: list[dict]) -> bool:
    """Whether both ends are attachment points, of two different shapes."""
    shapes = [{point[:2] for point in attachment_points(item)} for item in scene if item["category"] != "line"]
    start, end = (line["x1"], line["y1"]), (line["x2"], line["y2"])
    return any(start in one and end in other for one, other in itertools.permutations(shapes, 2))


def attached_kind(scene: list[dict], number: int) -> tuple | None:
    """Whether a line is attached, its direction, and whether it runs the positive way."""
    line = pick(scene, number, "line")
    if not line:
        return None
    return is_attached(line, scene), direction(line), (line["x1"], line["y1"]) < (line["x2"], line["y2"])


def corners(rectangle: dict) -> set[tuple]:
    return {(rectangle[x], rectangle[y]) for x in ("x1", "x2") for y in ("y1", "y2")}


def shares_corner(scene: list[dict], number: int = 0) -> bool:
    return any(corners(a) & corners(b) for a, b in itertools.combinations(of(scene, "rectangle"), 2))


def shared_ends(scene: list[dict], number: int) -> int | None:
    """How many line ends stand where another line ends."""
    ends = Counter((line[f"x{i}"], line[f"y{i}"]) for line in of(scene, "line") for i in (1, 2))
    return sum(ends.values()) - len(ends) if len(ends) > 2 else None


def repeated_coordinates(scene: list[dict], number: int) -> int | None:
    """How many coordinates of the corners of three rectangles stand there again, in x and in y."""
    rectangles = of(scene, "rectangle")[:3]
    if len(rectangles) < 3:
        return None
    return 12 - sum(
        len({item[name] for item in rectangles for name in names}) for names in (("x1", "x2"), ("y1", "y2"))
    )


STATISTICS = {
    "objects": lambda scene, number: len(scene),
    **{f"{name}s": lambda scene, number, name=name: len(of(scene, name)) for name in CATEGORIES},
    "line kind": line_kind,
    "attached kind": attached_kind,
    "diagonal lines": lambda scene, number: sum(direction(line) == "diagonal" for line in of(scene, "line")),
    "attached lines": lambda scene, number: sum(is_attached(line, scene) for line in of(scene, "line")),
    "shared corner": shares_corner,
    "shared line ends": shared_ends,
    "repeated coordinates": repeated_coordinates,
    "circle x": property_of("circle", "x"),
    "circle y": property_of("circle", "y"),
    "rectangle x1": property_of("rectangle", "x1"),
    "rectangle y2": property_of("rectangle", "y2"),
    "rectangle width": extent_of("rectangle", "x1", "x2"),
    "rectangle height": extent_of("rectangle", "y1", "y2"),
    "line x1": property_of("line", "x1"),
    "line y2": property_of("line", "y2"),
    "line x extent": extent_of("line", "x1", "x2"),
    "line y extent": extent_of("line", "y1", "y2"),
}


def count(statistic, scenes: list[list[dict]]) -> Counter:
    values = (statistic(scene, number) for number, scene in enumerate(scenes))
    return Counter(value for value in values if value is not None)


def chi_square_p(first: Counter, second: Counter) -> float:
    """The p value of a two-sample chi-square test; values expected fewer than five times are pooled."""
    totals = np.array([first.total(), second.total()])
    cells, pooled = [], np.zeros(2)
    for value in first.keys() | second.keys():
        observed = np.array([first[value], second[value]])
        if (observed.sum() * totals / totals.sum()).min() < 5:
            pooled += observed
        else:
            cells.append(observed)
    if pooled.sum():
        cells.append(pooled)
    observed = np.array(cells)
    expected = observed.sum(1, keepdims=True) * totals / totals.sum()
    return float(chi2.sf(((observed - expected) ** 2 / expected).sum(), len(cells) - 1))


def smallest_p(first: list[list[dict]], second: list[list[dict]]) -> float:
    return min(chi_square_p(count(s, first), count(s, second)) for s in STATISTICS.values())


def sample(sampler_function, number: int, seed: int) -> list[list[dict]]:
    rng = np.random.default_rng(seed)
    return [sampler_function(rng) for _ in range(number)]


@pytest.fixture(scope="module")
def plain_scenes():
    return sample(sample_plain_scene, NUM_PLAIN, seed=1)


@pytest.fixture(scope="module")
def fast_scenes():
    return sample(sample_scene, NUM_FAST, seed=2)


# The distribution.


@pytest.mark.parametrize("name", STATISTICS)
def test_the_fast_and_the_plain_sampler_agree(name, plain_scenes, fast_scenes):
    statistic = STATISTICS[name]
    assert chi_square_p(count(statistic, plain_scenes), count(statistic, fast_scenes)) > FALSE_ALARM / len(STATISTICS)


def without_reuse(monkeypatch):
    monkeypatch.setattr(sampler._Scene, "use", lambda self, xs, ys: None)


def without_attachments(monkeypatch):
    monkeypatch.setattr(sampler, "attachment_candidates", lambda *args: [])


def with_all_free_lines(monkeypatch):
    monkeypatch.setattr(
        attachments, "_some_free_lines", lambda points, bodies, wanted, draw: attachments._free_lines(points, bodies)
    )


def with_few_diagonals(monkeypatch):
    draw_segment = sampler._Scene.draw_segment

    def redraw_diagonals_once(self, candidates):
        segment = draw_segment(self, candidates)
        is_diagonal = segment[0] != segment[2] and segment[1] != segment[3]
        return draw_segment(self, candidates) if is_diagonal else segment

    monkeypatch.setattr(sampler._Scene, "draw_segment", redraw_diagonals_once)


def with_crossing_rectangles(monkeypatch):
    monkeypatch.setattr(sampler, "rectangle_reach", lambda *corners: 0)


@pytest.mark.parametrize(
    "change",
    [without_reuse, without_attachments, with_all_free_lines, with_few_diagonals, with_crossing_rectangles],
)
def test_a_changed_sampler_is_told_apart(change, plain_scenes, monkeypatch):
    change(monkeypatch)
    assert smallest_p(plain_scenes, sample(sample_scene, NUM_CHANGED, seed=3)) < FALSE_ALARM / len(STATISTICS)


def test_the_figures_of_the_original_code(fast_scenes):
    """Measured over 3,500 of its scenes; each figure within 3 standard errors, of both samples together."""
    counts = np.array(
        [
            (
                len(scene),
                len(of(scene, "line")),
                len(of(scene, "rectangle")),
                sum(direction(line) == "diagonal" for line in of(scene, "line")),
                shares_corner(scene),
            )
            for scene in fast_scenes
        ],
        dtype=float,
    )
    objects, lines, rectangles, diagonals, corner_shared = counts.T
    diagonal_share = diagonals.sum() / lines.sum()
    # The share is a ratio of two sums: its spread is that of the residuals, over the mean of the divisor.
    diagonal_deviation = (diagonals - diagonal_share * lines).std() / lines.mean()
    figures = {
        "objects a scene": (objects.mean(), 6.53, objects.std()),
        "lines a scene": (lines.mean(), 2.17, lines.std()),
        "rectangles a scene": (rectangles.mean(), 2.18, rectangles.std()),
        "share of diagonal lines": (diagonal_share, 0.343, diagonal_deviation),
        "share of scenes with a shared corner": (corner_shared.mean(), 287 / 3500, corner_shared.std()),
    }
    for name, (measured, original, deviation) in figures.items():
        standard_error = deviation * (1 / 3500 + 1 / len(fast_scenes)) ** 0.5
        assert abs(measured - original) < 3 * standard_error, f"{name}: {measured:.4f} against {original:.4f}"


def test_most_attached_axis_arrows_point_the_positive_way(fast_scenes):
    arrows = [
        (line["x1"], line["y1"]) < (line["x2"], line["y2"])
        for scene in fast_scenes
        for line in of(scene, "line")
        if line["arrow"] and direction(line) != "diagonal" and is_attached(line, scene)
    ]
    # The figure is given as 93%, so to 0.005, besides three standard errors of this sample.
    assert np.mean(arrows) == pytest.approx(0.93, abs=0.005 + 3 * (0.93 * 0.07 / len(arrows)) ** 0.5)


# Intersection.


def random_object(category: str, size: int, rng: random.Random) -> dict:
    """An object within 1..size; half of the lines run along an axis."""
    if category == "circle":
        return {"category": category, "x": rng.randint(2, size - 1), "y": rng.randint(2, size - 1)}
    while True:
        x1, y1, x2, y2 = (rng.randint(1, size) for _ in range(4))
        if category == "line":
            along = rng.choice(("x", "y", "free", "free"))
            x2, y2 = (x2, y1) if along == "x" else (x1, y2) if along == "y" else (x2, y2)
        if (x1 < x2 and y1 < y2) if category == "rectangle" else (x1, y1) != (x2, y2):
            return {"category": category, "x1": x1, "y1": y1, "x2": x2, "y2": y2}


def ends(item: dict) -> tuple[int, int, int, int]:
    return item["x1"], item["y1"], item["x2"], item["y2"]


def body(item: dict) -> int:
    return circle_body(item["x"], item["y"]) if item["category"] == "circle" else rectangle_body(*ends(item))


def reach(item: dict) -> int:
    if item["category"] == "circle":
        return circle_reach(item["x"], item["y"])
    return rectangle_reach(*ends(item)) if item["category"] == "rectangle" else line_reach(*ends(item))


def fast_intersects(placed: dict, drawn: dict) -> bool:
    if placed["category"] == drawn["category"] == "line":
        return lines_meet(ends(drawn), ends(placed))
    return bool(reach(drawn) & body(placed))


@pytest.mark.parametrize("size", [5, 15])  # On a small canvas objects often touch.
@pytest.mark.parametrize("pair", list(itertools.combinations_with_replacement(CATEGORIES, 2)))
def test_the_fast_and_the_plain_intersection_agree(pair, size):
    rng = random.Random(f"{pair} {size}")
    answers = Counter()
    for _ in range(1500):
        placed, drawn = (random_object(category, size, rng) for category in pair)
        expected = intersects(drawn, placed)
        assert fast_intersects(placed, drawn) == expected, (placed, drawn)
        answers[expected] += 1
    assert min(answers[True], answers[False]) > 30


def test_no_two_objects_of_a_scene_intersect(fast_scenes):
    for scene in fast_scenes[:150]:
        assert not any(intersects(drawn, placed) for placed, drawn in itertools.combinations(scene, 2))


@pytest.mark.skipif(not TIKZ_SCENES.exists(), reason="the real TikZ scenes are not at ../shared/data")
def test_no_two_objects_of_the_original_scenes_intersect():
    scenes = [json.loads(line)["objects"] for line in TIKZ_SCENES.read_text().splitlines()]
    for scene in scenes:
        assert not any(fast_intersects(placed, drawn) for placed, drawn in itertools.combinations(scene, 2))


# What a caller relies on.


def test_the_scene_depends_on_the_seed_alone():
    first, again, other = (sample(sample_scene, 20, seed) for seed in (5, 5, 6))
    assert first == again != other


def test_scenes_are_valid_plain_objects_in_order_of_placing(fast_scenes):
    for scene in fast_scenes[:2000]:
        assert json.loads(json.dumps(scene)) == scene
        assert all(type(value) in (str, int, bool) for item in scene for value in item.values())
        assert is_valid(LANGUAGE, scene)
        categories = [CATEGORIES.index(item["category"]) for item in scene]
        assert categories == sorted(categories)
        assert all(line["arrow"] or ends(line)[:2] < ends(line)[2:] for line in of(scene, "line"))


@pytest.mark.parametrize("minimum, maximum", [(1, 1), (2, 3), (1, 3), (5, 5)])
def test_the_number_of_objects_is_uniform_between_its_limits(minimum, maximum):
    """So few objects are practically never too crowded for the number drawn."""
    rng = np.random.default_rng(7)
    numbers = Counter(len(sample_scene(rng, min_objects=minimum, max_objects=maximum)) for _ in range(1000))
    choices = range(minimum, maximum + 1)
    assert set(numbers) == set(choices)
    uniform = Counter(dict.fromkeys(choices, 1_000_000))
    assert len(choices) == 1 or chi_square_p(numbers, uniform) > FALSE_ALARM


@pytest.mark.parametrize(
    "options, message",
    [
        ({"min_objects": 0}, "min_objects"),
        ({"max_objects": 0}, "max_objects"),
        ({"min_objects": 4, "max_objects": 3}, r"min_objects \(4\) must not exceed max_objects \(3\)"),
        ({"max_objects": 2.5}, "max_objects.*2.5"),
        ({"min_objects": "1"}, "min_objects.*'1'"),
        ({"min_objects": True}, "min_objects"),
    ],
)
def test_bad_limits_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        sample_scene(np.random.default_rng(0), **options)
