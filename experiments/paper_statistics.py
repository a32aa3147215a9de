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
    (ours, our_draws), (theirs, their_draws) = (_over_seeds(side, measures) for side in (records, bases))
    errors = np.array([is_error(name) for name in measures])
    gains = np.where(errors, theirs - ours, ours - theirs)
    drawn = np.where(errors, their_draws - our_draws, our_draws - their_draws)
    return {name: describe_difference(gains[place], drawn[:, place]) for place, name in enumerate(measures)}


def _over_seeds(records: Sequence[dict], measures: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The means over seeds, (measures,), and what they are over draws of the pictures, (draws, measures)."""
    sides = [_of_one(record, measures) for record in records]
    return tuple(np.mean(side, axis=0) for side in zip(*sides, strict=True))


def _of_one(record: dict, measures: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """As `_over_seeds`; the draws are the same whatever the record."""
    parts = list(dict.fromkeys(part for name in measures for part in PARTS.get(name, (name,))))
    columns = [by_picture(record, part) for part in parts]
    values, weights = (np.stack(side, axis=1) for side in zip(*columns, strict=True))
    sums = np.concatenate([values * weights, weights], axis=1)
    means, drawn = (_divide_halves(side) for side in (sums.mean(axis=0), resample_means(sums)))
    places = [[parts.index(part) for part in PARTS.get(name, (name,))] for name in measures]
    return tuple(np.stack([side[..., own].mean(axis=-1) for own in places], axis=-1) for side in (means, drawn))


def _divide_halves(sums: np.ndarray) -> np.ndarray:
    """Weighted sums, the first half of the last axis, over the weights' sums, the second."""
    first, second = np.split(sums, 2, axis=-1)
    return first / second
