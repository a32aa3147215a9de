"""All sprites at one resolution as flat tensors: the runs of visible pixels of each, and the pixels' colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from .clip_art import PICTURE_NAMES
from .language import SCALES
from .sprites import Sprites


WORD = 8  # pixels that are read and written at once


@dataclass(frozen=True)
class SpriteAtlas:
    """The visible pixels of every sprite.

    A run is a stretch of pixels in one row of a sprite, visible at both ends. Runs of a row are at least a word apart.

    Attributes:
        first_run, num_runs: int64 (sprites,).
        runs: int64 (4, runs): row and column in the sprite, length, and where its pixels begin.
        pixels: uint8 (4, pixels): red, green, blue, alpha; not premultiplied. A word of transparent pixels lies before
            and after each run.
    """

    first_run: Tensor
    num_runs: Tensor
    runs: Tensor
    pixels: Tensor


def build_atlas(sprites: Sprites, device: torch.device | str) -> SpriteAtlas:
    """The atlas of all sprites, on a device."""
    num_runs, runs, pixels = [], [], [torch.zeros(4, WORD, dtype=torch.uint8)]
    for picture in range(len(PICTURE_NAMES)):
        for depth in range(len(SCALES)):
            planes = sprites.make(picture, depth)
            sprite, *table = _find_runs(planes[3] > 0)
            num_runs.append(sprite.bincount(minlength=sprites.per_picture))
            runs.append(torch.stack(table))
            pixels.append(_take_runs(planes, sprite, *table))
    num_runs, runs = torch.cat(num_runs), torch.cat(runs, 1)
    stored = runs[2] + WORD
    runs = torch.cat([runs, (WORD + stored.cumsum(0) - stored)[None]])
    tables = num_runs.cumsum(0) - num_runs, num_runs, runs, torch.cat(pixels, 1)
    return SpriteAtlas(*(table.to(device) for table in tables))


def _find_runs(visible: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """bool (N, h, w) -> number, row, column and length of each run, int64 (runs,) each."""
    change = pad(visible.to(torch.int8), (1, 1)).diff()
    number, row, start = (change == 1).nonzero().T
    end = (change == -1).nonzero()[:, 2]
    near = (number.diff() == 0) & (row.diff() == 0) & (start[1:] - end[:-1] < WORD)
    first, last = pad(~near, (1, 0), value=True), pad(~near, (0, 1), value=True)
    return number[first], row[first], start[first], end[last] - start[first]


def _take_runs(sprites: Tensor, number: Tensor, row: Tensor, column: Tensor, length: Tensor) -> Tensor:
    """The pixels of the runs, each with the word of transparent pixels after it: uint8 (4, pixels)."""
    padded = pad(sprites, (0, WORD))
    begin = (number * padded.shape[2] + row) * padded.shape[3] + column
    stored = length + WORD
    index = torch.repeat_interleave(begin - stored.cumsum(0) + stored, stored)
    return padded.flatten(1)[:, index + torch.arange(len(index))]
