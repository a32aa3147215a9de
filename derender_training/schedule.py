"""How far a run is, by its steps or its time, and the learning rate that goes with it."""

from __future__ import annotations

import math
import time

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast

from derender_training.training_options import TrainingOptions


class Schedule:
    """The clock of a run; `elapsed` is the time in seconds that it took before this process resumed it."""

    def __init__(self, options: TrainingOptions, accelerator: Accelerator, elapsed: float = 0.0):
        self.options, self.accelerator = options, accelerator
        self._begin = time.monotonic() - elapsed

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far, evaluations and checkpoints among them."""
        return time.monotonic() - self._begin

    def progress(self, step: int) -> float:
        """The share of the run that is done after `step` steps, the same on all processes; at 1 it ends."""
        share = step / self.options.steps
        if self.options.max_minutes is None:
            return share
        share = max(share, self.elapsed / 60 / self.options.max_minutes)
        if self.accelerator.num_processes > 1:
            device = self.accelerator.device
            share = broadcast(torch.tensor(share, dtype=torch.float32, device=device)).item()
        return share

    def learning_rate(self, step: int, progress: float) -> float:
        """The learning rate of the step that follows `step` steps."""
        warmup = min(1.0, (step + 1) / (self.options.warmup_steps + 1))
        decay = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))) if self.options.schedule == "cosine" else 1.0
        return self.options.learning_rate * warmup * decay
