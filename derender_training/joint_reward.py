"""Joins the rewards of a step into the one it learns from: in turns (section 4.1), or as a weighted sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from derender_training.options import OptionError


@dataclass(frozen=True)
class AlternatingReward:
    """The reward `names`, one at a time: the first for ratio[0] steps, the next for ratio[1], ..., and over again.

    The paper's 1:4 for Abstract Scenes is read as one step on the reward in specification space and then four on the
    one in image space. Which it is follows from the number of steps done alone, so it is the same on every process and
    after a resume. Raises OptionError for a ratio that does not fit.
    """

    names: tuple[str, ...]
    ratio: tuple[int, ...]

    def __post_init__(self):
        _require_one_each("ratio", self.ratio, self.names)
        if min(self.ratio) < 0 or not any(self.ratio):
            raise OptionError(f"option 'ratio': {list(self.ratio)} leaves no step to any reward")

    def name_of(self, step: int) -> str:
        """The reward of the step that follows `step` steps."""
        place = step % sum(self.ratio)
        for name, count in zip(self.names, self.ratio, strict=True):
            if place < count:
                return name
            place -= count
        raise AssertionError("a place within the sum of the ratio belongs to a reward")

    def __call__(self, step: int, rewards: Mapping[str, Tensor]) -> Tensor:
        return rewards[self.name_of(step)]


@dataclass(frozen=True)
class WeightedReward:
    """The sum of the rewards `names`, times their `weights`. Raises OptionError for weights that do not fit."""

    names: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self):
        _require_one_each("weights", self.weights, self.names)
        if min(self.weights) < 0 or not any(self.weights):
            raise OptionError(f"option 'weights': {list(self.weights)} must not be negative, nor all 0")

    def __call__(self, step: int, rewards: Mapping[str, Tensor]) -> Tensor:
        return sum(weight * rewards[name] for name, weight in zip(self.names, self.weights, strict=True))


def _require_one_each(option: str, values: tuple, names: tuple[str, ...]) -> None:
    if len(values) != len(names):
        raise OptionError(f"option {option!r}: {list(values)} for the {len(names)} rewards {list(names)}")


def join_rewards(names: Sequence[str], joint: str, ratio: Sequence[int], weights: Sequence[float]):
    """The joint reward that the options of these names ask for."""
    if joint == "alternate":
        return AlternatingReward(tuple(names), tuple(ratio))
    return WeightedReward(tuple(names), tuple(weights))
