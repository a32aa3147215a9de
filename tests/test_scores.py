"""The scores of an evaluation, by hand: where categories have the same properties, and where they differ in them."""

import numpy as np
import pytest

from datasets_scripts import load_language_folder
from datasets_scripts.abstract_scenes import LANGUAGE as ABSTRACT_SCENES
from datasets_scripts.evaluation_data import EvaluationData
from datasets_scripts.noisy_shapes import LANGUAGE as NOISY_SHAPES
from datasets_scripts.scenes import RenderError
from derender_training.drawing import draw_readings
from derender_training.scores import Scorer, compare_drawings, score_specifications


SUN = {"supercategory": "sky", "category": "s_3", "x": 467, "y": 50, "depth": 2, "flip": True}
BOY = {"supercategory": "boy", "category": "hb0_12", "x": 220, "y": 270, "depth": 0, "flip": True}
CIRCLE = {"category": "circle", "x": 3, "y": 12}
RECTANGLE = {"category": "rectangle", "x1": 1, "y1": 2, "x2": 15, "y2": 9}


def test_a_coordinate_in_the_same_bin_is_right_in_bins_alone():
    """x 451 is in the bin of 467, 450 to 474. Second picture: exact, but one of two objects missing."""
    near = {**SUN, "x": 451}
    scores = score_specifications(ABSTRACT_SCENES, [[near], [SUN]], [[SUN], [SUN, BOY]])
    assert scores["iou"] == (0 + 0.5) / 2
    assert scores["iou_binned"] == (1 + 0.5) / 2
    assert scores["inference_error"] == pytest.approx(6 / 18)


def test_objects_of_different_kinds_agree_where_categories_have_the_same_properties():
    """Only flip is the same: 5 of 6 properties are wrong."""
    scores = score_specifications(ABSTRACT_SCENES, [[SUN]], [[BOY]])
    assert scores["inference_error"] == pytest.approx(5 / 6)


def test_objects_of_different_categories_agree_in_nothing_where_their_properties_differ():
    """A rectangle and a line share two corners' names and values, but they are of different categories."""
    line = {"category": "line", "x1": 1, "y1": 2, "x2": 15, "y2": 9, "arrow": False, "solid": True}
    assert score_specifications(NOISY_SHAPES, [[line]], [[RECTANGLE]])["inference_error"] == 1
    assert score_specifications(NOISY_SHAPES, [[CIRCLE]], [[{**CIRCLE, "x": 4}]])["inference_error"] == 1 / 3


def test_the_scores_of_one_picture():
    scorer = Scorer(ABSTRACT_SCENES, None, "nothing draws")
    assert scorer.score_one([{**SUN, "x": 451}], [SUN]) == {"iou": 0, "iou_binned": 1, "inference_error": 0}


def test_drawings_are_compared_at_the_canvas_size(clip_art_dir):
    data = EvaluationData("abstract_scenes", data_dir=str(clip_art_dir))
    scorer = Scorer.open(ABSTRACT_SCENES, data)
    scores = scorer.score([[SUN], []], [[SUN], [SUN, BOY]])
    render = load_language_folder("abstract_scenes").render
    pictures = [render(objects, data_dir=clip_art_dir).astype(int) for objects in ([], [SUN, BOY])]
    wrong = (pictures[0] * 20 // 256 != pictures[1] * 20 // 256).any(-1).sum()
    assert 0 < scores["reconstruction_error"] == pytest.approx(wrong / (2 * 400 * 500))
    assert scorer.find_drawing_errors([[SUN], []], [[SUN], [SUN, BOY]]) == [0, wrong / (400 * 500)]
    assert scores["average_error"] == (scores["inference_error"] + scores["reconstruction_error"]) / 2


def test_data_that_were_asked_for_and_are_not_there_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="option data_dir: .* is not there"):
        Scorer.open(ABSTRACT_SCENES, EvaluationData("pictures", data_dir=str(tmp_path / "absent")))
    with pytest.raises(ValueError, match="noisy_shapes needs no data of its own"):
        Scorer.open(NOISY_SHAPES, EvaluationData("pictures", data_dir=str(tmp_path)))


def test_without_data_pictures_are_not_scored(monkeypatch):
    monkeypatch.delenv("ABSTRACT_SCENES_DIR", raising=False)
    scores = Scorer.open(ABSTRACT_SCENES, EvaluationData("pictures")).score([[SUN]], [[SUN]])
    assert Scorer(ABSTRACT_SCENES, None).find_drawing_errors([[SUN]], [[SUN]]) is None
    assert scores["reconstruction_error"] is None and "ABSTRACT_SCENES_DIR" in scores["not_drawn"]


def test_a_renderer_that_fails_is_named():
    def fail(scenes, size):
        raise RuntimeError("no ink")

    with pytest.raises(RenderError, match="drawing what is true: no ink"):
        compare_drawings(fail, (4, 4), [[]], [[]])


def test_a_prediction_that_cannot_be_drawn_is_wrong_in_every_pixel():
    def draw(scenes, size):
        if any(len(objects) > 1 for objects in scenes):
            raise RuntimeError("no ink")
        return np.zeros((len(scenes), *size), np.uint8)

    with pytest.warns(UserWarning, match="1 of 3 predictions could not be drawn"):
        assert compare_drawings(draw, (4, 4), [[SUN], [SUN, SUN], []], [[SUN]] * 3) == [0.0, 1.0, 0.0]


def test_where_nothing_can_be_drawn_the_renderer_is_named():
    def fail(scenes, size):
        raise RuntimeError("no ink")

    with pytest.raises(RenderError, match="drawing what was predicted: no ink"):
        draw_readings(fail, [[SUN]], (4, 4))


def test_every_picture_has_an_error_of_its_own():
    shades = {0: 0, 1: 255}

    def draw(scenes, size):
        return np.array([np.full(size, shades[len(objects)], np.uint8) for objects in scenes])

    many = [[]] * 59 + [[SUN]]  # more than are drawn at once
    assert compare_drawings(draw, (4, 5), many, [[]] * 60) == [0.0] * 59 + [1.0]
