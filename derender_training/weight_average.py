"""An exponential moving average of a model's weights, which is evaluated and saved in their place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class WeightAverage:
    """The average over the steps of a model's floating-point weights and statistics, each step `1 - decay` of it.

    The first steps count for more, as min(decay, (1 + n) / (10 + n)) after n, so that the weights drawn at random are
    soon forgotten. What `state_dict` gives goes into checkpoints, so a resumed run goes on exactly.
    """

    def __init__(self, model: torch.nn.Module, decay: float):
        self.decay, self.updates = decay, 0
        tensors = {tensor.data_ptr(): tensor for tensor in model.state_dict().values()}  # tied ones once
        self._live = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
        self._average = [tensor.clone() for tensor in self._live]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._average, self._live, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the average while this lasts, and then its own weights again."""
        own = [tensor.clone() for tensor in self._live]
        self._write(self._average)
        try:
            yield
        finally:
            self._write(own)

    @torch.no_grad()
    def _write(self, values: list[Tensor]) -> None:
        for tensor, value in zip(self._live, values, strict=True):
            tensor.copy_(value)

    def state_dict(self) -> dict:
        return {"updates": self.updates, "average": self._average}

    def load_state_dict(self, state: dict) -> None:
        self.updates = state["updates"]
        for tensor, value in zip(self._average, state["average"], strict=True):
            tensor.copy_(value)
