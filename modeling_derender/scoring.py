"""Scores of a predicted set of objects against the true one: pure functions of plain Python values."""

from collections import Counter


IOU_THRESHOLDS = (1.0, 0.8, 0.6)


def object_key(item):
    """An object as a hashable value: its properties, those that are None left out; equal keys are equal objects."""
    return frozenset((name, value) for name, value in item.items() if value is not None)


def count_matches(prediction, reference):
    """How many objects of two lists match: all properties equal, and each one with one."""
    return sum((Counter(map(object_key, prediction)) & Counter(map(object_key, reference))).values())


def set_scores(prediction, reference):
    """Precision, recall, F1 and IOU (the paper's eq. 11) of one picture.

    `prediction` and `reference` are lists of objects (dicts). Objects match as `count_matches` says, so a repeated
    object counts as an extra one. Where both sides are empty every score is 1.
    """
    matched, num_predicted, num_true = count_matches(prediction, reference), len(prediction), len(reference)
    if num_predicted + num_true == 0:
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0, "iou": 1.0}
    return {
        "precision": matched / num_predicted if num_predicted else 0.0,
        "recall": matched / num_true if num_true else 0.0,
        "f1": 2 * matched / (num_predicted + num_true),
        "iou": matched / (num_predicted + num_true - matched),
    }


def average_set_scores(predictions, references):
    """Macro averages over pictures (the paper's section 5.2), as fractions.

    Returns precision, recall, f1, iou, and iou_1.0, iou_0.8, iou_0.6: the share of pictures whose IOU is at least
    that. Raises ValueError where the two lists differ in length or are empty.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions for {len(references)} references")
    if not len(references):
        raise ValueError("no pictures to score")
    scores = [set_scores(*pair) for pair in zip(predictions, references, strict=True)]
    averages = {name: sum(score[name] for score in scores) / len(scores) for name in scores[0]}
    for threshold in IOU_THRESHOLDS:
        averages[f"iou_{threshold}"] = sum(score["iou"] >= threshold for score in scores) / len(scores)
    return averages
