"""How well confidences predict which objects are right (Guo et al. 2017)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from derender_training.figures import as_png
from modeling_derender.scoring import object_key


NUM_BINS = 10


def mark_correct(prediction: Sequence[dict], reference: Sequence[dict]) -> list[bool]:
    """Which predicted objects equal a true one, each one with one: of repeated objects the first are right."""
    left = Counter(map(object_key, reference))
    marks = []
    for key in map(object_key, prediction):
        marks.append(left[key] > 0)
        left[key] -= marks[-1]
    return marks


def calibrate(confidences: Sequence[float], correct: Sequence[bool]) -> dict:
    """The expected calibration error, and what it comes from, over objects in 10 equal bins of confidence.

    `bins` has, for each bin with objects in it, its `low` and `high` end, the `count` of its objects, their mean
    `confidence` and their `accuracy`. The error is the mean, over objects, of the distance of the two in their bin;
    None where there are no objects. Raises ValueError where the two sides differ in length or a confidence is not in
    [0, 1].
    """
    confidences, correct = np.asarray(confidences, float), np.asarray(correct, float)
    if confidences.shape != correct.shape:
        raise ValueError(f"{len(confidences)} confidences for {len(correct)} objects")
    if not ((confidences >= 0) & (confidences <= 1)).all():
        raise ValueError("a confidence is not in [0, 1]")
    numbers = np.minimum((confidences * NUM_BINS).astype(int), NUM_BINS - 1)
    bins = [
        {
            "low": number / NUM_BINS,
            "high": (number + 1) / NUM_BINS,
            "count": int((numbers == number).sum()),
            "confidence": float(confidences[numbers == number].mean()),
            "accuracy": float(correct[numbers == number].mean()),
        }
        for number in np.unique(numbers).tolist()
    ]
    if not bins:
        return {"expected_calibration_error": None, "objects": 0, "bins": []}
    error = sum(item["count"] * abs(item["accuracy"] - item["confidence"]) for item in bins) / len(correct)
    return {"expected_calibration_error": error, "objects": len(correct), "bins": bins}


def plot_reliability(calibration: dict, title: str) -> bytes:
    """A PNG: accuracy by confidence, beside the diagonal on which a calibrated model stands, and how many objects."""
    from matplotlib.figure import Figure  # slow to import, and wanted by few

    figure = Figure(figsize=(4.5, 5), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    bins = calibration["bins"]
    left, width = [item["low"] for item in bins], 1 / NUM_BINS
    style = {"align": "edge", "edgecolor": "white", "color": "#1f5fa8"}
    above.bar(left, [item["accuracy"] for item in bins], width, label="share that is right", **style)
    above.plot([item["confidence"] for item in bins], [item["accuracy"] for item in bins], "o", color="#c1440e",
               label="at the mean confidence")  # fmt: skip
    above.plot([0, 1], [0, 1], "--", color="grey", label="calibrated")
    error = calibration["expected_calibration_error"]
    told = "no objects" if error is None else f"{calibration['objects']:,} objects, calibration error {error:.3f}"
    above.set(title=f"{title}\n{told}", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    above.title.set_fontsize(9)
    above.legend(fontsize=8, loc="upper left")
    below.bar(left, [item["count"] for item in bins], width, **style)
    below.set(xlabel="confidence", ylabel="objects")
    return as_png(figure)
