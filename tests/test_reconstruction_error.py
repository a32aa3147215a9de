"""The reconstruction error: equal to the definition written down plainly, for all values and shapes."""

import numpy as np
import pytest

from modeling_derender.reconstruction_error import _BLOCK, NUM_BUCKETS, count_wrong_pixels, reconstruction_error


SHAPES = [(1, 1), (7, 5), (400, 500), (1, 1, 1), (3, 4, 1), (4, 3, 2), (5, 7, 3), (2, 1, 4), (3, 2, 7)]
SHAPES += [(1, _BLOCK), (1, _BLOCK + 1), (_BLOCK // 3, 2, 3), (_BLOCK // 3 + 1, 1, 3), (2, 1, _BLOCK + 1)]


def plain_buckets(picture):
    return np.floor(NUM_BUCKETS * picture.astype(float) / 256)


def plain_count(prediction, reference):
    wrong = plain_buckets(prediction) != plain_buckets(reference)
    return int((wrong.any(-1) if wrong.ndim == 3 else wrong).sum())


def random_pair(rng, shape):
    """A picture, and one in which a part of the values is drawn anew: pixels are wrong in no, some or all channels."""
    reference = rng.integers(0, 256, shape, dtype=np.uint8)
    anew = rng.integers(0, 256, shape, dtype=np.uint8)
    return np.where(rng.random(shape) < 0.4, anew, reference), reference


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_counts_equal_the_plain_version(shape):
    rng = np.random.default_rng(0)
    for _ in range(3):
        prediction, reference = random_pair(rng, shape)
        assert count_wrong_pixels(prediction, reference) == plain_count(prediction, reference)


def test_all_pairs_of_values_equal_the_plain_version():
    pixels = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)
    buckets = plain_buckets(pixels).ravel()
    counts = [[count_wrong_pixels(one, other) for one in pixels] for other in pixels]
    assert np.array_equal(counts, buckets[:, None] != buckets)


def test_buckets_are_20_of_12_or_13_values():
    values = np.arange(256, dtype=np.uint8)
    edges = [v for v in range(1, 256) if count_wrong_pixels(values[None, v - 1 : v], values[None, v : v + 1])]
    assert edges == [-(-256 * bucket // 20) for bucket in range(1, 20)]


def test_views_with_strides_are_pictures_too():
    prediction, reference = random_pair(np.random.default_rng(0), (40, 30, 4))
    expected = plain_count(prediction[::2, ::-1, :3], reference[::2, ::-1, :3])
    assert count_wrong_pixels(prediction[::2, ::-1, :3], reference[::2, ::-1, :3]) == expected


def test_a_pixel_counts_once_however_many_channels_are_wrong():
    reference = np.zeros((2, 2, 3), dtype=np.uint8)
    prediction = reference.copy()
    prediction[0, 0] = 255
    prediction[1, 1, 2] = 255
    assert count_wrong_pixels(prediction, reference) == 2


def test_the_average_is_over_pixels():
    black, white = np.zeros((1, 2), dtype=np.uint8), np.full((1, 2), 255, dtype=np.uint8)
    large = np.zeros((3, 2), dtype=np.uint8)
    assert reconstruction_error([white, large], [black, large]) == 2 / 8


def test_a_batch_equals_a_list_of_its_pictures():
    predictions, references = random_pair(np.random.default_rng(0), (3, 8, 9, 3))
    expected = sum(map(plain_count, predictions, references)) / (3 * 8 * 9)
    assert reconstruction_error(predictions, references) == expected
    assert reconstruction_error(list(predictions), list(references)) == expected


def test_a_batch_of_grey_pictures_is_not_taken_for_channels():
    predictions, references = random_pair(np.random.default_rng(0), (2, 8, 3))
    expected = sum(map(plain_count, predictions, references)) / (2 * 8 * 3)
    assert reconstruction_error(predictions, references) == expected


def test_shapes_that_differ_are_an_error_with_the_pairs_number():
    same, other = np.zeros((4, 5, 3), dtype=np.uint8), np.zeros((5, 4, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"pair 1: the prediction is \(5, 4, 3\), the reference \(4, 5, 3\)"):
        reconstruction_error([same, other], [same, same])


def test_another_type_is_an_error_with_the_pairs_number():
    picture = np.zeros((4, 5), dtype=np.uint8)
    with pytest.raises(ValueError, match="pair 0: pictures must be uint8, not float64"):
        reconstruction_error([picture / 255], [picture])


@pytest.mark.parametrize("shape", [(4,), (0, 5), (4, 5, 0), (1, 4, 5, 3)], ids=str)
def test_what_is_no_picture_is_an_error(shape):
    array = np.zeros(shape, dtype=np.uint8)
    with pytest.raises(ValueError, match="none of these 0"):
        count_wrong_pixels(array, array)


def test_two_sides_of_different_length_are_an_error():
    picture = np.zeros((4, 5), dtype=np.uint8)
    with pytest.raises(ValueError, match="2 predictions for 1"):
        reconstruction_error([picture, picture], [picture])


def test_nothing_to_score_is_an_error():
    with pytest.raises(ValueError, match="no pictures"):
        reconstruction_error([], [])
