"""Render and compare: it finds its way back to a scene, keeps to its budget, and never makes a picture worse."""

from functools import partial

import numpy as np
import pytest
import toy_language

from datasets_scripts import abstract_scenes, noisy_shapes
from derender.alignment import Alignment
from derender.likeness import Likeness
from derender.search import Neighbours, Refiner
from modeling_derender.scoring import set_scores
from modeling_derender.specification import check_object, check_objects, is_valid


SHAPES = noisy_shapes.LANGUAGE


class Counting:
    """A renderer that counts what it draws."""

    def __init__(self, draw):
        self.draw, self.drawn = draw, 0

    def __call__(self, scenes, size):
        self.drawn += len(scenes)
        return self.draw(scenes, size=size)


@pytest.fixture(scope="module")
def scenes(clip_art_dir) -> list[list[dict]]:
    return list(abstract_scenes.read_scenes("train", data_dir=clip_art_dir).values())[:4]


@pytest.fixture(scope="module")
def draw_scenes(clip_art_dir):
    return partial(abstract_scenes.render_batch, data_dir=clip_art_dir)


def disturb(scene: list[dict], rng: np.random.Generator) -> list[dict]:
    """Every object elsewhere, and some mirrored or at another depth."""
    moved = []
    for item in scene:
        x, y = (int(item[name] + rng.normal(0, 12)) for name in ("x", "y"))
        change = {"flip": not item["flip"]} if rng.random() < 0.2 else {"depth": int(rng.integers(3))}
        other = {**item, "x": x, "y": y, **(change if rng.random() < 0.4 else {})}
        moved.append(check_object(abstract_scenes.LANGUAGE, other))
    return moved


def refine(language, likeness, start, budget, **options):
    (error,) = likeness.errors([start])
    return error, Refiner(language, likeness, budget, **options).run(start, float(error))


def test_scenes_are_found_again(scenes, draw_scenes):
    before, after = [], []
    for number, scene in enumerate(scenes):
        counting = Counting(draw_scenes)
        likeness = Likeness(counting, draw_scenes([scene])[0], "buckets", 500)
        error, found = refine(
            abstract_scenes.LANGUAGE, likeness, disturb(scene, np.random.default_rng(number)), budget=200
        )
        assert counting.drawn - 1 == found.drawn <= 200
        assert found.error == pytest.approx(likeness.errors([found.objects])[0])
        before.append(error)
        after.append(found.error)
    assert np.mean(after) < 0.25 * np.mean(before)


@pytest.mark.parametrize("budget", [1, 5, 30, 100])
def test_the_budget_holds_and_nothing_gets_worse(budget, scenes, draw_scenes):
    counting = Counting(draw_scenes)
    likeness = Likeness(counting, draw_scenes([scenes[0]])[0], "buckets", 500)
    error, found = refine(abstract_scenes.LANGUAGE, likeness, disturb(scenes[0], np.random.default_rng(9)), budget)
    assert counting.drawn - 1 == found.drawn <= budget
    errors = [likeness.errors([found.objects_at(drawn)])[0] for drawn in range(0, budget + 1, max(1, budget // 10))]
    assert errors == sorted(errors, reverse=True) and errors[0] == error and found.objects_at(budget) == found.objects


def test_a_missing_object_is_added_and_a_wrong_one_dropped(scenes, draw_scenes):
    scene = scenes[1]
    likeness = Likeness(draw_scenes, draw_scenes([scene])[0], "buckets", 500)
    absent = next(
        item for other in scenes for item in other if item["category"] not in {own["category"] for own in scene}
    )
    missing = {**scene[0], "x": scene[0]["x"] + 17}
    _, found = refine(abstract_scenes.LANGUAGE, likeness, [absent, *scene[1:]], 150, extra=[missing])
    assert found.error < 0.001 and set_scores(found.objects, scene)["iou"] > 0.8


def test_shapes_are_found_again():
    truth = check_objects(SHAPES, noisy_shapes.sample_scene(np.random.default_rng(1), 5, 6))
    start = [*truth[1:]]
    start[0] = next(iter(Neighbours(SHAPES).moves(start[0]).values()))
    after = []
    for seed in range(6):  # a line more or less hardly shows in some
        drawn = noisy_shapes.render(truth, rng=np.random.default_rng(seed), image_noise=False)
        likeness = Likeness(noisy_shapes.render_batch, drawn, "blurred", 16)
        error, found = refine(SHAPES, likeness, start, 150, extra=[truth[0]])
        assert found.error < 0.4 * error
        after.append(set_scores(found.objects, truth)["iou"])
    assert np.mean(after) > set_scores(start, truth)["iou"] and max(after) == 1


def test_an_object_dropped_from_beside_its_place_is_put_there():
    truth = check_objects(SHAPES, noisy_shapes.sample_scene(np.random.default_rng(1), 5, 5))
    drawn = noisy_shapes.render(truth, rng=np.random.default_rng(2), image_noise=False)
    likeness = Likeness(noisy_shapes.render_batch, drawn, "blurred", 16)
    circle = truth[1]
    beside = [truth[0], circle | {"x": circle["x"] + 1}, *truth[2:]]
    dropped, wrong, right = likeness.errors([[truth[0], *truth[2:]], beside, truth])
    assert circle["category"] == "circle" and right < dropped < wrong
    _, found = refine(SHAPES, likeness, beside, 60)
    assert circle in found.objects and set_scores(found.objects, truth)["iou"] == 1


def test_an_object_that_is_not_in_the_pencil_is_dropped():
    truth = check_objects(SHAPES, noisy_shapes.sample_scene(np.random.default_rng(1), 5, 5))
    drawn = noisy_shapes.render(truth, rng=np.random.default_rng(2), image_noise=False)
    likeness = Likeness(noisy_shapes.render_batch, drawn, "blurred", 16)
    extra = {"category": "rectangle", "x1": 1, "y1": 1, "x2": 15, "y2": 15}
    _, found = refine(SHAPES, likeness, [*truth, extra], 60)
    assert extra not in truth and set_scores(found.objects, truth)["iou"] == 1


def test_likeness_of_blank_pages():
    blank = np.full((256, 256), 255, np.uint8)
    circle = {"category": "circle", "x": 5, "y": 5}
    assert Likeness(noisy_shapes.render_batch, blank, "blurred", 16).errors([[], [circle]]).tolist() == [0, 1]
    drawn = Likeness(noisy_shapes.render_batch, noisy_shapes.render([circle]), "blurred", 16)
    assert drawn.errors([[], [circle]]) == pytest.approx([1, 0], abs=1e-6)


def test_what_does_not_fit_is_never_taken(scenes, draw_scenes):
    likeness = Likeness(draw_scenes, draw_scenes([scenes[1]])[0], "buckets", 500)
    start = scenes[1][1:]
    _, found = refine(
        abstract_scenes.LANGUAGE, likeness, start, 60, extra=[scenes[1][0]],
        fits=lambda objects: len(objects) <= len(start),
    )  # fmt: skip
    assert len(found.objects) <= len(start)


def test_a_variant_that_is_drawn_is_taken_where_it_stands(scenes, draw_scenes):
    """Two drawings are enough to see that the mirrored object is the right one: there is none left to place it by."""
    scene = [{**scenes[1][0], "x": 250, "y": 200}]
    likeness = Likeness(draw_scenes, draw_scenes([scene])[0], "buckets", 500)
    mirrored = [{**scene[0], "flip": not scene[0]["flip"]}]
    budget = 1 + 1 + len(list(Neighbours(abstract_scenes.LANGUAGE).swapped(scene[0], 3)))
    error, found = refine(abstract_scenes.LANGUAGE, likeness, mirrored, budget)
    assert error > 0 and found.objects == scene and found.error == 0


def test_what_is_taken_is_likelier_as_well():
    """Of what looks no less like the picture, only what the doubt does not speak against."""
    truth = check_objects(SHAPES, noisy_shapes.sample_scene(np.random.default_rng(1), 5, 5))
    likeness = Likeness(noisy_shapes.render_batch, noisy_shapes.render(truth), "blurred", 16)
    start = truth[1:]
    _, found = refine(SHAPES, likeness, start, 100, extra=[truth[0]])
    assert found.error < 1e-6
    _, same = refine(
        SHAPES, likeness, start, 100, extra=[truth[0]],
        doubt=lambda scenes: np.array([10.0 * (objects != start) for objects in scenes]),
    )  # fmt: skip
    assert same.objects == start


@pytest.mark.parametrize("language", [SHAPES, abstract_scenes.LANGUAGE, toy_language.LANGUAGE])
def test_neighbours_are_valid_and_differ_in_one_thing(language, scenes):
    neighbours = Neighbours(language)
    objects = {
        "noisy_shapes": [
            {"category": "circle", "x": 2, "y": 14},
            {"category": "line", "x1": 3, "y1": 3, "x2": 4, "y2": 3, "arrow": False, "solid": True},
        ],
        "abstract_scenes": scenes[0][:1],
        "toy": [{"category": "bar", "x1": 2, "x2": 3, "y": 0}],
    }[language.name]
    for item in objects:
        places, moves = set(language.coordinate_ranges), neighbours.moves(item)
        assert moves
        for other in moves.values():
            assert is_valid(language, [other]) and other != item
        for other in neighbours.swapped(item):
            changed = {name for name in item if other[name] != item[name]}
            assert is_valid(language, [other]) and len(changed - places) == 1
    assert any(list(neighbours.swapped(item)) for item in objects) == (language is not toy_language.LANGUAGE)


def test_neighbours_lie_where_the_language_has_them():
    """Downwards is where y is less, or where it is more."""
    circle = {"category": "circle", "x": 2, "y": 14}
    assert sorted(Neighbours(SHAPES).moves(circle)) == [(0, 0, -1), (0, 1, 0)]
    assert Neighbours(SHAPES).shifted(circle, (2, 3)) == {**circle, "x": 4, "y": 11}
    dot = {"category": "dot", "x": 2, "y": 3}
    assert Neighbours(toy_language.LANGUAGE).shifted(dot, (2, 3)) == {**dot, "x": 4, "y": 6}


def test_alignment_tells_the_shift():
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (100, 120, 3), np.uint8)
    stamp = np.full((20, 30, 3), (200, 30, 60), np.uint8)

    def stamped(left: int, top: int) -> np.ndarray:
        picture = ground.copy()
        picture[top : top + 20, left : left + 30] = stamp
        return picture

    alignment = Alignment(stamped(60, 30), 120, np.random.default_rng(0))
    shift, gain = alignment.find_shift(ground, stamped(43, 41))
    assert shift == (17, -11) and gain == pytest.approx(20 * 30 / (100 * 120), rel=0.05)
    assert alignment.find_shift(ground, ground) == ((0, 0), 0.0)


def test_a_likeness_does_not_mind_the_pencil():
    """A noisy drawing is nearer to its own objects than to others, whatever its strokes' darkness."""
    truth = noisy_shapes.sample_scene(np.random.default_rng(4), 6, 6)
    drawn = noisy_shapes.render(truth, rng=np.random.default_rng(5), image_noise=False)
    for darkness in (1.0, 0.6):
        pale = (255 - darkness * (255 - drawn.astype(float))).astype(np.uint8)
        likeness = Likeness(noisy_shapes.render_batch, pale, "blurred", 16)
        errors = likeness.errors([truth, truth[1:], truth[:-1], []])
        assert errors[0] == errors.min() and errors[-1] == errors.max() == pytest.approx(1)
