"""Draws placed sprites with few large operations, layer by layer over all scenes: what a GPU is good at."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from .placing import Placement
from .sprite_atlas import WORD, build_atlas
from .sprites import Sprites
from .touched_words import find_touched_words


# Pixels of pictures drawn at once: on a CPU what its cache about holds, on a GPU what its memory holds with ease.
_CPU_CHUNK, _GPU_CHUNK = 1 << 20, 1 << 25


class WordPainter:
    """Draws on a background, uint8 (3, H, W), which lies on the device to draw on.

    It reads and writes words of pixels that lie side by side, so its sprites are made at once, in a second or two.
    """

    def __init__(self, sprites: Sprites, background: Tensor):
        self.width = background.shape[2]
        self._background = pad(background, (0, -self.width % WORD)).contiguous()
        self._atlas = build_atlas(sprites, background.device)
        # The word from each pixel on, of each colour.
        self._atlas_planes = [colour.unfold(0, WORD, 1) for colour in self._atlas.pixels]
        chunk_pixels = _CPU_CHUNK if background.device.type == "cpu" else _GPU_CHUNK
        self._chunk = max(1, chunk_pixels // background[0].numel())

    def paint(self, placement: Placement, num_scenes: int) -> Tensor:
        """Draws placed sprites, sorted by scene and layer: uint8 (num_scenes, 3, H, W), contiguous if 8 divides W."""
        canvas = self._background.new_empty(num_scenes, *self._background.shape)
        begins = range(0, num_scenes, self._chunk)
        bounds = torch.tensor([*begins, num_scenes], device=canvas.device)
        bounds = torch.searchsorted(placement.scene, bounds).tolist()
        for begin, first, last in zip(begins, bounds[:-1], bounds[1:], strict=True):
            part = canvas[begin : begin + self._chunk].copy_(self._background)
            if first < last:
                self._paint_chunk(part, placement.take(slice(first, last), first_scene=begin))
        return canvas[..., : self.width]

    def _paint_chunk(self, canvas: Tensor, placement: Placement) -> None:
        """Draws sprites into the canvas, uint8 (scenes, 3, H, whole words), whose first scene is number 0."""
        _, height, width = self._background.shape
        placement = placement.take(placement.layer.argsort(stable=True))
        touched = find_touched_words(placement, self._atlas, height, width // WORD)
        words, plane = canvas.view(torch.int64).view(-1), height * width // WORD
        canvas_planes = words, words[plane:], words[2 * plane :]
        layers = (words.split(touched.layers) for words in (touched.target, touched.source))
        for target, source in zip(*layers, strict=True):
            below = torch.stack([words.index_select(0, target) for words in canvas_planes]).view(torch.uint8)
            above = torch.stack([words.index_select(0, source) for words in self._atlas_planes]).flatten(1)
            for words, mixed in zip(canvas_planes, blend(below, above).view(torch.int64), strict=True):
                words.scatter_(0, target, mixed)


def blend(below: Tensor, above: Tensor) -> Tensor:
    """Lays RGBA pixels, uint8 (4, n), over RGB pixels, uint8 (3, n): uint8 (3, n), rounded as Pillow's paste does."""
    above = above.float()
    mixed = below.float().lerp_(above[:3], above[3].div_(255))
    return mixed.add_(0.5).to(torch.int16).to(torch.uint8)  # by way of int16, which is much faster on a CPU
