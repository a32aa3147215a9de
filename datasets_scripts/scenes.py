"""Fresh scenes of a language as a map-style dataset: scene number i is a pure function of seed, split and i."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
from torch.utils.data import Dataset


SPLITS = ("train", "test", "validation")


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The random numbers of one scene; splits never share them. Raises ValueError for an unknown split."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return np.random.default_rng([seed, SPLITS.index(split), index])


class FreshScenes(Dataset):
    """Scenes sampled and rendered when asked for: {"image": uint8 (H, W[, 3]), "objects": [...]}.

    `folder` is a language's folder (`load_language_folder`), `size` (height, width) the resolution to draw at,
    `options` go to its `sample_scene`. The stream has no end: any index is a scene of its own, so workers and
    processes that take different indices never repeat one another, and the bytes do not depend on who draws them.
    """

    def __init__(
        self,
        folder: ModuleType,
        size: tuple[int, int],
        seed: int = 0,
        split: str = "train",
        length: int = sys.maxsize,
        **options,
    ):
        self.folder, self.size, self.seed, self.split, self.length = folder, tuple(size), seed, split, length
        self.options = options

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[dict]:
        rngs = [scene_rng(self.seed, self.split, index) for index in indices]
        scenes = [self.folder.sample_scene(rng, **self.options) for rng in rngs]
        images = self.folder.render_batch(scenes, size=self.size, rngs=rngs)
        return [{"image": image, "objects": objects} for image, objects in zip(images, scenes, strict=True)]

    def __getstate__(self) -> dict:
        """Modules do not pickle: a worker process imports the folder again."""
        return {**self.__dict__, "folder": self.folder.__name__}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state, folder=sys.modules.get(state["folder"]) or __import__(state["folder"], fromlist=["_"]))
