"""The bootstrap over test pictures (Efron and Tibshirani 1994), which the paper's footnotes use."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


DRAWS = 10_000
_AT_ONCE = 500


def resample_means(values: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means over pictures drawn with replacement: `values` (pictures, columns) to (`draws`, columns).

    The columns of a draw are of the same pictures, so differences between them are paired.
    """
    values = np.asarray(values, np.float64)
    counts = _draw_counts(len(values), draws, seed)
    parts = [counts[start : start + _AT_ONCE] @ values for start in range(0, draws, _AT_ONCE)]
    return np.concatenate(parts) / len(values)


@lru_cache(maxsize=2)
def _draw_counts(pictures: int, draws: int, seed: int) -> np.ndarray:
    """How often each draw has each picture, (draws, pictures). To draw them takes longer than all else here."""
    rng, even = np.random.default_rng(seed), np.full(pictures, 1 / pictures)
    counts = np.empty((draws, pictures), np.uint16)
    for start in range(0, draws, _AT_ONCE):
        part = counts[start : start + _AT_ONCE]
        part[:] = rng.multinomial(pictures, even, len(part))
    counts.flags.writeable = False
    return counts


def find_interval(resampled: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of one column's resampled means."""
    outside = (1 - level) / 2
    low, high = np.quantile(resampled, [outside, 1 - outside])
    return float(low), float(high)


def describe_difference(difference: float, resampled: np.ndarray) -> dict:
    """A difference as data: its `mean`, 95% `interval` and `p`, `resampled` being its means over other pictures."""
    return {"mean": float(difference), "interval": find_interval(resampled), "p": find_p_value(resampled)}


def with_interval(item: dict, form: str = ".2f") -> str:
    """A mean with its `interval`, in percent; `form` as "+.2f" shows the mean's sign."""
    mean, low, high = (100 * value for value in (item["mean"], *item["interval"]))
    ends = form.lstrip("+")
    return f"{mean:{form}} [{low:{ends}}, {high:{ends}}]"


def find_p_value(resampled: np.ndarray) -> float:
    """Two-sided: twice the share of resampled differences on the other side of 0 than most, never 0.

    The difference at hand counts as one of the draws, so that n draws tell p-values down to 2 / (n + 1).
    """
    fewest = min((resampled <= 0).sum(), (resampled >= 0).sum())
    return float(min(1.0, 2 * (fewest + 1) / (len(resampled) + 1)))
