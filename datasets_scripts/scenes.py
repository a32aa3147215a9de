"""Scenes of a language drawn when asked for, as map-style datasets: fresh ones without end, or those of given data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from torch.utils.data import Dataset

from modeling_derender.specification import SpecificationError, check_objects

from . import load_language_folder


SPLITS = ("train", "test", "validation")


class RenderError(RuntimeError):
    """A renderer failed, for want of a program it calls for instance; the message says which and why."""


def scene_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The random numbers of one scene; splits never share them. Raises ValueError for an unknown split."""
    check_split(split)
    return np.random.default_rng([seed, SPLITS.index(split), index])


def check_split(split: str) -> None:
    """Raise ValueError for an unknown one."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")


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


def data_options(folder: ModuleType, data_dir: str | None) -> dict:
    """The keyword `data_dir` of a folder's functions, found and checked; none for a language without data of its own.

    Raises ValueError where the data are not there, or where `data_dir` is given for a language that has none.
    """
    if hasattr(folder, "find_data_dir"):
        return {"data_dir": str(folder.find_data_dir(data_dir))}
    if data_dir is not None:
        raise ValueError(f"data_dir: {folder.LANGUAGE.name} needs no data of its own")
    return {}


def read_given(folder: ModuleType, split: str, **options) -> dict[str, list[dict]]:
    """The given scenes of a split; ValueError for a language without such, and for options that do not fit."""
    if not hasattr(folder, "read_scenes"):
        raise ValueError(f"{folder.LANGUAGE.name}: has no given scenes; its scenes are sampled")
    try:
        return folder.read_scenes(split, **options)
    except TypeError as error:
        raise ValueError(f"{folder.LANGUAGE.name}: {error}") from None


class Scenes(Dataset):
    """Examples {"image": uint8 (H, W[, 3]), "objects": [...]} drawn when taken, the same bytes whoever draws them.

    `folder` is a language's folder (`load_language_folder`), `size` (height, width) the resolution to draw at,
    `render` the name of one of its renderers (`find_renderer`), `data_dir` the folder of the language's own files,
    for one that has such. Objects are in canonical form. Raises ValueError at once for what does not fit, and, when a
    scene is taken, SpecificationError (a ValueError) where it is none of the language, RenderError where the renderer
    fails and ValueError where it draws another size. A subclass says which objects example i has, with `_objects_of`.
    """

    def __init__(
        self,
        folder: ModuleType,
        size: tuple[int, int],
        seed: int,
        split: str,
        render: str | None,
        data_dir: str | None,
    ):
        self.folder, self.size, self.seed, self.split = folder, tuple(size), seed, split
        self.render, self.data = render, data_options(folder, data_dir)
        find_renderer(folder, render)
        scene_rng(seed, split, 0)

    def _objects_of(self, indices: list[int], rngs: list[np.random.Generator]) -> list[list[dict]]:
        raise NotImplementedError

    def __getitem__(self, index: int) -> dict:
        if index >= len(self):  # without this error a loop over the scenes would not end
            raise IndexError(f"there is no scene {index}, only {len(self)}")
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[dict]:
        rngs = [scene_rng(self.seed, self.split, index) for index in indices]
        scenes = self._check(indices, self._objects_of(indices, rngs))
        return [
            {"image": image, "objects": objects}
            for image, objects in zip(self._draw(scenes, rngs), scenes, strict=True)
        ]

    def _check(self, indices: list[int], scenes: list[list[dict]]) -> list[list[dict]]:
        """The scenes in canonical form, as a model predicts them."""
        checked = []
        for index, objects in zip(indices, scenes, strict=True):
            try:
                checked.append(check_objects(self.folder.LANGUAGE, objects))
            except SpecificationError as error:
                raise SpecificationError(f"{self.folder.LANGUAGE.name}: {self._name_of(index)}: {error}") from None
        return checked

    def _name_of(self, index: int) -> str:
        return f"scene {index} of {self.split}"

    def _draw(self, scenes: Sequence[list[dict]], rngs: list[np.random.Generator]) -> Sequence[np.ndarray]:
        name = f"renderer {self.render or 'by default'}"
        try:
            drawn = find_renderer(self.folder, self.render)(scenes, size=self.size, rngs=rngs, **self.data)
        except RuntimeError as error:
            raise RenderError(f"{name}: {error}") from error
        for picture in drawn[:1]:
            if picture.shape[:2] != self.size:
                raise ValueError(f"{name}: asked for pictures of (height, width) {self.size}, drew {picture.shape}")
        return drawn

    def __getstate__(self) -> dict:
        """Modules do not pickle: a worker process opens the folder again."""
        return {**self.__dict__, "folder": str(Path(self.folder.__file__).parent)}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state, folder=load_language_folder(state["folder"]))


class FreshScenes(Scenes):
    """Scenes sampled when asked for; `options` go to the folder's `sample_scene`.

    Scene i is a pure function of seed, split and i. The stream has no end: any index is a scene of its own, so workers
    and processes that take different indices never repeat one another.

    Raises ValueError at once for options that the sampler does not take; see `Scenes`.
    """

    def __init__(
        self,
        folder: ModuleType,
        size: tuple[int, int],
        seed: int = 0,
        split: str = "train",
        length: int = sys.maxsize,
        render: str | None = None,
        data_dir: str | None = None,
        **options,
    ):
        super().__init__(folder, size, seed, split, render, data_dir)
        self.length, self.options = length, options
        try:
            folder.sample_scene(scene_rng(seed, split, 0), **self.data, **options)
        except TypeError as error:
            raise ValueError(f"{folder.LANGUAGE.name}: {error}") from None

    def __len__(self) -> int:
        return self.length

    def _objects_of(self, indices: list[int], rngs: list[np.random.Generator]) -> list[list[dict]]:
        return [self.folder.sample_scene(rng, **self.data, **self.options) for rng in rngs]


class GivenScenes(Scenes):
    """The scenes of one split of a language's given data, read by its folder's `read_scenes`, which takes `options`.

    Examples have a "file_name" as well, the scene's name in the data. `limit` takes the first so many. Raises
    ValueError for a language without such data, for options that do not fit and for a split without scenes; see
    `Scenes`. `seed` is that of the drawing's noise, for a language that draws with noise.
    """

    def __init__(
        self,
        folder: ModuleType,
        size: tuple[int, int],
        split: str = "train",
        limit: int | None = None,
        seed: int = 0,
        render: str | None = None,
        data_dir: str | None = None,
        **options,
    ):
        super().__init__(folder, size, seed, split, render, data_dir)
        scenes = read_given(folder, split, **self.data, **options)
        if not scenes:
            raise ValueError(f"{folder.LANGUAGE.name}: the split {split!r} has no scenes")
        self.names, self.scenes = list(scenes)[:limit], list(scenes.values())[:limit]

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitems__(self, indices: list[int]) -> list[dict]:
        examples = super().__getitems__(indices)
        return [{"file_name": self.names[index], **example} for index, example in zip(indices, examples, strict=True)]

    def _objects_of(self, indices: list[int], rngs: list[np.random.Generator]) -> list[list[dict]]:
        return [self.scenes[index] for index in indices]

    def _name_of(self, index: int) -> str:
        return f"scene {self.names[index]!r}"
