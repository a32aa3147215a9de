"""Pictures as the model sees them, as bytes: a quarter of its pixel values, which are made of them on the device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import DerenderImageProcessor, fit_to_size


class SeenPictures:
    """The pictures of examples with the channels of `images`, at its size or another: uint8 (B, H, W[, 3])."""

    def __init__(self, images: DerenderImageProcessor, size: Sequence[int] | None = None):
        self.images, self.channels = images, images.num_channels
        self.size = tuple(size or (images.size.height, images.size.width))
        self._known_constants = {}

    def __call__(self, examples: list[dict]) -> Tensor:
        return self.fit([to_uint8(example["image"], self.channels) for example in examples])

    def fit(self, pictures: Iterable[np.ndarray]) -> Tensor:
        """Pictures uint8 (H', W', C) of any size."""
        pictures = np.stack([fit_to_size(picture, *self.size, self.images.resample) for picture in pictures])
        return torch.from_numpy(pictures[..., 0] if self.channels == 1 else pictures)

    def normalize(self, pictures: Tensor) -> Tensor:
        """uint8 (B, H, W[, C]) to the very pixel values (B, C, H, W) of the image processor, on any device."""
        factor, offset = self._constants(pictures.device)
        pixels = pictures.unsqueeze(-1) if self.channels == 1 else pictures
        return (pixels * factor - offset).movedim(-1, 1)

    def _constants(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """What each channel is multiplied by, and what is then taken off, float32 (C,)."""
        if device not in self._known_constants:  # while a GPU is recorded nothing can be sent to it
            images = self.images
            scale = images.rescale_factor if images.do_rescale else 1.0
            mean, std = (images.image_mean, images.image_std) if images.do_normalize else (0.0, 1.0)
            scale, mean, std = (torch.tensor(value, dtype=torch.float32) for value in (scale, mean, std))
            factor, offset = ((value / std).expand(self.channels).to(device) for value in (scale, mean))
            self._known_constants[device] = factor, offset
        return self._known_constants[device]
