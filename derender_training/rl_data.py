"""Batches of reinforcement learning: pictures, their true objects as tokens, and pictures to compare drawings with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from derender_training.data import TrainingBatches
from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import fit_to_size
from modeling_derender.language import Language
from modeling_derender.rewards import objects_to_tokens


class RLBatches(TrainingBatches):
    """Item `step` is the batch of that step for one process, the examples being those of `TrainingBatches`.

    `pixel_values` (B, C, H, W); `references` (B, M, D), the true objects' tokens; and, where `targets` is given,
    `targets` uint8 (B, H, W[, C]): what `targets(examples)` makes of them.
    """

    def __init__(self, *args, language: Language, targets: Callable | None = None, **options):
        super().__init__(*args, **options)
        self.language, self.targets = language, targets

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        examples = self.examples.__getitems__(self.indices(step))
        batch = dict(self.processor(images=[example["image"] for example in examples]))
        batch["references"] = objects_to_tokens(self.language, [example["objects"] for example in examples])
        if self.targets is not None:
            batch["targets"] = torch.from_numpy(np.ascontiguousarray(self.targets(examples)))
        return batch


class SeenPictures:
    """The very pictures that the model sees, at its `size` (height, width): uint8 (B, H, W), or (B, H, W, 3)."""

    def __init__(self, size: tuple[int, int], channels: int):
        self.size, self.channels = tuple(size), channels

    def __call__(self, examples: list[dict]) -> np.ndarray:
        pictures = [to_uint8(example["image"], self.channels) for example in examples]
        pictures = np.stack([fit_to_size(picture, *self.size, Image.Resampling.BOX) for picture in pictures])
        return pictures[..., 0] if self.channels == 1 else pictures


class DrawnTruth:
    """The true objects drawn clean at another `size` by `draw`, the language's `render_batch`."""

    def __init__(self, size: tuple[int, int], draw: Callable):
        self.size, self.draw = tuple(size), draw

    def __call__(self, examples: list[dict]) -> np.ndarray:
        return self.draw([example["objects"] for example in examples], size=self.size)
