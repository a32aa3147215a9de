"""Training data: the examples, and the batch of each step as a pure function of seed, step and process."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from datasets import DatasetDict, load_dataset, load_from_disk
from torch.utils.data import DataLoader, Dataset

from datasets_scripts.scenes import FreshScenes
from derender_training.options import OptionError, closest
from derender_training.training_options import TrainingOptions
from modeling_derender.processing_derender import DerenderProcessor


VALIDATION_SEED = 0
# Keys that keep the draws below apart from each other and from those of the scenes.
_EPOCH_ORDER, _OBJECT_ORDER = 1, 2


class TrainingBatches(Dataset):
    """Item `step` is the batch of that step (counted from 0) for one process: `pixel_values` and `labels`.

    Position p = step * batch_size + k, k < batch_size, counts the examples of a run; each process takes its even part
    of a step's positions, so what a step sees does not depend on the number of processes. With `size` None position p
    is example p; otherwise it is number p % size in the permutation that belongs to the seed and epoch p // size.
    Nothing has a state, so a resumed run needs none.
    """

    def __init__(
        self,
        examples: Sequence[dict],
        processor: DerenderProcessor,
        batch_size: int,
        seed: int = 0,
        size: int | None = None,
        order: str = "type",
        max_length: int | None = None,
        process: int = 0,
        num_processes: int = 1,
    ):
        if batch_size % num_processes:
            raise OptionError(
                f"option 'batch_size': {batch_size} pictures are not shared by {num_processes} processes"
            )
        self.examples, self.processor = examples, processor
        self.batch_size, self.seed, self.size = batch_size, seed, size
        self.order, self.max_length = order, max_length
        self.process, self.num_processes = process, num_processes

    def __len__(self) -> int:
        return sys.maxsize

    def positions(self, step: int) -> range:
        share = self.batch_size // self.num_processes
        start = step * self.batch_size + self.process * share
        return range(start, start + share)

    def index(self, position: int) -> int:
        """The example at a position."""
        if self.size is None:
            return position
        epoch, offset = divmod(position, self.size)
        return int(_epoch_order(self.seed, epoch, self.size)[offset])

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        positions = self.positions(step)
        indices = [self.index(position) for position in positions]
        examples = self.examples.__getitems__(indices)
        rngs = [_rng(_OBJECT_ORDER, self.seed, position) for position in positions] if self.order == "random" else None
        batch = self.processor(
            images=[example["image"] for example in examples],
            objects=[example["objects"] for example in examples],
            order=self.order,
            rng=rngs,
        )
        self._check_lengths(batch["labels"], indices)
        return dict(batch)

    def _check_lengths(self, labels: torch.Tensor, indices: list[int]) -> None:
        length = labels.shape[1] + 1  # labels lack the start token
        if self.max_length is not None and length > self.max_length:
            longest = indices[int((labels >= 0).sum(1).argmax())]
            raise OptionError(
                f"option 'max_length': example {longest} takes {length} tokens, more than {self.max_length}"
            )


def _rng(key: int, *numbers: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(numbers, spawn_key=(key,)))


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, size: int) -> np.ndarray:
    return _rng(_EPOCH_ORDER, seed, epoch).permutation(size)


def _as_it_is(batch: dict) -> dict:
    return batch


def load_batches(
    batches: TrainingBatches, first_step: int, last_step: int, num_workers: int, pin_memory: bool = False
):
    """A DataLoader over the batches of the steps from `first_step` up to `last_step`, prepared ahead by workers."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first_step, last_step),
        num_workers=num_workers,
        prefetch_factor=4 if num_workers else None,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        # Its own generator, or making an iterator would draw from that of dropout, and resumed runs would differ.
        generator=torch.Generator(),
    )


def load_training_examples(options: TrainingOptions, folder: ModuleType) -> tuple[Sequence[dict], int | None]:
    """The training examples and how many of them are used again and again; None for fresh scenes without end.

    Raises OptionError for data that cannot be opened, and scene options that the language's sampler does not take.
    """
    if options.data == "fresh":
        check_scene_options(options, folder)
        return FreshScenes(folder, options.image_size, options.seed, "train", **options.scene), options.train_size
    splits = _open_folder(options.data)
    if "train" not in splits:
        raise OptionError(f"option 'data': {options.data} has no split 'train', only {', '.join(splits)}")
    examples = splits["train"]
    if (options.train_size or 0) > len(examples):
        raise OptionError(f"option 'train_size': {options.data} has only {len(examples)} training examples")
    return examples, options.train_size or len(examples)


def load_validation_examples(options: TrainingOptions, folder: ModuleType) -> list[dict]:
    """The pictures of each evaluation: of the folder's validation split if it has one, else fresh scenes."""
    splits = {} if options.data == "fresh" else _open_folder(options.data)
    if "validation" in splits:
        examples = splits["validation"]
        return examples.select(range(min(options.evaluation_size, len(examples))))
    check_scene_options(options, folder)
    scenes = FreshScenes(folder, options.image_size, VALIDATION_SEED, "validation", **options.scene)
    return scenes.__getitems__(list(range(options.evaluation_size)))


def check_scene_options(options: TrainingOptions, folder: ModuleType) -> None:
    """Raise OptionError for a scene option that the language's sample_scene does not know or does not accept."""
    _, *known = inspect.signature(folder.sample_scene).parameters
    unknown = [name for name in options.scene if name not in known]
    if unknown:
        raise OptionError(f"option 'scene': {options.language} has no {unknown[0]!r}; {closest(unknown[0], known)}")
    try:
        folder.sample_scene(np.random.default_rng(0), **options.scene)
    except (TypeError, ValueError) as error:
        raise OptionError(f"option 'scene': {error}") from None


def _open_folder(path: str) -> DatasetDict | dict:
    if not Path(path).is_dir():
        raise OptionError(f"option 'data': {path!r} is neither 'fresh' nor a folder")
    saved = any((Path(path) / name).is_file() for name in ("dataset_dict.json", "state.json"))
    try:
        splits = load_from_disk(path) if saved else load_dataset(path)
    except Exception as error:  # whatever Datasets raises, the folder is what the user can mend
        raise OptionError(f"option 'data': Datasets cannot open {path}: {error}") from error
    splits = splits if isinstance(splits, DatasetDict) else {"train": splits}
    for name, split in splits.items():
        missing = {"image", "objects"} - set(split.column_names)
        if missing:
            raise OptionError(f"option 'data': {path}, split {name}: has no column {sorted(missing)[0]!r}")
    return splits
