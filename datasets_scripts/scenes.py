"""Fresh scenes of a language as a map-style dataset: scene number i is a pure function of seed, split and i."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
from torch.utils.data import Dataset

from . import load_language_folder


SPLITS = ("train", "test", "validation")


class RenderError(RuntimeError):
    """A renderer failed, for want of a program it calls for instance; the message says which and why."""


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The random numbers of one scene; splits never share them. Raises ValueError for an unknown split."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return np.random.default_rng([seed, SPLITS.index(split), index])


def find_renderer(folder: ModuleType, name: str | None) -> Callable:
    """A language folder's renderer `(scenes, size=(height, width), rngs=[...]) -> uint8 (B, H, W[, 3])`.

    None is its `render_batch`, another name one of its optional RENDERERS. Raises ValueError for an unknown name.
    """
    if name is None:
        return folder.render_batch
    renderers = getattr(folder, "RENDERERS", {})
    if name not in renderers:
        known = ", ".join(renderers) or "none but the default"
        raise ValueError(f"{folder.LANGUAGE.name}: unknown renderer {name!r}; known: {known}")
    return renderers[name]


class FreshScenes(Dataset):
    """Scenes sampled and rendered when asked for: {"image": uint8 (H, W[, 3]), "objects": [...]}.

    `folder` is a language's folder (`load_language_folder`), `size` (height, width) the resolution to draw at,
    `render` the name of one of its renderers (`find_renderer`); `options` go to its `sample_scene`. The stream has no
    end: any index is a scene of its own, so workers and processes that take different indices never repeat one
    another, and the bytes do not depend on who draws them.

    Raises ValueError at once for an unknown renderer or split and for options that the sampler does not take, and
    RenderError on drawing where the renderer fails.
    """

    def __init__(
        self,
        folder: ModuleType,
        size: tuple[int, int],
        seed: int = 0,
        split: str = "train",
        length: int = sys.maxsize,
        render: str | None = None,
        **options,
    ):
        self.folder, self.size, self.seed, self.split, self.length = folder, tuple(size), seed, split, length
        self.render, self.options = render, options
        find_renderer(folder, render)
        try:
            folder.sample_scene(scene_rng(seed, split, 0), **options)
        except TypeError as error:
            raise ValueError(f"{folder.LANGUAGE.name}: {error}") from None

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict:
        if index >= self.length:  # without this error a loop over the scenes would not end
            raise IndexError(f"there is no scene {index}, only {self.length}")
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[dict]:
        rngs = [scene_rng(self.seed, self.split, index) for index in indices]
        scenes = [self.folder.sample_scene(rng, **self.options) for rng in rngs]
        try:
            images = find_renderer(self.folder, self.render)(scenes, size=self.size, rngs=rngs)
        except RuntimeError as error:
            raise RenderError(f"renderer {self.render or 'by default'}: {error}") from error
        return [{"image": image, "objects": objects} for image, objects in zip(images, scenes, strict=True)]

    def __getstate__(self) -> dict:
        """Modules do not pickle: a worker process opens the folder again."""
        return {**self.__dict__, "folder": str(Path(self.folder.__file__).parent)}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state, folder=load_language_folder(state["folder"]))
