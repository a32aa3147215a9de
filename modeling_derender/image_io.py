"""Open pictures safely: a named error for what cannot be read, and one grey or RGB form for what can."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError


MAX_PIXELS = 50_000_000
PROGRAMS = ("EPS",)  # formats in which a file is a program, that Pillow has other software run
CAMERAS = "MPO"  # what a camera adds to the picture is no page
DEPTHS = (8, 10, 12, 14, 16)  # bits of a grey value
logger = logging.getLogger(__name__)


class ImageError(ValueError):
    """A picture that cannot be read or used; the message names it and says why."""


def open_image(
    file: str | Path | BinaryIO,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
    tell: Callable[[str], object] = logger.warning,
) -> Image.Image:
    """Read a picture file, or a binary stream, completely; raises ImageError naming it, or calling it `name`.

    It is upright, as its camera says. Of several pages or frames it is the first, of which `tell` tells.
    The size is checked against `max_pixels` before any pixel is decoded, and again for formats that hold a picture
    in another format (ICO), inside which Pillow's own limit stands.
    """
    path = name or str(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_list_formats()) as image:
                check_size(*image.size, path, max_pixels)
                # Asked before it is loaded, since Pillow turns the pages to find out.
                if getattr(image, "is_animated", False) and image.format != CAMERAS:
                    tell(f"{path}: has several pages or frames, of which the first is read")
                image.load()
                check_size(*image.size, path, max_pixels)
                return turn_upright(image)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder, not a picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ImageError(f"{path}: its pixels are over the limit of {max_pixels:,}") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not a picture in a format that is read here") from None
    except Exception as error:  # on damaged files Pillow's formats raise whatever their code runs into
        raise ImageError(f"{path}: cannot be read: {error or type(error).__name__}") from None


def turn_upright(image: Image.Image) -> Image.Image:
    """The picture as its camera says; as it is where that is nonsense."""
    try:
        return ImageOps.exif_transpose(image) if image.getexif().get(ExifTags.Base.Orientation, 1) != 1 else image
    except Exception:  # whatever Pillow raises on damaged metadata, the picture itself is whole
        return image


@cache
def _list_formats() -> list[str]:
    Image.init()
    return [name for name in Image.OPEN if name not in PROGRAMS]


def check_size(width: int, height: int, name: str = "picture", max_pixels: int = MAX_PIXELS) -> None:
    """Raise ImageError for an empty picture and for one of more than `max_pixels` pixels."""
    if width < 1 or height < 1:
        raise ImageError(f"{name}: a picture of {width} x {height} pixels is empty")
    if width * height > max_pixels:
        raise ImageError(f"{name}: {width} x {height} pixels are over the limit of {max_pixels:,}")


def to_uint8(image, channels: int) -> np.ndarray:
    """A picture as uint8 (H, W, channels); transparency is laid on white paper.

    `image`: a PIL image of any mode (also 16-bit, palette, CMYK), or an array (H, W), (H, W, C) or (C, H, W) of
    uint8, uint16, bool, or floats in [0, 1]; a torch tensor likewise. `channels`: 1 (grey) or 3 (RGB).

    Grey values of a PIL image of more than 8 bits are of as many bits (8, 10, 12, 14 or 16) as the brightest needs,
    since files do not tell; those of floats in [0, 1] are shares of white. ImageError for what is no picture.
    """
    if not isinstance(image, Image.Image):
        _check_kind(image)
        image = _array_to_pil(np.asarray(image))
    check_size(*image.size)
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_deep_to_uint8(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array[:, :, None] if channels == 1 else array


def _check_kind(image) -> None:
    """Raise ImageError for what is given by mistake; NumPy would make arrays of it."""
    if isinstance(image, (str, Path)):
        raise ImageError(f"{str(image)!r} is the name of a picture: open it by open_image")
    if image is None or isinstance(image, dict):
        raise ImageError(
            f"{'None' if image is None else 'a dict'} is no picture; of a data set take the column of them"
        )


def _array_to_pil(array: np.ndarray) -> Image.Image:
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(f"an array of shape {array.shape} is no picture (H, W), (H, W, C) or (C, H, W)")
    check_size(array.shape[1], array.shape[0])
    return Image.fromarray(_array_to_uint8(array))


def _halve_depth(array: np.ndarray) -> np.ndarray:
    """Of 16 bits to 8, rounded, in little memory."""
    return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _deep_to_uint8(array: np.ndarray) -> np.ndarray:
    """Grey values of a PIL image: integers of up to 16 bits, or floats."""
    least, most = array.min(), array.max()
    if not (least >= 0 and most <= 65535):  # nor nan
        raise ImageError(f"its grey values are from {least} to {most}: want 0 to 1, or 0 to 65535")
    if array.dtype.kind == "f" and most <= 1:
        return _array_to_uint8(array)
    white = next(2**bits - 1 for bits in DEPTHS if most <= 2**bits - 1)
    scaled = array.astype(np.float32)  # in place from here: pictures may be large
    scaled *= 255 / white
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _array_to_uint8(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.uint16:
        return _halve_depth(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if array.dtype.kind == "f" and np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1:
        return (array * 255).round().astype(np.uint8)
    raise ImageError(f"an array of {array.dtype} is no picture: want uint8, uint16, bool, or floats in [0, 1]")
