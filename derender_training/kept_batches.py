"""Batches of a fixed number of examples, each drawn and written as tokens once, and then kept in shared memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from derender_training.data import TrainingBatches
from derender_training.options import OptionError


SHARED_MEMORY = Path("/dev/shm")


class KeptBatches(TrainingBatches):
    """The very batches of `TrainingBatches`; all workers keep the pictures, uint8, and the labels for one another.

    Raises OptionError where the order of objects is drawn anew each time, and where the shared memory has no room.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if self.order == "random":
            raise OptionError("option 'keep_pictures': the order is drawn anew each time; take 'random_once'")
        shape = self.size, *np.shape(self.examples[0]["image"])
        _check_room(int(np.prod(shape, dtype=np.int64)))
        self.pictures = torch.empty(shape, dtype=torch.uint8).share_memory_()
        self.labels = torch.empty((self.size, self.max_length), dtype=torch.int16).share_memory_()
        self.is_kept = torch.zeros(self.size, dtype=torch.bool).share_memory_()

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        indices = [self.index(position) for position in self.positions(step)]
        self._keep([index for index in indices if not self.is_kept[index]])
        labels = self.labels[indices].long()
        length = int((labels >= 0).sum(dim=1).max())
        pictures = self.processor(images=[*self.pictures[indices].numpy()])
        return {**pictures, "labels": labels[:, :length]}

    def _keep(self, indices: list[int]) -> None:
        """Two workers may keep the same example: they write the same."""
        if not indices:
            return
        examples, batch = self.prepare(indices)
        for index, example, labels in zip(indices, examples, batch["labels"], strict=True):
            self.pictures[index] = torch.from_numpy(np.asarray(example["image"]))
            self.labels[index] = -100
            self.labels[index, : len(labels)] = labels
            self.is_kept[index] = True


def _check_room(needed: int) -> None:
    if not SHARED_MEMORY.is_dir():
        return
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        sizes = f"they take {needed / 1e9:.1f} GB, and {SHARED_MEMORY} has {free / 1e9:.1f} GB free"
        raise OptionError(f"option 'keep_pictures': {sizes}")
