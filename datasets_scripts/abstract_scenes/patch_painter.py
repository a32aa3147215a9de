"""Draws placed sprites one after the other, each as a rectangle: what a CPU is good at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from threading import Lock

import torch
from torch import Tensor

from .language import SCALES
from .placing import Placement
from .sprites import Sprites


@dataclass(frozen=True)
class Patch:
    """A sprite ready to be laid on what is below, v, which becomes v * kept + added.

    `added`, which has the 1/2 to round by, is float32 (3, h, w), `kept` float32 (1, h, w). `mixed`, float32, and
    `rounded`, int16, are memory of the shape of `added`, which all patches share.
    """

    added: Tensor
    kept: Tensor
    mixed: Tensor
    rounded: Tensor

    def cut(self, rows: slice, columns: slice) -> Patch:
        """The part of a patch within these rows and columns."""
        added = self.added[:, rows, columns]
        mixed, rounded = (memory.view(-1)[: added.numel()].view(added.shape) for memory in (self.mixed, self.rounded))
        return Patch(added, self.kept[:, rows, columns], mixed, rounded)

    def lay_on(self, below: Tensor) -> None:
        """Draws on uint8 (3, h, w)."""
        self.mixed.copy_(below)
        torch.addcmul(self.added, self.mixed, self.kept, out=self.mixed)
        self.rounded.copy_(self.mixed)  # on the way to uint8 it is much faster than straight there
        below.copy_(self.rounded)


class PatchPainter:
    """Draws on a background, uint8 (3, H, W), on the device that this lies on.

    Sprites are made when first drawn, and kept: all of them take up to 300 MB. Threads draw one after the other.
    """

    def __init__(self, sprites: Sprites, background: Tensor):
        self._sprites, self._background = sprites, background
        self._patches = cache(self._make_patches)
        # Memory for one patch at a time: asked for anew each time, most of the time would go there.
        self._mixed = torch.empty(sprites.largest, device=background.device)
        self._rounded = torch.empty(sprites.largest, dtype=torch.int16, device=background.device)
        self._lock = Lock()

    def paint(self, placement: Placement, num_scenes: int) -> Tensor:
        """Draws placed sprites, sorted by scene and layer: uint8 (num_scenes, 3, H, W)."""
        canvas = self._background.new_empty(num_scenes, *self._background.shape)
        columns = (placement.sprite.tolist(), placement.left.tolist(), placement.top.tolist())
        objects = zip(*columns, strict=True)
        counts = placement.scene.bincount(minlength=num_scenes).tolist()
        with self._lock:
            for picture, count in zip(canvas, counts, strict=True):
                picture.copy_(self._background)
                for _ in range(count):
                    self._lay(picture, *next(objects))
        return canvas

    def _lay(self, picture: Tensor, sprite: int, left: int, top: int) -> None:
        """Draws a sprite, of which the part outside the picture is cut off."""
        patch = self._patches(sprite // self._sprites.per_picture)[sprite % self._sprites.per_picture]
        (_, height, width), (_, rows, columns) = picture.shape, patch.added.shape
        if left < 0 or top < 0 or left + columns > width or top + rows > height:
            inside = slice(max(0, -top), max(0, height - top)), slice(max(0, -left), max(0, width - left))
            patch = patch.cut(*inside)
            left, top, (_, rows, columns) = max(0, left), max(0, top), patch.added.shape
        if rows and columns:
            patch.lay_on(picture[:, top : top + rows, left : left + columns])

    def _make_patches(self, drawn: int) -> list[Patch]:
        """Every sprite of a picture at a depth."""
        planes = self._sprites.make(*divmod(drawn, len(SCALES))).to(self._background.device).float()
        share = planes[3:] / 255
        added = (planes[:3] * share + 0.5).transpose(0, 1).contiguous()
        kept = (1 - share).transpose(0, 1)
        mixed, rounded = (memory[: added[0].numel()].view(added[0].shape) for memory in (self._mixed, self._rounded))
        return [Patch(*pair, mixed, rounded) for pair in zip(added, kept, strict=True)]
