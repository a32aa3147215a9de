"""Scenes and drawings for transfer to hand drawings: other directions, other hands, the same wherever drawn."""

from dataclasses import replace

import numpy as np
import pytest

from datasets_scripts.noisy_shapes.drawing import CIRCLE, draw
from datasets_scripts.noisy_shapes.language import LANGUAGE
from datasets_scripts.noisy_shapes.renderers import RENDERERS
from datasets_scripts.noisy_shapes.sampler import sample_scene
from datasets_scripts.noisy_shapes.strokes import trace
from datasets_scripts.noisy_shapes.variation import BEND, DASH, DASH_LENGTH, HEAD, PEN, WAVELENGTH, sketch, vary
from datasets_scripts.noisy_shapes.waves import Waves
from modeling_derender.specification import is_valid


NUM_SCENES = 400


def make_rngs(number=NUM_SCENES):
    return [np.random.default_rng([5, index]) for index in range(number)]


def sample(**options):
    return [sample_scene(rng, **options) for rng in make_rngs()]


def lines_of(scenes, arrow):
    return [item for scene in scenes for item in scene if item["category"] == "line" and item["arrow"] == arrow]


def is_backward(line):
    return (line["x1"], line["y1"]) > (line["x2"], line["y2"])


def is_diagonal(line):
    return line["x1"] != line["x2"] and line["y1"] != line["y2"]


def share(scenes, arrow, condition):
    return np.mean([condition(line) for line in lines_of(scenes, arrow)])


def test_arrows_are_turned():
    plain, turned = sample(), sample(turned=0.5)
    assert all(is_valid(LANGUAGE, scene) for scene in turned)
    assert share(turned, True, is_backward) == pytest.approx(0.5, abs=0.04)
    assert share(turned, False, is_backward) == 0
    before, after = (share(scenes, True, is_backward) for scenes in (plain, sample(turned=1.0)))
    assert before < 0.45 and after == pytest.approx(1 - before, abs=0.06)


def test_lines_that_are_not_attached_may_be_diagonal():
    lines = sample(diagonal=0.5, max_objects=2)
    assert all(is_valid(LANGUAGE, scene) for scene in lines)
    assert share(lines, False, is_diagonal) > share(sample(max_objects=2), False, is_diagonal) + 0.2


def test_without_the_options_scenes_are_as_they_were():
    assert sample() == sample(turned=0.0, diagonal=0.0)


@pytest.mark.parametrize("name", ["turned", "diagonal"])
@pytest.mark.parametrize("value", [-0.1, 1.5, True, "0.5", float("nan")])
def test_bad_shares_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number from 0 to 1"):
        sample_scene(np.random.default_rng(0), **{name: value})


@pytest.mark.parametrize("side", [64, 256])
@pytest.mark.parametrize("name", ["varied", "sketched", "freehand", "coarse"])
def test_a_batch_has_the_bytes_of_single_pictures(name, side):
    scenes, render = sample()[:12], RENDERERS[name]
    pictures = render(scenes, (side, side), make_rngs(12))
    singles = [render([scene], (side, side), [rng])[0] for scene, rng in zip(scenes, make_rngs(12), strict=True)]
    assert np.array_equal(pictures, np.stack(singles))
    usual = RENDERERS["noisy"](scenes, (side, side), make_rngs(12))
    assert all((one != two).any() for one, two in zip(pictures, usual, strict=True))
    assert np.array_equal(render(scenes, (side, side)), RENDERERS["clean"](scenes, (side, side)))


def test_each_scene_has_a_hand_of_its_own():
    scenes = sample()
    drawn = draw(scenes, make_rngs())
    varied = vary(drawn, make_rngs())
    pen = varied.line_width / drawn.line_width
    for scene in range(NUM_SCENES):
        assert np.ptp(pen[drawn.scene == scene]) < 1e-12
    assert PEN[0] <= pen.min() < PEN[0] * 1.05 and PEN[1] * 0.95 < pen.max() <= PEN[1]
    dashed = drawn.dash[:, 0] > 0
    dash = varied.dash[dashed] / drawn.dash[dashed]
    assert DASH[0] <= dash.min() and dash.max() <= DASH[1] and (varied.dash[~dashed] == 0).all()
    moved = np.abs(varied.geometry - drawn.geometry)
    assert 0.1 < moved[:, :2].mean() < 0.5 and moved.max() < 1.3
    circle = drawn.kind == CIRCLE
    assert (varied.geometry[circle, 3] == 0).all() and (varied.geometry[circle, 2] >= 0.5).all()
    assert moved[circle, 2].std() > 0.01


def test_each_sketch_has_heads_dashes_and_bends_of_its_own():
    scenes = sample()
    varied, sketched = vary(draw(scenes, make_rngs()), make_rngs()), sketch(draw(scenes, make_rngs()), make_rngs())
    assert np.array_equal(varied.geometry, sketched.geometry) and np.array_equal(
        varied.line_width, sketched.line_width
    )
    head = sketched.tip_scale / varied.tip_scale
    assert HEAD[0] <= head.min() < HEAD[0] * 1.05 and HEAD[1] * 0.95 < head.max() <= HEAD[1]
    dashed = varied.dash[:, 0] > 0
    lengths = sketched.dash[dashed] / varied.dash[dashed]
    assert DASH_LENGTH[0] <= lengths.min() and lengths.max() <= DASH_LENGTH[1] and (sketched.dash[~dashed] == 0).all()
    assert (lengths[:, 0] != lengths[:, 1]).all()
    for scene in range(NUM_SCENES):
        assert np.ptp(head[varied.scene == scene]) < 1e-12
    wavelength = 2 * np.pi / np.abs(sketched.waves.vector)
    assert WAVELENGTH[0] <= wavelength.min() and wavelength.max() <= WAVELENGTH[1]
    bend = np.sqrt(
        [np.mean(np.abs(sketched.waves.amplitude / wavelength)[varied.scene == i] ** 2) for i in range(400)]
    )
    assert bend.max() < 3 * BEND and bend.min() < 0.1 * BEND  # some hands are free and some firm


def test_a_wave_bends_a_line():
    straight = draw([[{"category": "line", "x1": 2, "y1": 8, "x2": 14, "y2": 8, "arrow": False, "solid": True}]])
    upright = np.full((1, 1), 2 * np.pi / 12 + 0j)  # one wave, 12 units long, whose crest is at x = 8
    waves = Waves(
        vector=upright, phase=np.full((1, 1), np.pi / 2 - 8 * 2 * np.pi / 12), amplitude=np.full((1, 1), 0.5j)
    )
    segments, _ = trace(replace(straight, waves=waves))
    assert segments.start[0] == pytest.approx(2 + 7.5j) and segments.end[-1] == pytest.approx(14 + 7.5j)
    assert np.array_equal(segments.start[1:], segments.end[:-1])
    expected = 8 + 0.5 * np.cos((segments.start.real - 8) * 2 * np.pi / 12)
    assert np.allclose(segments.start.imag, expected) and segments.start.imag.max() == pytest.approx(8.5, abs=0.01)


def test_a_sketch_bends_what_is_drawn():
    circle = [[{"category": "circle", "x": 8, "y": 8}]] * 100
    spread = {}
    for name, hand in (("varied", vary), ("sketched", sketch)):
        segments, _ = trace(hand(draw(circle, make_rngs(100)), make_rngs(100)), make_rngs(100))
        radii = [segments.start[segments.scene == scene] for scene in range(100)]
        spread[name] = np.mean([np.std(np.abs(points - points.mean())) for points in radii])
    assert spread["sketched"] > 1.3 * spread["varied"]


@pytest.mark.parametrize("name", ["varied", "sketched", "freehand", "coarse"])
def test_an_empty_batch_and_an_empty_scene(name):
    assert RENDERERS[name]([], (32, 32), []).shape == (0, 32, 32)
    assert RENDERERS[name]([[]], (32, 32), make_rngs(1)).shape == (1, 32, 32)
