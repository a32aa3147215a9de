"""Drawings put together from strokes: where the strokes lie, and which are left as they were."""

from dataclasses import replace

import numpy as np
import pytest

from datasets_scripts.noisy_shapes.drawing import CIRCLE, LINE, NO_TIP, POINT, RECTANGLE, draw
from datasets_scripts.noisy_shapes.freehand import (
    ANGLE,
    CHORDS,
    LONGEST_WING,
    MOST_DASHES,
    SHARE,
    WING,
    draw_freehand,
)
from datasets_scripts.noisy_shapes.variation import sketch


NUM_SCENES = 200
RECTANGLE_OBJECT = {"category": "rectangle", "x1": 3, "y1": 4, "x2": 9, "y2": 12}
CIRCLE_OBJECT = {"category": "circle", "x": 5, "y": 11}
LINE_OBJECT = {"category": "line", "x1": 2, "y1": 3, "x2": 12, "y2": 3, "arrow": False, "solid": True}


def make_rngs(number=NUM_SCENES):
    return [np.random.default_rng([6, index]) for index in range(number)]


def draw_both(objects):
    """The same drawings, a scene each, as sketches and freehand."""
    drawn = draw([objects] * NUM_SCENES, make_rngs())
    return sketch(drawn, make_rngs()), draw_freehand(drawn, make_rngs())


def points_of(drawing, rows):
    return drawing.geometry[rows].view(np.complex128)


def count_by_scene(drawing):
    return np.bincount(drawing.scene, minlength=NUM_SCENES)


def test_about_half_of_the_hands_draw_a_rectangle_by_four_strokes_near_its_sides():
    sketched, freehand = draw_both([RECTANGLE_OBJECT])
    counts = count_by_scene(freehand)
    assert set(counts) == {1, 4} and np.mean(counts == 4) == pytest.approx(SHARE, abs=0.1)
    distances = []
    for scene in np.flatnonzero(counts == 4):
        rows = np.flatnonzero(freehand.scene == scene)
        assert (freehand.kind[rows] == LINE).all()
        x1, y1, x2, y2 = sketched.geometry[scene]
        corners = np.array([x1 + 1j * y1, x1 + 1j * y2, x2 + 1j * y2, x2 + 1j * y1])
        expected = np.stack([corners, np.roll(corners, -1)], -1)
        distances.append(np.abs(points_of(freehand, rows) - expected).max())
    assert 0.05 < np.mean(distances) < 0.4 and max(distances) < 1
    whole = np.flatnonzero(counts == 1)
    assert np.array_equal(freehand.geometry[np.isin(freehand.scene, whole)], sketched.geometry[whole])
    assert (freehand.kind[np.isin(freehand.scene, whole)] == RECTANGLE).all()


def test_about_half_of_the_hands_draw_circles_of_chords_around_the_same_place():
    sketched, freehand = draw_both([CIRCLE_OBJECT])
    counts = count_by_scene(freehand)
    assert set(counts) == {1, CHORDS} and np.mean(counts == CHORDS) == pytest.approx(SHARE, abs=0.1)
    gaps, roundness = [], []
    for scene in np.flatnonzero(counts == CHORDS):
        points = points_of(freehand, np.flatnonzero(freehand.scene == scene))
        assert np.array_equal(points[1:, 0], points[:-1, 1])
        x, y, radius, _ = sketched.geometry[scene]
        distance = np.abs(points[:, 0] - (x + 1j * y))
        assert np.mean(distance) == pytest.approx(radius, rel=0.25)
        roundness.append(distance.min() / distance.max())
        gaps.append(abs(points[0, 0] - points[-1, 1]))
    assert min(roundness) < 0.85 and max(roundness) > 0.95
    assert max(gaps) > 0.2 and np.mean(gaps) < 0.3
    assert (freehand.kind[np.isin(freehand.scene, np.flatnonzero(counts == 1))] == CIRCLE).all()


def test_about_half_of_the_hands_draw_a_head_by_two_strokes_from_the_end():
    sketched, freehand = draw_both([LINE_OBJECT | {"arrow": True}])
    counts = count_by_scene(freehand)
    assert set(counts) == {1, 3} and np.mean(counts == 3) == pytest.approx(SHARE, abs=0.1)
    for scene in range(NUM_SCENES):
        rows = np.flatnonzero(freehand.scene == scene)
        assert np.array_equal(freehand.geometry[rows[0]], sketched.geometry[scene])
        if len(rows) == 1:
            assert freehand.tip[rows[0]] == sketched.tip[scene]
            continue
        assert (freehand.tip[rows] == NO_TIP).all()
        (start, end), *wings = points_of(freehand, rows)
        assert all(wing[0] == end for wing in wings)
        backward = [(wing[1] - end) / (start - end) for wing in wings]
        angles = np.angle(backward)
        assert angles[0] > 0 > angles[1]
        assert ANGLE[0] / 1.6 < np.abs(angles).min() and np.abs(angles).max() < 1.6 * ANGLE[1]
        lengths = np.abs(backward) * abs(start - end)
        assert WING[0] / 1.7 < lengths.min() and lengths.max() < 1.7 * WING[1]


def test_a_head_is_no_longer_than_a_short_line_allows():
    (_, freehand), short = draw_both([LINE_OBJECT | {"arrow": True, "x2": 3}]), []
    for scene in np.flatnonzero(count_by_scene(freehand) == 3):
        (start, end), *wings = points_of(freehand, np.flatnonzero(freehand.scene == scene))
        short += [abs(wing[1] - end) / abs(start - end) for wing in wings]
    assert max(short) < 1.7 * LONGEST_WING


def test_dashes_are_uneven_and_lie_on_their_line():
    sketched, freehand = draw_both([LINE_OBJECT | {"solid": False}])
    counts, uneven = count_by_scene(freehand), []
    assert counts.max() > 3
    for scene in range(NUM_SCENES):
        rows = np.flatnonzero(freehand.scene == scene)
        if freehand.dash[rows[0], 0] > 0:  # too many to be drawn one by one
            assert len(rows) == 1 and np.array_equal(freehand.dash[rows[0]], sketched.dash[scene])
            continue
        assert len(rows) <= MOST_DASHES and (freehand.dash[rows] == 0).all()
        start, end = sketched.geometry[scene].view(np.complex128)
        along = (points_of(freehand, rows) - start) / (end - start)
        assert np.abs(along.imag).max() < 1e-9
        places = along.real.ravel()
        assert places[0] == pytest.approx(0, abs=1e-9) and places[-1] <= 1 + 1e-9 and (np.diff(places) > 0).all()
        lengths = np.diff(along.real, axis=1)[:-1, 0] * abs(end - start) / (sketched.dash[scene, 0] * POINT)
        uneven.append(np.std(np.log(lengths)) if len(lengths) > 3 else 0)
    assert max(uneven) > 0.2 and np.mean(uneven) > 0.05


def test_a_dashed_arrow_keeps_its_tip_and_its_dashes_or_loses_both():
    _, freehand = draw_both([LINE_OBJECT | {"arrow": True, "solid": False}])
    tipped = freehand.tip != NO_TIP
    assert tipped.any() and (freehand.dash[tipped, 0] > 0).all()


def test_strokes_bend_by_the_waves_of_what_they_are_of():
    drawn = draw([[RECTANGLE_OBJECT, LINE_OBJECT]] * NUM_SCENES, make_rngs())
    sketched, freehand = sketch(drawn, make_rngs()), draw_freehand(drawn, make_rngs())
    scene = int(np.flatnonzero(count_by_scene(freehand) == 5)[0])
    rows, before = np.flatnonzero(freehand.scene == scene), np.flatnonzero(sketched.scene == scene)
    amplitudes = {tuple(row) for row in freehand.waves.amplitude[rows]}
    assert amplitudes == {tuple(row) for row in sketched.waves.amplitude[before]}


def test_rows_of_a_scene_stay_together():
    objects = [RECTANGLE_OBJECT, CIRCLE_OBJECT, LINE_OBJECT | {"arrow": True, "solid": False}]
    _, freehand = draw_both(objects)
    assert (np.diff(freehand.scene) >= 0).all() and set(freehand.scene) == set(range(NUM_SCENES))
    sizes = {len(value) for value in vars(replace(freehand, waves=None)).values() if isinstance(value, np.ndarray)}
    assert sizes == {len(freehand.scene)}
