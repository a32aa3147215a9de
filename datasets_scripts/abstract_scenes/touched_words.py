"""Which words of the canvas the placed sprites touch, and where each one's pixels lie in the atlas."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from .placing import Placement
from .sprite_atlas import WORD, SpriteAtlas


@dataclass(frozen=True)
class TouchedWords:
    """Words of WORD pixels side by side, layer after layer; within a layer no word is there twice.

    Attributes:
        target: int64 (words,), indices into a canvas (scenes, 3, height, words in a row): those of the red words.
        source: int64 (words,), where a word's pixels begin in the atlas.
        layers: how many words each layer has.
    """

    target: Tensor
    source: Tensor
    layers: list[int]


def find_touched_words(placement: Placement, atlas: SpriteAtlas, height: int, row_words: int) -> TouchedWords:
    """Cuts the sprites' runs into words of the canvas and drops those outside it.

    The placement is sorted by layer, and the canvas has `row_words` words in a row.
    """
    num_runs = atlas.num_runs[placement.sprite]
    run_ends = num_runs.cumsum(0)
    owner = torch.repeat_interleave(num_runs)
    run = _count_up(atlas.first_run[placement.sprite] - run_ends + num_runs, owner)
    row, column, length, begin = atlas.runs.index_select(1, run)
    row = row + placement.top.index_select(0, owner)
    column = column + placement.left.index_select(0, owner)
    first = (column // WORD).clamp_(min=0)
    last = ((column + length + WORD - 1) // WORD).clamp_(max=row_words)
    count = (last - first).clamp_(min=0) * ((row >= 0) & (row < height))
    ends = count.cumsum(0)
    layers = _layer_sizes(pad(ends, (1, 0))[run_ends], placement.layer)
    line = placement.scene.index_select(0, owner) * (3 * height) + row
    owner = torch.repeat_interleave(count, output_size=sum(layers))
    before = first - ends + count
    target = _count_up(line * row_words + before, owner)
    source = _count_up(begin - column + before * WORD, owner, WORD)
    return TouchedWords(target, source, layers)


def _count_up(start: Tensor, owner: Tensor, step: int = 1) -> Tensor:
    """start[owner[i]] + i * step, int64."""
    return start.index_select(0, owner) + torch.arange(0, len(owner) * step, step, device=owner.device)


def _layer_sizes(ends: Tensor, layer: Tensor) -> list[int]:
    """The number of words on each layer, from how many words the sprites have in all up to and with each."""
    layers = torch.arange(int(layer[-1]) + 1, device=layer.device)
    layer_ends = ends[torch.searchsorted(layer, layers, right=True) - 1]
    return layer_ends.diff(prepend=layer_ends.new_zeros(1)).tolist()
