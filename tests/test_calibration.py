"""Calibration: which objects are right, the expected calibration error by hand, and the plot."""

import io

import pytest
from PIL import Image

from derender_training.calibration import calibrate, mark_correct, plot_reliability


A, B, C = ({"category": "dot", "x": x} for x in (1, 2, 3))


@pytest.mark.parametrize(
    ("prediction", "reference", "marks"),
    [
        ([A, B], [B, A], [True, True]),
        ([A, C], [B, A], [True, False]),
        ([A, A], [A], [True, False]),
        ([A, A], [A, A], [True, True]),
        ([{**A, "shade": None}], [A], [True]),
        ([], [A], []),
    ],
)
def test_objects_are_right_once_each(prediction, reference, marks):
    assert mark_correct(prediction, reference) == marks


def test_the_calibration_error_by_hand():
    result = calibrate([0.05, 0.01, 0.92, 0.98, 1.0, 0.5], [False, True, True, True, False, True])
    bins = {item["low"]: (item["count"], item["confidence"], item["accuracy"]) for item in result["bins"]}
    assert bins.keys() == {0.0, 0.5, 0.9}
    assert bins[0.0] == pytest.approx((2, 0.03, 0.5))
    assert bins[0.5] == pytest.approx((1, 0.5, 1.0))
    assert bins[0.9] == pytest.approx((3, 2.9 / 3, 2 / 3))
    assert result["expected_calibration_error"] == pytest.approx((2 * 0.47 + 0.5 + 3 * 0.3) / 6)
    assert result["objects"] == 6


def test_a_calibrated_model_has_no_error():
    assert calibrate([0.25] * 4 + [1.0] * 3, [True] + [False] * 3 + [True] * 3)["expected_calibration_error"] == 0


def test_what_is_no_calibration():
    assert calibrate([], [])["expected_calibration_error"] is None
    with pytest.raises(ValueError, match="2 confidences for 1 objects"):
        calibrate([0.5, 0.6], [True])
    for confidence in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="not in"):
            calibrate([confidence], [True])


@pytest.mark.parametrize("objects", [3, 0])
def test_the_plot_is_a_picture(objects):
    content = plot_reliability(calibrate([0.5] * objects, [True] * objects), "title")
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG" and min(image.size) > 300
