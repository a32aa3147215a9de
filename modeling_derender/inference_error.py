"""The inference error: the share of the objects' properties that were read wrongly, whatever the objects' order."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def count_agreements(prediction, reference, category=None):
    """How many properties agree when predicted objects are matched to true ones so that most properties agree.

    `prediction` and `reference` are lists of objects (dicts); a property that is None counts as absent. Each object is
    matched with at most one of the other side. Where `category` names a property, objects that differ in it agree in
    nothing: for languages whose categories differ in their properties.
    """
    return sum(agreements for _, _, agreements in match_objects(prediction, reference, category))


def match_objects(prediction, reference, category=None):
    """The matching of `count_agreements`: [(predicted object's index, true one's, how many properties agree), ...]."""
    if not prediction or not reference:
        return []
    predicted, true = _property_sets(prediction), _property_sets(reference)
    agreements = np.array([[len(one & other) for other in true] for one in predicted])
    if category is not None:
        agreements *= np.equal.outer(_categories(prediction, category), _categories(reference, category)).astype(bool)
    rows, columns = linear_sum_assignment(agreements, maximize=True)
    return list(zip(rows.tolist(), columns.tolist(), agreements[rows, columns].tolist(), strict=True))


def count_wrong_properties(prediction, reference, category=None):
    """(wrong, total) of one picture; objects already have the bins of their coordinates (`bin_objects`).

    The total is the number of properties of the side that has more of them, and wrong are those that
    `count_agreements` does not match, so a missing or an extra object has all its properties wrong.
    """
    total = max(sum(map(len, _property_sets(side))) for side in (prediction, reference))
    return total - count_agreements(prediction, reference, category), total


def inference_error(predictions, references, category=None):
    """Micro average over pictures (Pasunuru et al. 2021, section 5.2), as a fraction: all wrong over all properties.

    Each side holds one list of objects a picture. 0 where no object has a property. Raises ValueError where the two
    sides differ in length or are empty.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions for {len(references)} references")
    if not len(references):
        raise ValueError("no pictures to score")
    counts = [count_wrong_properties(*pair, category) for pair in zip(predictions, references, strict=True)]
    wrong, total = map(sum, zip(*counts, strict=True))
    return wrong / total if total else 0.0


def _property_sets(objects):
    return [{(name, value) for name, value in item.items() if value is not None} for item in objects]


def _categories(objects, category):
    return np.array([item.get(category) for item in objects], dtype=object)
