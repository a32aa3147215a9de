"""Pictures as the model sees them, as bytes: a quarter of its pixel values, which are made of them on the device."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import DerenderImageProcessor, fit_to_size


class SeenPictures:
    """The pictures of examples at the size and with the channels of `images`: uint8 (B, H, W), or (B, H, W, 3)."""

    def __init__(self, images: DerenderImageProcessor):
        self.images, self.channels = images, images.num_channels
        self.size = images.size.height, images.size.width
        self._known_constants = {}

    def __call__(self, examples: list[dict]) -> Tensor:
        pictures = [to_uint8(example["image"], self.channels) for example in examples]
        pictures = np.stack([fit_to_size(picture, *self.size, Image.Resampling.BOX) for picture in pictures])
        return torch.from_numpy(pictures[..., 0] if self.channels == 1 else pictures)

    def normalize(self, pictures: Tensor) -> Tensor:
        """To the very pixel values (B, C, H, W) of the image processor, on any device."""
        factor, offset = self._constants(pictures.device)
        pixels = pictures.unsqueeze(-1) if self.channels == 1 else pictures
        return (pixels * factor - offset).movedim(-1, 1)

    def _constants(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """What each channel is multiplied by, and what is then taken off, float32 (C,)."""
        if device not in self._known_constants:  # while a GPU is recorded nothing can be sent to it
            mean, std = (
                torch.tensor(value, dtype=torch.float32) for value in (self.images.image_mean, self.images.image_std)
            )
            scale = torch.tensor(self.images.rescale_factor, dtype=torch.float32)
            self._known_constants[device] = (scale / std).to(device), (mean / std).to(device)
        return self._known_constants[device]
