"""Averages pictures over the pixels of a coarser grid, at several subpixel phases of that grid."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor


def averaging_weights(length: int, scale: float, phases: int) -> Tensor:
    """The matrix that averages `length` pixels in a line over coarse pixels: float32 (phases, coarse pixels, length).

    In phase p the line begins p / phases of a coarse pixel after the edge of the first. What a coarse pixel covers
    beyond the line counts as zeros. `scale` is the number of coarse pixels in a pixel, at most 1.
    """
    phase = torch.arange(phases, dtype=torch.float64)[:, None, None] / phases
    count = ceil(length * scale + (phases - 1) / phases - 1e-9)
    begin = (torch.arange(count)[:, None] - phase) / scale
    pixel = torch.arange(length)
    overlap = torch.minimum(begin + 1 / scale, pixel + 1.0) - torch.maximum(begin, pixel)
    return (overlap.clamp(min=0) * scale).float()
