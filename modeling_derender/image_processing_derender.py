"""Pictures to pixel values: any mode to grey or RGB, fitted into the model's size on white paper, normalised."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image
from transformers.image_processing_backends import PilBackend
from transformers.image_processing_utils import BatchFeature
from transformers.image_utils import PILImageResampling
from transformers.processing_utils import ImagesKwargs

from .image_io import ImageError, to_uint8


FINE = 64  # pixels across one of what a picture is shrunk to, beyond which a few more or less make no difference


class DerenderImageKwargs(ImagesKwargs, total=False):
    """`num_channels`: 1 for grey pictures, 3 for RGB."""

    num_channels: int


class DerenderImageProcessor(PilBackend):
    """Turns pictures (PIL, arrays, tensors) into `pixel_values` (B, C, H, W), float32, paper white at 0 for mean 1.

    A picture of another size is shrunk or enlarged to fit `size` with its aspect kept, centred on white. Area
    averaging (`resample` BOX) shrinks line art to what a renderer draws at that size; where a pixel covers parts of
    others it takes their shares, unlike Pillow. Raises ImageError (ValueError) for what is no picture.
    """

    valid_kwargs = DerenderImageKwargs
    model_input_names = ["pixel_values"]
    _auto_class = "AutoImageProcessor"  # its code is saved with it

    do_resize = True
    do_rescale = True
    do_normalize = True
    rescale_factor = 1 / 255
    resample = PILImageResampling.BOX
    size = {"height": 256, "width": 256}
    num_channels = 1
    image_mean = [1.0]
    image_std = [0.5]

    def _prepare_images_structure(self, images, expected_ndims: int = 3) -> list:
        """One picture or a list of them (or a 4-D array) as a list; also bare (H, W) arrays."""
        several = isinstance(images, (list, tuple)) or getattr(images, "ndim", 0) == 4
        pictures = list(images) if several else [images]
        if not pictures:
            raise ImageError("images: an empty list; give one picture or more")
        return pictures

    def process_image(self, image, num_channels: int | None = None, **kwargs) -> np.ndarray:
        """One picture as uint8 (H, W, C)."""
        return to_uint8(image, num_channels or self.num_channels)

    def _preprocess(
        self, images, do_resize, size, resample, do_rescale, rescale_factor, do_normalize, image_mean, image_std,
        return_tensors=None, **kwargs,
    ) -> BatchFeature:  # fmt: skip
        if do_resize:
            images = [fit_to_size(image, size.height, size.width, resample) for image in images]
        scale = rescale_factor if do_rescale else 1.0
        mean, std = (image_mean, image_std) if do_normalize else (0.0, 1.0)
        if len({image.shape for image in images}) == 1:
            pixel_values = normalize(np.stack(images), scale, mean, std)
        else:
            pixel_values = [normalize(image, scale, mean, std) for image in images]
        return BatchFeature({"pixel_values": pixel_values}, tensor_type=return_tensors)


def fit_to_size(image: np.ndarray, height: int, width: int, resample: int) -> np.ndarray:
    """Scale uint8 (H, W, C) to fit into (height, width), aspect kept, centred on white; (height, width, C)."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.full((height, width, image.shape[2]), 255, np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = resize(image, inner[1], inner[0], resample)
    return canvas


def resize(image: np.ndarray, height: int, width: int, resample: int) -> np.ndarray:
    """Scale uint8 (H, W, C) to (height, width, C); to shrink by BOX is to average areas exactly."""
    if resample == PILImageResampling.BOX and height <= image.shape[0] and width <= image.shape[1]:
        return np.floor(average_areas(image, height, width) + np.float32(0.5)).astype(np.uint8)
    grey = image.shape[2] == 1
    resized = np.asarray(Image.fromarray(image[:, :, 0] if grey else image).resize((width, height), resample))
    return resized[:, :, None] if grey else resized


def average_areas(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The means of `pixels` (H, W, ...) over the areas of fewer, larger ones, float32 (height, width, ...)."""
    pixels = _average_blocks(_average_blocks(pixels, height).swapaxes(0, 1), width).swapaxes(0, 1)
    return _average_rows(_average_rows(pixels, height).swapaxes(0, 1), width).swapaxes(0, 1)


def _average_blocks(pixels: np.ndarray, count: int) -> np.ndarray:
    """`pixels` (N, ...) averaged by whole blocks, as many as leave at least FINE of them for each of `count` parts.

    Of a very long picture the last pixels, that are no whole block, are left out.
    """
    block = len(pixels) // (FINE * count)
    if block < 2:
        return pixels
    whole = pixels[: len(pixels) // block * block]
    return whole.reshape(-1, block, *whole.shape[1:]).mean(axis=1, dtype=np.float32)


def _average_rows(pixels: np.ndarray, count: int) -> np.ndarray:
    """`pixels` (N, ...) averaged over `count` even parts of N, float32 (count, ...)."""
    first, shares = _shares(len(pixels), count)
    values = np.zeros((count, *pixels.shape[1:]), np.float32)
    for offset, share in enumerate(shares):
        rows = np.minimum(first + offset, len(pixels) - 1)
        values += pixels[rows] * share.reshape(-1, *[1] * (pixels.ndim - 1))
    return values


@lru_cache(maxsize=64)
def _shares(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each of `count` even parts of `length` pixels: its first pixel (count,), and the shares (K, count) in its
    mean of that pixel and those after it."""
    bounds = np.arange(count + 1) * length  # in pixels of 1 / count
    first = bounds[:-1] // count
    pixel = first + np.arange(-(-length // count) + 1)[:, None]
    overlap = np.minimum(bounds[1:], (pixel + 1) * count) - np.maximum(bounds[:-1], pixel * count)
    return first, (overlap.clip(0) / length).astype(np.float32)


def normalize(pixels: np.ndarray, scale: float, mean, std) -> np.ndarray:
    """(pixels * scale - mean) / std as float32 (..., C, H, W); `mean` and `std` have one value or one a channel.

    `pixels` are (..., H, W, C), and so the result lies in memory: channels last.
    """
    height, width, channels = pixels.shape[-3:]
    mean, std = (np.broadcast_to(np.asarray(value, np.float32), channels) for value in (mean, std))
    # A row of pixels at a time, all channels in it: a loop over the channels of a pixel takes five times as long.
    rows = pixels.reshape(*pixels.shape[:-2], width * channels)
    values = rows * np.tile(np.float32(scale) / std, width)
    values -= np.tile(mean / std, width)
    if channels == 1:
        return values.reshape(*pixels.shape[:-3], 1, height, width)
    return np.moveaxis(values.reshape(pixels.shape), -1, -3)
