"""Fresh scenes drawn by a renderer picked by name from those that a language's folder offers."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from .scenes import FreshScenes, scene_rng


class RenderError(RuntimeError):
    """A renderer failed, for want of a program it calls for instance; the message says which and why."""


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


class RenderedScenes(FreshScenes):
    """`FreshScenes` (the same scenes, for the same seed, split and index) drawn by the renderer named `render`.

    Raises ValueError at once for an unknown renderer or split and for options that the sampler does not take, and
    RenderError on drawing where the renderer fails.
    """

    def __init__(self, folder: ModuleType, size: tuple[int, int], *args, render: str | None = None, **options):
        super().__init__(folder, size, *args, **options)
        find_renderer(folder, render)
        self.render = render
        try:
            folder.sample_scene(scene_rng(self.seed, self.split, 0), **self.options)
        except TypeError as error:
            raise ValueError(f"{folder.LANGUAGE.name}: {error}") from None

    def __getitems__(self, indices: list[int]) -> list[dict]:
        rngs = [scene_rng(self.seed, self.split, index) for index in indices]
        scenes = [self.folder.sample_scene(rng, **self.options) for rng in rngs]
        try:
            images = find_renderer(self.folder, self.render)(scenes, size=self.size, rngs=rngs)
        except RuntimeError as error:
            raise RenderError(f"renderer {self.render or 'by default'}: {error}") from error
        return [{"image": image, "objects": objects} for image, objects in zip(images, scenes, strict=True)]
