"""Batches of a fixed number of examples, each drawn and written as tokens once, and then kept in shared memory."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import torch

from derender_training.data import TrainingBatches
from derender_training.options import OptionError


SHARED_MEMORY = Path("/dev/shm")


class KeptBatches(TrainingBatches):
    """The very batches of `TrainingBatches`; all workers keep pictures and labels for one another.

    The pictures are kept, uint8 (N, H, W[, C]), at the model's size or that at which image noise is added to them. At
    the model's come the `pixel_values` of a batch, of which `normalize` makes what the model takes. Raises OptionError
    where the order of objects is drawn anew each time, and where the shared memory has no room.
    """

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if self.order == "random":
            raise OptionError("option 'keep_pictures': the order is drawn anew each time; take 'random_once'")
        channels = self.see_plain.channels
        shape = (*self.see_plain.size, *((channels,) if channels > 1 else ()))
        _check_room(self.size * (math.prod(shape) + 4 * self.max_length))
        self.pictures = _share((self.size, *shape), torch.uint8)
        self.labels = _share((self.size, self.max_length), torch.int32)
        self.is_kept = _share((self.size,), torch.bool)

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        indices = self.indices(step)
        self._keep([index for index in indices if not self.is_kept[index]])
        labels = self.labels[indices].long()
        length = int((labels >= 0).sum(dim=1).max())
        return {"pixel_values": self.with_noise(self.pictures[indices], step), "labels": labels[:, :length]}

    def normalize(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.see.normalize(pictures)

    def _keep(self, indices: list[int]) -> None:
        """Two workers may keep the same example: they write the same, a row at once."""
        if not indices:
            return
        examples = self.examples.__getitems__(indices)
        labels = self.prepare(examples, indices)["labels"]
        rows = torch.nn.functional.pad(labels, (0, self.max_length - labels.shape[1]), value=-100)
        self.pictures[indices] = self.see_plain(examples)
        self.labels[indices] = rows.int()
        self.is_kept[indices] = True


def _share(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Zeros in shared memory."""
    try:
        return torch.zeros(shape, dtype=dtype).share_memory_()
    except RuntimeError as error:
        raise OptionError(f"option 'keep_pictures': {error}") from error


def _check_room(needed: int) -> None:
    if not SHARED_MEMORY.is_dir():
        return
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        sizes = f"they take {needed / 1e9:.1f} GB, and {SHARED_MEMORY} has {free / 1e9:.1f} GB free"
        raise OptionError(f"option 'keep_pictures': {sizes}")
