"""Means over seeds and bootstrap tests of the rows of a table, from the records of their runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from derender_training.scores import is_error
from experiments.bootstrap import describe_difference, resample_means
from experiments.run_records import by_picture


PARTS = {"average_error": ("inference_error", "reconstruction_error")}  # a mean of these


def describe_scores(records: Sequence[dict], measures: Sequence[str]) -> dict:
    """Of each measure its `mean` over the seeds' `records`, the `seeds` themselves and their `spread`.

    The spread is the standard deviation, None with a single seed.
    """
    described = {}
    for name in measures:
        seeds = [record["scores"][name] for record in records]
        spread = float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None
        described[name] = {"mean": float(np.mean(seeds)), "seeds": seeds, "spread": spread}
    return described


def compare(records: Sequence[dict], bases: Sequence[dict], measures: Sequence[str]) -> dict:
    """By how much `records` are better than `bases` in each measure: the difference, its 95% interval and p-value.

    Positive is better, for errors too. Paired by test picture; a side's score is the mean over its seeds.
    """
    return {name: _compare(records, bases, name) for name in measures}


def _compare(records: Sequence[dict], bases: Sequence[dict], measure: str) -> dict:
    sides = [_mean_and_resampled(side, measure) for side in (records, bases)]
    sign = -1 if is_error(measure) else 1
    return describe_difference(*(sign * (ours - theirs) for ours, theirs in zip(*sides, strict=True)))


def _mean_and_resampled(records: Sequence[dict], measure: str) -> tuple[float, np.ndarray]:
    """The mean over seeds, and what it is over other draws of the pictures: the same draws whatever the records."""
    if measure in PARTS:
        means, resampled = zip(*(_mean_and_resampled(records, part) for part in PARTS[measure]), strict=True)
        return float(np.mean(means)), np.mean(resampled, axis=0)
    means, resampled = [], []
    for record in records:
        values, weights = by_picture(record, measure)
        drawn = resample_means(np.stack([values * weights, weights], axis=1))
        means.append(float((values * weights).sum() / weights.sum()))
        resampled.append(drawn[:, 0] / drawn[:, 1])
    return float(np.mean(means)), np.mean(resampled, axis=0)
