"""The same drawing as people have it: scanned, photographed, inverted, in colour, in other formats and sizes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter


def as_l(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture)


def halved(picture: np.ndarray) -> Image.Image:
    return as_l(picture).resize((128, 128), Image.Resampling.BOX)


def enlarged(picture: np.ndarray) -> Image.Image:
    return as_l(picture).resize((1300, 1300), Image.Resampling.BICUBIC)


def inverted(picture: np.ndarray) -> Image.Image:
    return as_l(255 - picture)


def transparent(picture: np.ndarray) -> Image.Image:
    layers = np.zeros((*picture.shape, 4), np.uint8)
    layers[..., 3] = 255 - picture
    return Image.fromarray(layers)


def transparent_light(picture: np.ndarray) -> Image.Image:
    layers = np.full((*picture.shape, 4), 255, np.uint8)
    layers[..., 3] = 255 - picture
    return Image.fromarray(layers)


def sixteen_bit(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture.astype(np.uint16) * 257)


def palette(picture: np.ndarray) -> Image.Image:
    return as_l(picture).convert("P")


def cmyk(picture: np.ndarray) -> Image.Image:
    return as_l(picture).convert("CMYK")


def yellow_ink(picture: np.ndarray) -> Image.Image:
    return _inked(picture, (255, 255, 255), (240, 210, 30))


def grey_ink(picture: np.ndarray) -> Image.Image:
    return _inked(picture, (255, 255, 255), (170, 170, 170))


def blue_on_coloured_paper(picture: np.ndarray) -> Image.Image:
    return _inked(picture, (250, 235, 190), (40, 60, 170))


def chalk(picture: np.ndarray) -> Image.Image:
    return _inked(picture, (20, 60, 40), (235, 230, 220))


def jpeg(picture: np.ndarray) -> Image.Image:
    stream = io.BytesIO()
    enlarged(picture).save(stream, "JPEG", quality=30)
    return Image.open(stream)


def scanned(picture: np.ndarray) -> Image.Image:
    """Light that falls off to one side, grain, and soft strokes."""
    image = as_l(picture).resize((900, 900), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    light = np.linspace(250, 170, 900)[None, :, None] * np.array([1.0, 0.98, 0.93])
    pixels = np.asarray(image)[..., None] / 255 * light
    pixels = pixels + np.random.default_rng(0).normal(0, 5, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def half_lit(picture: np.ndarray) -> Image.Image:
    """A page that is lit from one corner."""
    side = np.linspace(0, 1, 600)
    light = 0.9 * (0.5 + 0.5 * np.outer(side, side))
    pixels = np.asarray(as_l(picture).resize((600, 600), Image.Resampling.BICUBIC)) * light
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def photographed(picture: np.ndarray) -> Image.Image:
    """A sheet of paper, seen from the side, on a dark desk."""
    return _on_a_desk(scanned(picture), [(200, 60), (1010, 100), (1060, 930), (150, 900)])


def photographed_well(picture: np.ndarray) -> Image.Image:
    """In even light, with hardly any grain."""
    pixels = np.asarray(as_l(picture).resize((900, 900), Image.Resampling.BICUBIC))[..., None] * np.array([0.96] * 3)
    pixels = pixels + np.random.default_rng(0).normal(0, 3, pixels.shape)
    corners = [(190, 80), (1030, 90), (1020, 930), (200, 910)]
    return _on_a_desk(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), corners)


def photographed_on_light_wood(picture: np.ndarray) -> Image.Image:
    pixels = np.full((1000, 1200), 205.0)
    pixels[60:940, 160:1040] = 235
    pixels[90:910, 190:1010] = np.asarray(as_l(picture).resize((820, 820), Image.Resampling.BICUBIC)) * (235 / 255)
    pixels += np.random.default_rng(0).normal(0, 3, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def overexposed(picture: np.ndarray) -> Image.Image:
    """Grain on paper that is too light for most of it to show, and pale strokes."""
    ink = 1 - np.asarray(as_l(picture).resize((700, 700), Image.Resampling.BICUBIC)) / 255
    pixels = 257 - 90 * ink + np.random.default_rng(0).normal(0, 6, ink.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _on_a_desk(image: Image.Image, corners: list[tuple[int, int]]) -> Image.Image:
    """`corners`: where those of the sheet lie in the photograph, clockwise from the top left one."""
    sheet = image.convert("RGBA")
    perspective = _perspective(corners, [(0, 0), (900, 0), (900, 900), (0, 900)])
    placed = sheet.transform((1200, 1000), Image.Transform.PERSPECTIVE, perspective, Image.Resampling.BICUBIC)
    grain = np.random.default_rng(1).normal(0, 6, (1000, 1200, 3)) + (70, 52, 40)
    desk = Image.fromarray(grain.clip(0, 255).astype(np.uint8))
    desk.paste(placed, (0, 0), placed)
    return desk


def with_dust(picture: np.ndarray) -> Image.Image:
    dusty, rng = picture.copy(), np.random.default_rng(2)
    for row, column in rng.integers(2, 254, (15, 2)):
        dusty[row : row + 2, column : column + 2] = 60
    return as_l(dusty)


def thin_lines(picture: np.ndarray) -> Image.Image:
    """One pixel wide on a page of 1024."""
    large = np.asarray(as_l(picture).resize((1024, 1024), Image.Resampling.BICUBIC)) < 128
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(large)
    return Image.fromarray(~((depth > 0) & (depth == ndimage.maximum_filter(depth, 3)))).convert("L")


def thick_lines(picture: np.ndarray) -> Image.Image:
    """A marker: three times as wide."""
    return as_l(picture).filter(ImageFilter.MinFilter(5))


# The canvas stays what it is.
IN_PLACE = (
    as_l, enlarged, inverted, transparent, transparent_light, sixteen_bit, palette, cmyk, yellow_ink, grey_ink,
    blue_on_coloured_paper, chalk, jpeg, scanned, photographed, photographed_well,
    photographed_on_light_wood, overexposed, half_lit, halved, with_dust, thin_lines, thick_lines,
)  # fmt: skip


def _inked(picture: np.ndarray, paper, ink) -> Image.Image:
    share = picture[..., None] / 255
    return Image.fromarray(np.round(share * paper + (1 - share) * np.array(ink)).astype(np.uint8))


def _perspective(target, source) -> list[float]:
    """Pillow's coefficients: where a point of the `target` picture lies in the `source`."""
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist()
