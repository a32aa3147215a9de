"""The bootstrap: its spread is the standard error, its intervals cover, its draws are paired."""

import numpy as np
import pytest

from experiments.bootstrap import find_interval, find_p_value, resample_means


def test_the_spread_of_resampled_means_is_the_standard_error():
    values = np.random.default_rng(0).normal(size=(400, 2)) * [1, 3]
    resampled = resample_means(values, 4000)
    assert resampled.shape == (4000, 2)
    expected = values.std(0) / np.sqrt(400)
    np.testing.assert_allclose(resampled.std(0), expected, rtol=0.05)
    np.testing.assert_allclose(resampled.mean(0), values.mean(0), atol=3 * expected.max() / np.sqrt(4000))


def test_columns_are_drawn_together():
    values = np.random.default_rng(1).random((50, 1))
    resampled = resample_means(np.hstack([values, values + 0.25]), 300)
    np.testing.assert_allclose(resampled[:, 1] - resampled[:, 0], 0.25)


def test_the_same_seed_gives_the_same_draws():
    values = np.random.default_rng(2).random((30, 1))
    assert (resample_means(values, 700, seed=4) == resample_means(values, 700, seed=4)).all()
    assert (resample_means(values, 700, seed=4) != resample_means(values, 700, seed=5)).any()


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        low, high = find_interval(resample_means(rng.random((100, 1)), 500, seed=trial)[:, 0])
        covered += low <= 0.5 <= high
    assert 180 <= covered <= 199


@pytest.mark.parametrize(
    ("resampled", "expected"),
    [([1.0] * 99, 0.02), ([-1.0] * 99, 0.02), ([0.0] * 99, 1.0), ([-1.0] * 9 + [1.0] * 90, 0.2)],
)
def test_p_values_are_two_sided_and_never_0(resampled, expected):
    assert find_p_value(np.array(resampled)) == pytest.approx(expected)
