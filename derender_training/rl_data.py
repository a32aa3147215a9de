"""Batches of reinforcement learning: pictures, their true objects as tokens, and pictures to compare drawings with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from derender_training.data import TrainingBatches
from modeling_derender.language import Language
from modeling_derender.rewards import objects_to_tokens


class RLBatches(TrainingBatches):
    """Item `step` is the batch of that step for one process, the examples being those of `TrainingBatches`.

    `pixel_values` uint8 (B, H, W[, C]), of which `normalize` makes what the model takes; `references` (B, M, D), the
    true objects' tokens; and, where it is given, `targets` uint8 (B, H', W'[, C]): what `draw_targets(examples)` makes
    to compare drawings with in place of the pictures.
    """

    def __init__(self, *args, language: Language, draw_targets: Callable | None = None, **options):
        super().__init__(*args, **options)
        self.language, self.draw_targets = language, draw_targets

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        examples = self.examples.__getitems__(self.indices(step))
        references = objects_to_tokens(self.language, [example["objects"] for example in examples])
        batch = {"pixel_values": self.with_noise(self.see_plain(examples), step), "references": references}
        if self.draw_targets is not None:
            batch["targets"] = self.draw_targets(examples)
        return batch

    def normalize(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.see.normalize(pictures)


class DrawnTruth:
    """The true objects drawn clean at another `size` by `draw`, the language's `render_batch`."""

    def __init__(self, size: tuple[int, int], draw: Callable):
        self.size, self.draw = tuple(size), draw

    def __call__(self, examples: list[dict]) -> torch.Tensor:
        drawn = self.draw([example["objects"] for example in examples], size=self.size)
        return torch.from_numpy(np.ascontiguousarray(drawn))
