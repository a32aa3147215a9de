"""The pictures at one resolution: every depth, side and subpixel position, as tensors."""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .area_average import averaging_weights
from .clip_art import PICTURE_NAMES, ClipArt
from .language import SCALES


_MOST_PHASES = 8  # finer steps are not to be seen


class Sprites:
    """Sprites of every picture, depth and flip, at P x P subpixel positions, cut to what is visible.

    A sprite's number counts picture, depth, flip, phase down and phase across up, the last fastest.

    Attributes:
        scale: (down, across), of the full canvas, each at most 1.
        phases: P, in how many steps a picture moves through a pixel, each way.
        offsets: int64 (pictures * depths * 2, 2), from an object's centre right and down to its first visible column
            and row, in pixels of the full canvas.
        largest: the most values, 3 * h * w, that a sprite has.
    """

    def __init__(self, clip_art: ClipArt, scale: tuple[float, float]):
        self.scale = scale
        self.phases = min(ceil(1 / min(scale) - 1e-9), _MOST_PHASES)
        self.per_picture = 2 * self.phases**2  # sprites of one picture at one depth
        self._clip_art = clip_art
        drawn = [(picture, depth) for picture in range(len(PICTURE_NAMES)) for depth in range(len(SCALES))]
        boxes = [_visible_box(clip_art.scaled(picture, 0)) for picture in range(len(PICTURE_NAMES))]
        self.largest = max(
            3 * ceil((bottom - top) * scale[0] + 1) * ceil((right - left) * scale[1] + 1)
            for left, top, right, bottom in boxes
        )
        self.offsets = torch.tensor([offset for pair in drawn for offset in self._find_offsets(*pair)])

    def make(self, picture: int, depth: int) -> Tensor:
        """All sprites of a picture at a depth: uint8 (4, 2 * P * P, h, w), red, green, blue, alpha; made anew."""
        image = self._clip_art.scaled(picture, depth)
        image = image.crop(_visible_box(image))
        planes = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        if self.scale == (1, 1):
            return torch.stack([planes, planes.flip(-1)], 1)
        planes = planes.float()
        planes[:3] *= planes[3]
        down = averaging_weights(image.height, self.scale[0], self.phases)
        across = averaging_weights(image.width, self.scale[1], self.phases)
        across = torch.stack([across, across.flip(-1)])
        means = down.flatten(0, 1) @ planes @ across.flatten(0, 2).T
        means = means.unflatten(2, across.shape[:3]).unflatten(1, down.shape[:2])  # (4, P, h, 2, P, w)
        means = means.permute(0, 3, 1, 4, 2, 5).flatten(1, 3)
        means[:3] /= means[3].clamp(min=1e-3)
        return means.round_().clamp_(0, 255).to(torch.uint8)

    def _find_offsets(self, picture: int, depth: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """From the centre to what is visible, (right, down), of a picture and of its mirror image."""
        image = self._clip_art.scaled(picture, depth)
        left, top, right, _ = _visible_box(image)
        down = top - image.height // 2
        return (left - image.width // 2, down), (image.width - right - image.width // 2, down)


def _visible_box(image: Image.Image) -> tuple[int, int, int, int]:
    return image.getbbox() or (0, 0, 1, 1)
