"""Training data: the examples, and the batch of each step as a pure function of seed, step and process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import ModuleType

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset

from datasets_scripts.scene_options import scene_options
from datasets_scripts.scenes import FreshScenes, GivenScenes, RenderError, Scenes, data_options, find_renderer
from derender_training.data_folder import open_data_folder
from derender_training.image_noise import ImageNoise
from derender_training.mixed_examples import MixedExamples
from derender_training.options import OptionError, closest
from derender_training.seen_pictures import SeenPictures
from derender_training.training_options import TrainingOptions
from modeling_derender.processing_derender import DerenderProcessor
from modeling_derender.specification import SpecificationError


VALIDATION_SEED = 0
PREFETCHED = 4  # batches that a worker prepares ahead
# Keys that keep the draws below apart from each other and from those of the scenes.
_EPOCH_ORDER, _OBJECT_ORDER, _IMAGE_NOISE = 1, 2, 3
# Of training with one seed: cross-entropy, cross-entropy that goes on from a model, reinforcement.
FIRST, FURTHER, REINFORCED = range(3)


class TrainingBatches(Dataset):
    """Item `step` is the batch of that step (counted from 0) for one process: `pixel_values` and `labels`.

    Position p = step * batch_size + k, k < batch_size, counts the examples of a run; each process takes its even part
    of a step's positions, so what a step sees does not depend on the number of processes. With `size` None position p
    is example p; otherwise it is number p % size in the permutation that belongs to the seed and epoch p // size.
    `order` is one of `order_objects`, or "random_once": random, but the same whenever an example is seen. With
    `add_noise`, image noise is drawn for each position; runs of one seed and another `stretch`, of those named above,
    draw other noise.
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
        add_noise: ImageNoise | None = None,
        stretch: int = FIRST,
    ):
        if batch_size % num_processes:
            raise OptionError(
                f"option 'batch_size': {batch_size} pictures are not shared by {num_processes} processes"
            )
        self.examples, self.processor = examples, processor
        self.batch_size, self.seed, self.size = batch_size, seed, size
        self.order, self.max_length = order, max_length
        self.process, self.num_processes = process, num_processes
        self.add_noise, self.stretch = add_noise, stretch

    def __len__(self) -> int:
        return sys.maxsize

    @cached_property
    def see(self) -> SeenPictures:
        return SeenPictures(self.processor.image_processor)

    @cached_property
    def see_plain(self) -> SeenPictures:
        """The pictures as they are before image noise is added to them."""
        return (
            self.see if self.add_noise is None else SeenPictures(self.processor.image_processor, self.add_noise.size)
        )

    @staticmethod
    def normalize(pictures: torch.Tensor) -> torch.Tensor:
        """What the model takes, of the `pixel_values` of a batch, on any device."""
        return pictures

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

    def indices(self, step: int) -> list[int]:
        """The examples of a step."""
        return [self.index(position) for position in self.positions(step)]

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        indices = self.indices(step)
        examples = self.examples.__getitems__(indices)
        images = [example["image"] for example in examples]
        if self.add_noise is not None:
            images = list(self.with_noise(self.see_plain(examples), step).numpy())
        return dict(self.prepare(examples, indices, self.positions(step), images=images))

    def with_noise(self, pictures: torch.Tensor, step: int) -> torch.Tensor:
        """What the model sees of the plain pictures of a step: with the image noise that is drawn for it, if any."""
        if self.add_noise is None:
            return pictures
        rngs = [_rng(_IMAGE_NOISE, self.seed, self.stretch, position) for position in self.positions(step)]
        return self.see.fit(self.add_noise(pictures.numpy(), rngs)[..., None])

    def prepare(self, examples: list[dict], indices: list[int], positions: Sequence[int] = (), **images) -> dict:
        """What the model takes: labels, and what the processor makes of `images`, if they are given.

        `positions` in the run count where the order is drawn anew.
        """
        # An order drawn anew belongs to the position in the run, one drawn once to the example.
        numbers = {"random": positions, "random_once": indices}.get(self.order)
        batch = self.processor(
            objects=[example["objects"] for example in examples],
            order=self.order if numbers is None else "random",
            rng=None if numbers is None else [_rng(_OBJECT_ORDER, self.seed, number) for number in numbers],
            **images,
        )
        self._check_lengths(batch["labels"], indices)
        return batch

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


class _BatchesOrErrors(Dataset):
    """Batches, or the error that one raises: out of a worker it would come as its traceback's text."""

    def __init__(self, batches: TrainingBatches):
        self.batches = batches

    def __getitem__(self, step: int) -> dict[str, torch.Tensor] | Exception:
        try:
            return self.batches[step]
        except (ValueError, RenderError) as error:
            return error


def _as_it_is(batch):
    return batch


def load_batches(
    batches: TrainingBatches, first_step: int, last_step: int, num_workers: int, pin_memory: bool = False
) -> Iterator[dict[str, torch.Tensor]]:
    """The batches of the steps from `first_step` up to `last_step`, prepared ahead by workers.

    Raises what making a batch raises, in this process.
    """
    loader = DataLoader(
        _BatchesOrErrors(batches),
        batch_size=None,
        sampler=range(first_step, last_step),
        num_workers=num_workers,
        prefetch_factor=PREFETCHED if num_workers else None,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        # Its own generator, or making an iterator would draw from that of dropout, and resumed runs would differ.
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, Exception):
            raise batch
        yield batch


@dataclass(frozen=True)
class Examples:
    """What a run learns from and is evaluated on; `size` training examples are used again and again, None: no end."""

    train: Sequence[dict]
    size: int | None
    validation: Sequence[dict]


def load_examples(options: TrainingOptions, folder: ModuleType) -> Examples:
    """Fresh or given scenes of the language in `folder`, or the splits of a folder of pictures.

    The validation is the data's own, or the language's given scenes of that split, or else fresh scenes. Raises
    OptionError for data that cannot be opened, for a validation that is not there, and for scene options that the
    language's sampler or reader does not take.
    """
    if options.data == "fresh":
        return Examples(_fresh_scenes(options, folder), options.train_size, _validation_scenes(options, folder))
    if options.plain_share:
        raise OptionError(f"option 'plain_share': of fresh scenes, and these are of data {options.data!r}")
    if options.data == "given":
        train = _open_scenes(options, folder, GivenScenes, split="train", render=options.render)
        return Examples(train, _train_size(options, train), _validation_scenes(options, folder))
    if options.render is not None:
        raise OptionError(f"option 'render': the pictures of {options.data} are drawn already; leave it out")
    _check_scene(options, folder)
    splits = open_data_folder(options.data, folder.LANGUAGE)
    if "train" not in splits:
        raise OptionError(f"option 'data': {options.data} has no split 'train', only {', '.join(splits)}")
    train, validation = splits["train"], splits.get("validation")
    if validation is None and hasattr(folder, "read_scenes"):
        # Its given scenes may be the very ones that the folder's training split was made of.
        raise OptionError(f"option 'data': {options.data} has no split 'validation'; build it with one")
    if validation is None:
        validation = _validation_scenes(options, folder)
    else:
        validation = Subset(validation, range(min(options.evaluation_size, len(validation))))
    return Examples(train, _train_size(options, train), validation)


def _fresh_scenes(options: TrainingOptions, folder: ModuleType) -> Sequence[dict]:
    scenes = _open_scenes(options, folder, FreshScenes, seed=options.seed, render=options.render)
    if not options.plain_share:
        return scenes
    if hasattr(folder, "read_scenes"):  # by default it would recompose scenes that `scene` holds back
        raise OptionError(f"option 'plain_share': {options.language} recomposes given scenes; leave it out")
    plain = FreshScenes(folder, options.scene_size, seed=options.seed, data_dir=options.data_dir)
    return MixedExamples(plain, scenes, options.plain_share)


def _train_size(options: TrainingOptions, train: Sequence) -> int:
    if (options.train_size or 0) > len(train):
        raise OptionError(f"option 'train_size': {options.data} has only {len(train)} training examples")
    return options.train_size or len(train)


def _validation_scenes(options: TrainingOptions, folder: ModuleType) -> list[dict]:
    """Scenes of the validation split: given ones where the language has such, else fresh ones."""
    if hasattr(folder, "read_scenes"):
        scenes = _open_scenes(options, folder, GivenScenes, split="validation", limit=options.evaluation_size)
    else:
        fresh = {"split": "validation", "length": options.evaluation_size, "seed": VALIDATION_SEED}
        scenes = _open_scenes(options, folder, FreshScenes, **fresh)
    return scenes.__getitems__(list(range(len(scenes))))


def _open_scenes(options: TrainingOptions, folder: ModuleType, kind: type[Scenes], **which) -> Scenes:
    """Scenes at the resolution asked for, with the options in `scene` that scenes of this kind take.

    The options may be of both kinds, since one run can learn from fresh scenes and be validated on given ones.
    """
    known = _check_scene(options, folder)
    if kind not in known:
        raise OptionError(f"option 'data': {options.language} has no given scenes; its scenes are sampled: fresh")
    scene = {name: value for name, value in options.scene.items() if name in known[kind]}
    with _naming("data_dir"):
        data_options(folder, options.data_dir)
    with _naming("render"):
        find_renderer(folder, which.get("render"))
    with _naming("scene"):
        scenes = kind(folder, options.scene_size, data_dir=options.data_dir, **which, **scene)
    with _naming("draw_size" if options.scene_size != options.image_size else "image_size"):
        scenes[0]
    return scenes


def _check_scene(options: TrainingOptions, folder: ModuleType) -> dict[type[Scenes], Sequence[str]]:
    """The scene options that there are for each kind of scenes; OptionError where another is given."""
    known = {kind: scene_options(source) for kind, source in _sources(folder).items()}
    names = {name for names in known.values() for name in names}
    unknown = [name for name in options.scene if name not in names]
    if unknown:
        raise OptionError(f"option 'scene': {options.language} has no {unknown[0]!r}; {closest(unknown[0], names)}")
    return known


@contextmanager
def _naming(option: str) -> Iterator[None]:
    try:
        yield
    except SpecificationError:  # of the scene itself
        raise
    except ValueError as error:
        raise OptionError(f"option {option!r}: {error}") from None


def _sources(folder: ModuleType) -> dict[type[Scenes], Callable]:
    """The functions of a language's folder that its scenes come from."""
    given = {GivenScenes: folder.read_scenes} if hasattr(folder, "read_scenes") else {}
    return {FreshScenes: folder.sample_scene, **given}
