"""From objects to where each sprite goes and on which layer: in tensors, so that it runs on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .clip_art import PICTURE_INDEX
from .drawing_order import GROUPS, drawing_key
from .language import SCALES
from .sprites import Sprites


_FAR = 4096  # of coordinates: what is further out is not to be seen either


@dataclass(frozen=True)
class ObjectTensors:
    """The objects of many scenes, in any order: int64 (objects,) on one device.

    `scene` counts from 0, `picture` in PICTURE_NAMES; depth is 0, 1 or 2, flip 0 or 1; x and y as in an object.
    """

    scene: Tensor
    picture: Tensor
    depth: Tensor
    flip: Tensor
    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Placement:
    """Sprites to draw, by scene and layer: int64 (objects,) each. Pixels are those of the sprites' resolution.

    A scene's objects lie on its layers 0, 1, ..., one on each.
    """

    scene: Tensor
    sprite: Tensor
    left: Tensor
    top: Tensor
    layer: Tensor

    def take(self, which: Tensor | slice, first_scene: int = 0) -> Placement:
        """Some of the objects, with the scenes numbered from `first_scene`, which becomes 0."""
        scene, *others = (getattr(self, field.name)[which] for field in fields(self))
        return Placement(scene - first_scene, *others)


def to_tensors(scenes: Sequence[Sequence[dict]], device: torch.device | str) -> ObjectTensors:
    """Python's objects as tensors. Raises ValueError for a picture or a depth that does not exist."""
    rows = []
    for number, objects in enumerate(scenes):
        for obj in objects:
            drawing_key(obj)
            rows.append((number, PICTURE_INDEX[obj["category"]], obj["depth"], obj["flip"], obj["x"], obj["y"]))
    table = torch.tensor(rows, dtype=torch.int64).reshape(-1, 6)
    return ObjectTensors(*table.T.contiguous().to(device))


def place(objects: ObjectTensors, sprites: Sprites) -> Placement:
    """Sorts the objects by scene and drawing order and finds their sprites, to 1 / sprites.phases of a pixel."""
    order = _order_keys(objects).argsort()
    scene, picture, depth, flip, x, y = (getattr(objects, field.name)[order] for field in fields(objects))
    drawn = (picture * len(SCALES) + depth) * 2 + flip
    right, down = sprites.offsets.to(drawn.device)[drawn].T
    left, phase_x = _to_pixels(x + right, sprites.scale[1], sprites.phases)
    top, phase_y = _to_pixels(y + down, sprites.scale[0], sprites.phases)
    sprite = (drawn * sprites.phases + phase_y) * sprites.phases + phase_x
    position = torch.arange(len(scene), device=scene.device)
    return Placement(scene, sprite, left, top, position - torch.searchsorted(scene, scene))


def _order_keys(objects: ObjectTensors) -> Tensor:
    """One int64 an object that sorts as the scene and then `drawing_key` do."""
    group = torch.tensor(GROUPS, device=objects.scene.device)[objects.picture]
    near = len(SCALES) - 1 - objects.depth
    key = ((objects.scene * 4 + group) * 4 + near) * len(GROUPS) + objects.picture
    for coordinate in (objects.x, objects.y):
        key = key * (2 * _FAR) + coordinate.clamp(-_FAR, _FAR - 1) + _FAR
    return key * 2 + objects.flip


def _to_pixels(position: Tensor, scale: float, phases: int) -> tuple[Tensor, Tensor]:
    """Positions on the full canvas as coarse pixels and phases: int64 each."""
    steps = (position * (scale * phases)).round().long()
    return steps.div(phases, rounding_mode="floor"), steps.remainder(phases)
