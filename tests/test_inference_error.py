"""The inference error: equal to a search over all assignments, and counted over properties, not over pictures."""

import itertools
from collections import Counter

import numpy as np
import pytest

from modeling_derender.inference_error import count_agreements, count_wrong_properties, inference_error


SUN = {"category": "sun", "x": 2, "y": 2, "depth": 2}
TREE = {"category": "tree", "x": 9, "y": 15, "depth": 1}


def random_objects(rng):
    """Up to five objects of three categories that differ in their properties, of few values, some None or absent."""
    properties = {"circle": ["x", "y"], "line": ["x", "y", "x2"], None: ["x"]}
    objects = []
    for _ in range(rng.integers(6)):
        category = list(properties)[rng.integers(3)]
        item = {"category": category, **{name: int(rng.integers(3)) for name in properties[category]}}
        objects.append({name: value if rng.random() > 0.1 else None for name, value in item.items()})
    return objects


def agreements_by_trying(prediction, reference, category):
    """The most agreeing properties over all ways to line the two sides up."""

    def agree(one, other):
        if category is not None and one.get(category) != other.get(category):
            return 0
        return sum(value is not None and other.get(name) == value for name, value in one.items())

    short, long = sorted((prediction, reference), key=len)
    return max(sum(map(agree, short, lineup)) for lineup in itertools.permutations(long, len(short)))


def number_of_properties(objects):
    return sum(value is not None for item in objects for value in item.values())


@pytest.mark.parametrize("category", [None, "category"])
def test_counts_equal_a_search_over_all_assignments(category):
    rng, kinds = np.random.default_rng(0), Counter()
    for _ in range(400):
        prediction, reference = random_objects(rng), random_objects(rng)
        agreements = agreements_by_trying(prediction, reference, category)
        total = max(map(number_of_properties, (prediction, reference)))
        assert count_agreements(prediction, reference, category) == agreements
        assert count_wrong_properties(prediction, reference, category) == (total - agreements, total)
        pairs = zip(prediction, reference, strict=False)
        in_turn = sum(agreements_by_trying([one], [other], category) for one, other in pairs)
        kinds["empty side"] += not prediction or not reference
        kinds["order matters"] += agreements > in_turn
    assert min(kinds["empty side"], kinds["order matters"]) > 20


def test_the_order_of_objects_does_not_matter():
    assert count_wrong_properties([TREE, SUN], [SUN, TREE]) == (0, 8)


def test_a_wrong_property_is_one_wrong():
    assert count_wrong_properties([SUN | {"x": 3}, TREE], [SUN, TREE]) == (1, 8)


def test_a_missing_object_has_all_its_properties_wrong():
    assert count_wrong_properties([TREE], [SUN, TREE]) == (4, 8)


def test_an_extra_object_has_all_its_properties_wrong():
    assert count_wrong_properties([SUN, TREE, SUN], [SUN, TREE]) == (4, 12)


def test_nothing_predicted_is_all_wrong():
    assert count_wrong_properties([], [SUN, TREE]) == (8, 8)


def test_the_total_is_of_the_side_with_more_properties_not_more_objects():
    assert count_wrong_properties([{"x": 1}, {"x": 2}], [SUN | {"x": 1}]) == (3, 4)


def test_none_counts_as_absent():
    assert count_wrong_properties([SUN | {"x": None}], [SUN | {"x": None}]) == (0, 3)
    assert count_wrong_properties([SUN | {"x": None}], [SUN]) == (1, 4)


def test_objects_of_different_categories_agree_in_nothing_where_a_category_is_given():
    assert count_agreements([SUN | {"category": "ball"}], [SUN]) == 3
    assert count_agreements([SUN | {"category": "ball"}], [SUN], "category") == 0


def test_the_average_is_over_properties():
    assert inference_error([[TREE], [SUN]], [[SUN, TREE], [SUN]]) == 4 / 12


def test_pictures_without_properties_have_no_error():
    assert inference_error([[], [{}]], [[{"x": None}], []]) == 0.0


def test_two_sides_of_different_length_are_an_error():
    with pytest.raises(ValueError, match="2 predictions for 1"):
        inference_error([[], []], [[]])


def test_nothing_to_score_is_an_error():
    with pytest.raises(ValueError, match="no pictures"):
        inference_error([], [])
