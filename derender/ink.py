"""Any picture of lines on a ground -> ink, as much as is there: photographed or scanned, of any colour or polarity.

Each function is one step. A drawing that comes straight from a renderer passes all of them unchanged.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from modeling_derender.image_io import to_uint8, turn_upright
from modeling_derender.image_processing_derender import resize


LONGEST_SIDE = 1024  # pixels at which pictures are worked on, and of which a larger one is averaged
COARSE_SIDE = 256  # pixels at which paper and light are looked for
LEAST_SIDE = 32  # pixels of those: in a narrower picture there is no sheet of paper
DARK = 128  # of 255: a ground below it is dark
PAPER_SHARES = (0.12, 0.94)  # of a photograph, that paper on a desk can take
SOLID = 0.7  # the least share of a sheet of paper that is not ink
STRAIGHT = 0.88  # how much of its four-cornered hull a sheet of paper fills at least
OUTSIDE = 0.6  # the least share of a photograph's edge that lies off the paper
RIM = 0.015  # of the sheet's shorter side
STEP = 6  # of 255: the least by which paper is lighter than the desk beside it
BESIDE = 4  # pixels of the coarse picture: how far from the paper's edge, on either side, it is compared
EVEN = 4  # of 255: light that varies by less is even
FAINTEST = 24  # of 255: a channel of the paper that is darker tells nothing about ink


def to_rgb(image: Image.Image) -> np.ndarray:
    """Any PIL picture as uint8 (H, W, 3), upright, a very large one averaged down by a whole factor.

    Light strokes on transparent ground come on black, all others on white.
    """
    image = _reduce(turn_upright(image))
    if image.has_transparency_data:
        layers = np.asarray(image.convert("RGBA")).astype(np.float32)
        alpha = layers[..., 3]
        light = (layers[..., :3].mean(axis=-1) * alpha).sum() / max(alpha.sum(), 1)
        if alpha.mean() < DARK and light > 255 * 0.75:
            ground = Image.new("RGBA", image.size, "black")
            image = Image.alpha_composite(ground, image.convert("RGBA"))
    return to_uint8(image, 3)


def _reduce(image: Image.Image) -> Image.Image:
    factor = max(image.size) // (2 * LONGEST_SIDE)
    if factor < 2:
        return image
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA") if image.has_transparency_data else Image.fromarray(to_uint8(image, 3))
    return image.reduce(factor)


def enlarge(pixels: np.ndarray, longest: int) -> np.ndarray:
    """uint8 (H, W, 3), smoothly, by the largest whole factor that leaves at most `longest` pixels a side."""
    height, width = pixels.shape[:2]
    factor = longest // max(height, width)
    if factor < 2:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width * factor, height * factor), Image.Resampling.BILINEAR))


def shrink(pixels: np.ndarray, longest: int) -> np.ndarray:
    """uint8 (H, W, 3) averaged down to at most `longest` pixels a side."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return resize(pixels, *size, Image.Resampling.BOX)


def find_paper(pixels: np.ndarray) -> np.ndarray | None:
    """The corners (4, 2) as x, y of a light sheet on something darker: top left, bottom left, bottom right, top right.

    None where the picture is no such photograph.
    """
    coarse = shrink(pixels, COARSE_SIDE)
    if min(coarse.shape[:2]) < LEAST_SIDE:
        return None
    grey = ndimage.gaussian_filter(coarse.mean(axis=-1), 1.5)
    light = grey > _otsu_threshold(grey)
    labels, count = ndimage.label(light)
    if not count:
        return None
    sheet = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    filled = ndimage.binary_fill_holes(sheet)
    share = filled.mean()
    edge = np.concatenate([filled[0], filled[-1], filled[:, 0], filled[:, -1]])
    if not PAPER_SHARES[0] < share < PAPER_SHARES[1] or (~edge).mean() < OUTSIDE:
        return None
    corners = _corners(filled)
    area = _area(corners)
    if sheet.sum() < SOLID * filled.sum() or not STRAIGHT < filled.sum() / area < 1 / STRAIGHT:
        return None
    if not _has_edge(grey, filled):
        return None
    return (corners + 0.5) * (np.array(pixels.shape[1::-1]) / coarse.shape[1::-1])


def _has_edge(grey: np.ndarray, sheet: np.ndarray) -> bool:
    """Whether a sheet ends at an edge, and not where the light on a page falls off."""
    depth = ndimage.distance_transform_edt(sheet) - ndimage.distance_transform_edt(~sheet)
    inwards = np.stack(np.gradient(ndimage.gaussian_filter(depth, 2)))
    edge = np.nonzero(sheet & ~ndimage.binary_erosion(sheet))
    steps = inwards[:, *edge] / np.maximum(np.hypot(*inwards[:, *edge]), 1e-6) * BESIDE
    inside, outside = (
        ndimage.map_coordinates(grey, np.array(edge) + sign * steps, order=1, mode="nearest") for sign in (1, -1)
    )
    return bool(np.median(inside - outside) > STEP)


def cut_out(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The sheet between `corners` as seen from above, uint8 (H, W, 3); its rim, maybe shadow, is painted over."""
    top_left, bottom_left, bottom_right, top_right = corners
    width = round((np.hypot(*(top_right - top_left)) + np.hypot(*(bottom_right - bottom_left))) / 2)
    height = round((np.hypot(*(bottom_left - top_left)) + np.hypot(*(bottom_right - top_right))) / 2)
    upright = np.array([(0, 0), (0, height), (width, height), (width, 0)], float)
    image = Image.fromarray(pixels).transform(
        (width, height), Image.Transform.PERSPECTIVE, _find_perspective(upright, corners), Image.Resampling.BILINEAR
    )
    rim = 1 + round(RIM * min(width, height))
    inner = np.asarray(image)[rim:-rim, rim:-rim]
    return np.pad(inner, ((rim, rim), (rim, rim), (0, 0)), mode="edge")


def is_dark(pixels: np.ndarray) -> bool:
    """Whether the ground, which most of a line drawing is, is dark."""
    return bool(np.median(pixels.mean(axis=-1)) < DARK)


def find_ground(pixels: np.ndarray) -> np.ndarray:
    """The light ground under the strokes, float32 (H, W, 3): its colour, and how light falls on it."""
    coarse = shrink(pixels, COARSE_SIDE)
    reach = max(3, max(coarse.shape[:2]) // 12)
    ground = np.empty(coarse.shape, np.float32)
    for channel in range(3):
        lifted = ndimage.grey_closing(coarse[..., channel], size=(reach, reach), mode="nearest")
        ground[..., channel] = ndimage.gaussian_filter(lifted.astype(np.float32), reach / 3, mode="nearest")
    if (np.ptp(ground, axis=(0, 1)) < EVEN).all():
        return np.broadcast_to(np.median(ground, axis=(0, 1)), pixels.shape)
    height, width = pixels.shape[:2]
    grown = [
        np.asarray(Image.fromarray(ground[..., channel]).resize((width, height), Image.Resampling.BILINEAR))
        for channel in range(3)
    ]
    return np.stack(grown, axis=-1)


def take_ink(pixels: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """How much darker than the ground each pixel is, in the channel where it is most so: float32 (H, W) in [0, 1]."""
    ratio = np.where(ground > FAINTEST, pixels / np.maximum(ground, 1), 1.0)
    return (1 - ratio.min(axis=-1)).clip(0, 1).astype(np.float32)


def _otsu_threshold(grey: np.ndarray) -> float:
    """Otsu (1979): the level that parts the two classes of least variance."""
    counts, edges = np.histogram(grey, bins=64, range=(0, 256))
    levels = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), counts.sum()
    mass = np.cumsum(counts * levels)
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return float(edges[1:][np.argmax(np.nan_to_num(between))])


def _corners(mask: np.ndarray) -> np.ndarray:
    """The points of a mask that lie furthest towards the four corners, as x, y; see `find_paper` for their order."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], axis=-1).astype(np.float64)
    keys = (points @ (1, 1), points @ (1, -1), points @ (-1, -1), points @ (-1, 1))
    return np.stack([points[np.argmin(key)] for key in keys])


def _find_perspective(seen: np.ndarray, source: np.ndarray) -> list[float]:
    """Pillow's coefficients of the perspective in which the corners `source` (4, 2) are those `seen`."""
    rows = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.linalg.solve(np.array(rows), source.ravel()).tolist()


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) + 1
