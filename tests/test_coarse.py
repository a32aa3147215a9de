"""Coarse pictures: thicker strokes, fewer pixels, no grey levels, each in its share, and no darker or paler for it."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from datasets_scripts.noisy_shapes import coarse
from datasets_scripts.noisy_shapes.coarse import BILEVEL, MOST_THICKER, SMALL, THICK, coarsen


NUM_PICTURES, SIDE = 400, 256


def make_rngs(number=NUM_PICTURES):
    return [np.random.default_rng([7, index]) for index in range(number)]


def draw_bars(darkest=200):
    """Pictures of one upright bar, 2 pixels wide and 41 high."""
    ink = np.zeros((NUM_PICTURES, SIDE, SIDE), np.uint8)
    ink[:, 100:141, 120:122] = darkest
    return ink


@pytest.fixture
def only(monkeypatch):
    """Makes all pictures coarse in the ways that are named, and in no other."""

    def choose(*names):
        for name in ("THICK", "SMALL", "BILEVEL"):
            monkeypatch.setattr(coarse, name, float(name in names))

    return choose


def test_strokes_are_wider_by_as_much_on_all_sides(only):
    only("THICK")
    ink = draw_bars()
    bars = coarsen(ink, make_rngs())
    assert set(np.unique(bars)) == {0, 200} and (ink == draw_bars()).all()
    rows, columns = ((bars.any(axis=axis)).sum(axis=1) for axis in (2, 1))
    assert sorted(set(columns)) == [2 + 2 * more for more in range(1, MOST_THICKER + 1)]
    assert np.array_equal(columns - 2, rows - 41)
    assert min(np.mean(columns == width) for width in set(columns)) > 0.25


def test_a_wider_stroke_is_round_at_its_end(only, monkeypatch):
    only("THICK")
    monkeypatch.setattr(coarse, "MOST_THICKER", 1e-9)  # so all are thicker by one
    dot = np.zeros((1, 512, 512), np.uint8)
    dot[0, 50, 60] = 255
    (wide,) = coarsen(dot, make_rngs(1))
    reach = distance_transform_edt(dot[0] == 0)[wide > 0]
    assert reach.max() == pytest.approx(5**0.5) and len(reach) == 21  # two pixels of 512, corners left out


def test_few_pixels_blur_but_keep_place_and_darkness(only):
    only("SMALL")
    bars = coarsen(draw_bars(), make_rngs()).astype(np.float64)
    darkest = bars.max(axis=(1, 2))
    assert darkest.min() > 110 and np.median(darkest) > 180 and darkest.max() == 200  # to enlarge blurs once more
    widths = (bars > 20).any(axis=1).sum(axis=1)
    assert widths.min() <= 4 and widths.max() >= 8
    columns = bars.sum(axis=1)
    middle = (columns * (np.arange(SIDE) + 0.5)).sum(axis=1) / columns.sum(axis=1)
    assert np.abs(middle - 121).max() < 2 and np.mean(middle) == pytest.approx(121, abs=0.05)


def test_black_and_white_have_no_grey_between(only):
    only("BILEVEL")
    ink = draw_bars()
    ink[:, :, 122] = ink[:, :, 120] // 3  # a flank
    bars = coarsen(ink, make_rngs())
    assert set(np.unique(bars)) == {0, 200}
    assert 0.3 < np.mean(bars[:, 120, 122] > 0) < 0.6  # the level varies


@pytest.mark.parametrize("name, share", [("THICK", THICK), ("SMALL", SMALL), ("BILEVEL", BILEVEL)])
def test_each_kind_has_its_share_and_the_rest_stay_as_they_were(name, share, only, monkeypatch):
    only()
    monkeypatch.setattr(coarse, name, share)
    ink = draw_bars()
    ink[:, :, 122] = 90
    changed = (coarsen(ink, make_rngs()) != ink).any(axis=(1, 2))
    assert np.mean(changed) == pytest.approx(share, abs=0.06)


def test_lines_stay_black_beside_a_darker_spot():
    ink = np.zeros((64, 64), np.uint8)
    ink[10, 5:60], ink[30:32, 5:60], ink[50:54, 50:54] = 90, 45, 255  # a stroke, one between two pixels, a tip
    assert np.array_equal(coarse.find_black(ink, 0.45), ink > 0)


@pytest.mark.parametrize("shape", [(0, 32, 32), (3, 8, 8), (3, 1, 1)])
def test_blank_small_and_no_pictures(only, shape):
    only("THICK", "SMALL", "BILEVEL")
    assert not coarsen(np.zeros(shape, np.uint8), make_rngs(shape[0])).any()
