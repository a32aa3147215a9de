"""Self-critical policy gradients (the paper's equations 9 and 10; Rennie et al. 2017): advantages and the loss."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def draw_uniform(
    seed: int, step: int, num_images: int, num_samples: int, num_tokens: int, part: slice = slice(None)
) -> Tensor:
    """The random numbers (B, K, `num_tokens`) of a step's samples: `part` of those of all its `num_images`.

    They belong to the step and to the image's place in it, so any number of processes, on any device, draws the same
    samples.
    """
    numbers = np.random.default_rng([seed, step]).random((num_images, num_samples, num_tokens), np.float32)
    return torch.from_numpy(numbers[part])


def find_advantages(rewards: Tensor, estimator: str) -> Tensor:
    """What each sample earns more than its baseline: `rewards` (B, W) of an image's rows to (B, K).

    "scst": row 0 is the greedy one, the baseline of the K = W - 1 samples (Rennie et al. 2017). "leave_one_out": all
    rows are samples, and each one's baseline is the mean of the others (Kool et al. 2019). Neither depends on the
    sample itself, so the gradient is unbiased; dividing by the group's deviation would bias it. Raises ValueError for
    too few rows.
    """
    if rewards.shape[1] < 2:
        what = {"scst": "a greedy row and a sample", "leave_one_out": "two samples"}[estimator]
        raise ValueError(f"{estimator} needs {what} or more, not {rewards.shape[1]} rows")
    if estimator == "scst":
        return rewards[:, 1:] - rewards[:, :1]
    num_samples = rewards.shape[1]
    others = (rewards.sum(dim=1, keepdim=True) - rewards) / (num_samples - 1)
    return rewards - others


def policy_loss(log_probs: Tensor, advantages: Tensor) -> Tensor:
    """Minus the mean, over samples, of advantage times log-probability: its gradient is equation 10's.

    `log_probs` (R, T - 1) of each sample's tokens, the end token among them and 0 behind it, are summed, not averaged:
    a mean would favour short good samples and long bad ones. `advantages` (B, K) are those of the R = B K samples.
    """
    return -(advantages.flatten() * log_probs.sum(dim=1)).mean()
