"""Rewards in image space (the paper's section 4.1): pictures drawn from what was read beside those it was read in."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .reconstruction_error import NUM_BUCKETS


LEAST_DISTANCE = 0.01  # ten inverted pixels of 256 x 256, the least noise of a Noisy Shapes picture, are more


def bucket_reward(drawn: Tensor, targets: Tensor) -> Tensor:
    """Equation 14: the share of pixels that are right, all channels in the same of 20 buckets; float32 (R,).

    `drawn` and `targets` are uint8 (R, H, W) or (R, H, W, C): one minus the reconstruction error of each pair.
    """
    differs = _buckets(drawn) != _buckets(targets)
    if differs.ndim == 4:
        differs = differs.any(dim=-1)
    return 1 - differs.float().mean(dim=(1, 2))


def _buckets(pictures: Tensor) -> Tensor:
    return (pictures.to(torch.int16) * NUM_BUCKETS) >> 8


def blur_reward(drawn: Tensor, targets: Tensor, width: float, blur: float = 0.3, scale: float = 1.0) -> Tensor:
    """Equation 13, c / ||I - blur(I_R)||^2, for targets drawn with noise; float32 (R,).

    `drawn` and `targets` are grey, uint8 (R, H, W), of a canvas of `width` units. Distances are of ink, from 0 to 1,
    and summed over the canvas in its units, so that they depend on the resolution only by what it resolves. `blur` is
    the Gaussian's standard deviation in units, `scale` the equation's c. What is nearer than LEAST_DISTANCE counts as
    that near.
    """
    pixels = drawn.shape[-1] / width
    ink, wanted = (1 - pictures.float() / 255 for pictures in (drawn, targets))
    distance = (wanted - _blur(ink, blur * pixels)).square().sum(dim=(1, 2)) / pixels**2
    return scale / distance.clamp(min=LEAST_DISTANCE)


def _blur(pictures: Tensor, deviation: float) -> Tensor:
    """Gaussian blur of (R, H, W), nothing beyond the edges; `deviation` in pixels, 0 for none."""
    if deviation == 0:
        return pictures
    reach = math.ceil(3 * deviation)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=pictures.device) / deviation) ** 2)
    kernel = kernel / kernel.sum()
    rows = F.conv2d(pictures[:, None], kernel.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(rows, kernel.view(1, 1, 1, -1), padding=(0, reach)).squeeze(1)
