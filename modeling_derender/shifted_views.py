"""The copies of a picture that test-time augmentation reads together with it."""

from __future__ import annotations

import torch
from torch.nn import functional as F


MOVES = ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Down and to the right, in pixels of the model's input: the picture itself, and a step along each diagonal."""


def shift_views(pixel_values: torch.Tensor) -> list[torch.Tensor]:
    """`pixel_values` (B, C, H, W) by each of `MOVES`, of the same shape; what a move uncovers repeats the edge."""
    height, width = pixel_values.shape[-2:]
    padded = F.pad(pixel_values, (1, 1, 1, 1), mode="replicate")
    return [padded[..., 1 - down : 1 - down + height, 1 - right : 1 - right + width] for down, right in MOVES]
