"""Coordinates in 20 bins: exact edges, clipping, and what is left alone."""

import math

import numpy as np
import pytest

from modeling_derender.binning import NUM_BINS, bin_objects


RANGES = {"x": (0, 500), "y": (0, 400)}


def bin_of(value, low, high):
    return bin_objects([{"x": value}], {"x": (low, high)})[0]["x"]


def test_each_bin_of_the_canvas_is_25_by_20_pixels():
    objects = bin_objects([{"x": x, "y": min(x, 399)} for x in range(500)], RANGES)
    assert [item["x"] for item in objects] == [x // 25 for x in range(500)]
    assert [item["y"] for item in objects][:400] == [y // 20 for y in range(400)]


@pytest.mark.parametrize("limits", [(0, 7), (-124, 704), (1, 1 + 10**17)])
def test_integers_on_and_beside_an_edge_are_exact(limits):
    low, high = limits
    for number in range(1, NUM_BINS):
        upper = low - (-number * (high - low) // NUM_BINS)  # the least integer at or above the edge
        assert bin_of(upper, low, high) >= number > bin_of(upper - 1, low, high)


def test_a_float_beside_an_edge_is_not_rounded_onto_it():
    below = math.nextafter(60.0, 0)
    assert 20 * (below + 40) / 500 == 4  # what the arithmetic of floats makes of it
    assert bin_of(below, -40, 460) == 3
    assert bin_of(60.0, -40.0, 460.0) == 4


def test_values_outside_are_in_the_bins_at_the_edges():
    assert [bin_of(x, 0, 500) for x in (-40, -0.5, 500, 598, 1e300)] == [0, 0, 19, 19, 19]


def test_numpy_values_do_not_overflow():
    assert [bin_of(x, 0, 500) for x in (np.uint8(200), np.int16(499), np.float32(25))] == [8, 19, 1]


def test_properties_that_are_absent_none_or_not_named_stay():
    objects = [{"category": "sun", "x": None, "depth": 60}, {"y": 60, "flip": True}]
    assert bin_objects(objects, RANGES) == [{"category": "sun", "x": None, "depth": 60}, {"y": 3, "flip": True}]


def test_the_objects_given_are_not_changed():
    objects = [{"x": 60, "y": None}]
    binned = bin_objects(objects, {})
    assert binned == objects == [{"x": 60, "y": None}]
    assert binned[0] is not objects[0]
    bin_objects(objects, RANGES)
    assert objects == [{"x": 60, "y": None}]


@pytest.mark.parametrize("value", ["60", math.nan, math.inf, [60]])
def test_a_value_that_is_no_finite_number_is_an_error(value):
    with pytest.raises(ValueError, match="'x' is .* only a finite number"):
        bin_objects([{"x": value}], RANGES)


@pytest.mark.parametrize("limits", [(5, 5), (5, 0)])
def test_an_empty_range_is_an_error(limits):
    with pytest.raises(ValueError, match="ranges: 'x' is empty"):
        bin_objects([], {"x": limits})


@pytest.mark.parametrize("limits", [(0, 500, 20), 500, None, "05", (0, math.nan), (0, "500")], ids=repr)
def test_a_range_that_is_no_pair_of_finite_numbers_is_an_error(limits):
    with pytest.raises(ValueError, match="ranges: 'x' needs a low and a high finite number"):
        bin_objects([], {"x": limits})


@pytest.mark.parametrize("ranges", ['{"x": [0, 500]}', [("x", (0, 500))]], ids=repr)
def test_ranges_that_are_no_mapping_are_an_error(ranges):
    with pytest.raises(ValueError, match="ranges must be a dict"):
        bin_objects([], ranges)
