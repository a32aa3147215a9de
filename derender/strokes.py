"""Ink -> strokes that a model of line drawings knows: as dark, as thick and as clean as those of its training."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from derender.errors import UnreadableError


FAINT = 0.06  # ink below is taken for the ground's grain
GRAINY = 0.1  # the share of a picture's pixels with so little ink from which on its ground has grain
PALE = 0.45  # strokes paler than this are darkened,
FULL = 0.8  # to this
INKED = 0.25  # of full ink: a pixel that belongs to a stroke
LEAST_INK = 40  # pixels of ink, of 256 x 256, below which a page is blank
ROUGHEST = 0.08  # ink: a ground with more on most of its pixels is no paper
MOST_UNEVEN = 0.5  # of the light on the brightest part of the ground, at least, falls on the darkest
MOST_INK = 0.3  # the share of inked pixels above which it is no line drawing
SOLID_SHARE = 0.35  # the share of ink that may lie in areas thicker than any stroke
THICKEST = 1 / 24  # of the picture's longer side: the widest stroke
SPECK = 1e-4  # of the picture's pixels: what is smaller and stands alone is dirt
NEAR = 0.02  # of the picture's longer side: strokes of one dashed line are that near

WANTED = "this model reads strokes on an even ground"


def darken(ink: np.ndarray) -> np.ndarray:
    """Ink without the ground's grain, and as dark as a pen's where it is paler.

    A drawing by a program has none; of the ground of a photograph hardly anything is without ink.
    """
    grainy = ((ink > 0) & (ink <= FAINT)).mean() > GRAINY
    grain = max(FAINT, 4 * 1.4826 * float(np.median(ink)))
    strokes = ink[ink > grain]
    if not strokes.size:
        return np.zeros_like(ink)
    dark = float(np.quantile(strokes, 0.9))
    clean = np.where(ink > grain, ink, 0) if grainy else ink
    return clean if dark >= PALE else (clean * (FULL / dark)).clip(0, 1)


def check_ground(ink: np.ndarray, ground: np.ndarray) -> None:
    """Raise UnreadableError where what lies under the ink, (H, W, 3), is neither paper nor anything as even."""
    if np.median(ink) > ROUGHEST:
        raise UnreadableError("photograph", f"no line drawing: the ground is rough; {WANTED}")
    dark, light = np.quantile(ground.mean(axis=-1), [0.05, 0.95])
    if dark < MOST_UNEVEN * light:
        raise UnreadableError("photograph", f"no line drawing: the ground is uneven; {WANTED}")


def check_lines(ink: np.ndarray) -> None:
    """Raise UnreadableError where the ink is none at all, or no line drawing."""
    inked = ink > INKED
    share = inked.mean()
    if share * 256**2 < LEAST_INK:
        raise UnreadableError("blank", "blank: there is nothing drawn in this picture")
    radius = max(1, round(THICKEST * max(ink.shape) / 2))
    solid = ndimage.distance_transform_edt(inked) > radius
    thick = ndimage.binary_dilation(solid, iterations=radius) & inked if solid.any() else solid
    if share > MOST_INK or thick.sum() > SOLID_SHARE * inked.sum():
        raise UnreadableError(
            "photograph",
            f"no line drawing: {share:.0%} of the picture is dark, {thick.sum() / inked.sum():.0%} of that in areas "
            f"wider than any stroke; {WANTED}",
        )


def drop_specks(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Ink without what is too small for a stroke and has no other near it, as dashes have, and how many these are."""
    inked = ink > INKED
    groups, count = ndimage.label(ndimage.distance_transform_edt(~inked) < NEAR * max(ink.shape))
    sizes = np.bincount(groups[inked], minlength=count + 1)
    specks = np.flatnonzero(sizes < max(2, SPECK * ink.size))[1:]  # the first group is the ground
    return (np.where(np.isin(groups, specks), 0, ink), len(specks)) if len(specks) else (ink, 0)


def stroke_width(ink: np.ndarray) -> float:
    """The median width of strokes in pixels."""
    depth = ndimage.distance_transform_edt(ink > INKED)
    ridge = _find_ridge(depth)
    return float(np.median(2 * depth[ridge] - 1)) if ridge.any() else 0.0


def _find_ridge(depth: np.ndarray) -> np.ndarray:
    """Where strokes are deepest, their middle, given each pixel's distance from the ground."""
    return (depth > 0) & (depth == ndimage.maximum_filter(depth, 3))


def set_width(ink: np.ndarray, width: float, wanted: float) -> np.ndarray:
    """Strokes of `width` pixels made `wanted` pixels wide, about the same middle."""
    inked = ink > INKED
    if width > wanted:
        depth = ndimage.distance_transform_edt(inked)
        kept = (depth - (width - wanted) / 2).clip(0, 1)
        return np.where(_find_ridge(depth), 1, kept).astype(np.float32)  # what is thinner keeps its middle
    beyond = ndimage.distance_transform_edt(~inked)
    return np.maximum(ink, (1 - (beyond - (wanted - width) / 2)).clip(0, 1) * (beyond > 0)).astype(np.float32)
