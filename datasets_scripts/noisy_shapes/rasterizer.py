"""Segments and filled tips -> ink, many pictures at once: each piece stamps a small patch of pixels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .drawing import CANVAS
from .image_noise import scale_ink
from .ink_profile import CELLS, FULL_SIZE, GAMMA, LAST_DISTANCE, MEAN_REACH, InkProfile, ink_profile
from .strokes import NUM_LAYERS, Segments, Tips


_INK_OF_CELLS = (np.linspace(0, 1, CELLS * CELLS + 1) ** GAMMA).astype(np.float32)


class _Ink:
    """One picture per scene and layer: stamps join by maximum, then the layers are painted one over another.

    Each has a spare last row and column that takes what lies outside the canvas.
    """

    def __init__(self, num_scenes: int, size: int, shift: np.ndarray):
        self.size = size
        self.whole_shift = np.floor(shift).astype(np.int64)
        self.flat = np.zeros(num_scenes * NUM_LAYERS * (size + 1) ** 2, np.uint8)

    def stamp(self, scene, layer, column, row, ink: np.ndarray) -> None:
        """Joins patches `ink` (h, w, N) whose first pixels, before the shift, are `column` and `row` (N,)."""
        height, width, _ = ink.shape
        columns = self._wrap(column + np.arange(width)[:, None], self.whole_shift[scene, 0])
        rows = self._wrap(row + np.arange(height)[:, None], self.whole_shift[scene, 1])
        rows = (rows + (scene * NUM_LAYERS + layer) * (self.size + 1)) * (self.size + 1)
        index = rows[:, None] + columns
        inked = np.flatnonzero(ink)
        np.maximum.at(self.flat, index.reshape(-1)[inked], ink.reshape(-1)[inked])

    def _wrap(self, position: np.ndarray, shift: np.ndarray) -> np.ndarray:
        inside = (position >= 0) & (position < self.size)
        position = position + shift
        position -= self.size * (position >= self.size)
        position += self.size * (position < 0)
        return np.where(inside, position, self.size)

    def flatten(self) -> np.ndarray:
        """Paints the layers one over another: ink uint8 (B, H, W)."""
        side = self.size + 1
        pictures = self.flat.reshape(-1, NUM_LAYERS, side * side)
        ink = np.empty((len(pictures), self.size, self.size), np.uint8)
        for number, layers in enumerate(pictures):  # one picture's layers stay in the cache
            ink[number] = _paint_over(layers).reshape(side, side)[:-1, :-1]
        return ink


def _paint_over(layers: np.ndarray) -> np.ndarray:
    """Paints layers (4, P) of ink one over another."""
    first, second, third, fourth = layers
    low, high = np.maximum(first, second), np.maximum(third, fourth)
    ink = np.maximum(low, high)
    # Where one layer alone has ink, as nearly everywhere, the most is all there is.
    crossing = np.minimum(low, high) | np.minimum(first, second) | np.minimum(third, fourth)
    index = np.flatnonzero(crossing > 0)
    paper = 1 - layers[:, index] / 255
    ink[index] = np.rint(255 * (1 - paper.prod(axis=0)))
    return ink


def rasterize(
    segments: Segments,
    tips: Tips,
    num_scenes: int,
    size: int,
    shift: np.ndarray | None = None,
    factor: np.ndarray | None = None,
) -> np.ndarray:
    """Paints scenes as pdftoppm does.

    Args:
        segments, tips: from `strokes.trace`, canvas units.
        size: the pictures' height and width in pixels. Below 256 the result is the 256 x 256 picture averaged.
        shift: (num_scenes, 2) moves each picture right and down by pixels of 256, wrapping.
        factor: (num_scenes,) up to 1.5, what each picture's ink is multiplied by, cut at full ink. Below 256 x 256 it
            is cut before the averaging, and above 1 it is rounded to tenths for all but the tips.

    Returns:
        Ink, uint8 (num_scenes, size, size), 255 where there is most.
    """
    profile = ink_profile(size)
    shift = np.zeros((num_scenes, 2)) if shift is None else shift * (size / FULL_SIZE)
    factor = np.ones(num_scenes) if factor is None else factor
    # In an averaged picture the cut must come first, so there the profiles hold what a factor above 1 does.
    boost = np.maximum(factor, 1.0) if profile.per_pixel > 1 else np.ones(num_scenes)
    ink = _Ink(num_scenes, size, shift)
    part = shift - np.floor(shift)
    _stamp_segments(ink, segments, profile, part, boost)
    _stamp_tips(ink, tips, profile, part, boost)
    return scale_ink(ink.flatten(), factor / boost)


def _pixels(points: np.ndarray, part: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Complex canvas points (N,) as columns and rows, y down, plus the part of the shift that is no whole pixel."""
    scale = size / CANVAS
    x, y = points.real * scale + part[:, 0], (size + part[:, 1]) - points.imag * scale
    return x.astype(np.float32), y.astype(np.float32)


def _stamp_segments(ink: _Ink, segments: Segments, profile: InkProfile, part, boost) -> None:
    scale = np.float32(ink.size / CANVAS)
    shift = part[segments.scene]
    (x1, y1), (x2, y2) = _pixels(segments.start, shift, ink.size), _pixels(segments.end, shift, ink.size)
    way_x, way_y = x2 - x1, y2 - y1
    length = np.sqrt(way_x * way_x + way_y * way_y)
    inverse = 1 / np.maximum(length, np.float32(1e-6))
    ux, uy = way_x * inverse, way_y * inverse
    width = segments.width.astype(np.float32)
    reach = profile.reach(width * scale, ux, uy) + np.float32(0.5)
    column = np.ceil(np.minimum(x1, x2) - reach).astype(np.int32)
    row = np.ceil(np.minimum(y1, y2) - reach).astype(np.int32)
    reach -= 1
    patch_width = np.maximum(np.floor(np.maximum(x1, x2) + reach).astype(np.int32) - column + 1, 1)
    patch_height = np.maximum(np.floor(np.maximum(y1, y2) + reach).astype(np.int32) - row + 1, 1)
    table_row = profile.rows(boost[segments.scene], width, ux, uy)
    # Distances are measured from the segment's middle, in pixel centres from the patch's first.
    middle_x, middle_y = 0.5 * (x1 + x2) - column - 0.5, 0.5 * (y1 + y2) - row - 0.5
    half, flat_reach = 0.5 * length, profile.flat_reach(ux, uy)
    before, after = (
        half + flat_reach + beyond.astype(np.float32) * scale for beyond in (segments.before, segments.after)
    )
    columns = np.stack([middle_x, middle_y, ux, uy, half, before, after])
    is_flat = np.isfinite(before) | np.isfinite(after)
    place = (segments.scene, segments.layer, column, row)
    key = (patch_width * 4096 + patch_height) * 2 + is_flat
    order = np.argsort(key, kind="stable")
    bounds = np.flatnonzero(np.diff(key[order], prepend=-1, append=-1))
    for begin, finish in pairwise(bounds):
        group = order[begin:finish]
        kind = group[0]
        size = (patch_width[kind], patch_height[kind])
        values = _segment_ink(columns[:, group], table_row[group], profile, *size, is_flat[kind])
        ink.stamp(*(array[group] for array in place), values)


def _segment_ink(columns, rows, profile: InkProfile, width: int, height: int, flat: bool) -> np.ndarray:
    """Ink of patches of one size, uint8 (height, width, N): long runs over N are what numpy is fast at."""
    x, y, ux, uy, half, before, after = columns
    dx = np.arange(width, dtype=np.float32)[:, None] - x
    dy = np.arange(height, dtype=np.float32)[:, None, None] - y
    along = ux * dx + uy * dy
    across = ux * dy - uy * dx
    if flat:
        past_start = np.where(np.isfinite(before), 0, -half - along)
        past_end = np.where(np.isfinite(after), 0, along - half)
        beyond = np.maximum(past_start, past_end)
    else:
        beyond = np.abs(along) - half
    np.maximum(beyond, 0, out=beyond)
    beyond *= beyond
    across *= across
    across += beyond
    across *= np.float32(profile.distance_scale)
    index = across.astype(np.int64)
    np.minimum(index, LAST_DISTANCE, out=index)
    index += rows
    ink = profile.table.take(index)
    if not flat:
        return ink
    covered = np.clip(along + (before + 0.5), 0, 1)
    covered += np.clip((after + 0.5) - along, 0, 1) - 1
    return np.rint(ink * np.maximum(covered, 0) ** profile.flat_gamma).astype(np.uint8)


def _stamp_tips(ink: _Ink, tips: Tips, profile: InkProfile, part, boost) -> None:
    if not len(tips.scene):
        return
    scale = ink.size / CANVAS
    x, y = _pixels(tips.end, part[tips.scene], ink.size)
    end = np.stack([x, y], -1)
    direction = np.stack([tips.direction.real, -tips.direction.imag], -1)
    # The box of a tip, with room for the cells that its outline touches.
    back = end - direction * (tips.shape.length * scale)[:, None]
    wing = np.abs(direction[:, ::-1]) * (tips.shape.half_width * scale)[:, None]
    low, high = np.minimum(end, back - wing), np.maximum(end, back + wing)
    first = np.floor(low - profile.pixel).astype(np.int64)
    side = (np.floor(high + profile.pixel).astype(np.int64) - first + 1).max(axis=1)
    is_straight = (tips.shape.front == tips.shape.front[:, :1]).all(axis=(1, 2))
    for count, straight in sorted(set(zip(side.tolist(), is_straight.tolist(), strict=True))):
        group = np.flatnonzero((side == count) & (is_straight == straight))
        shape = (tips.shape.front[group, : 1 if straight else None], tips.shape.back[group])
        values = _tip_ink(end[group] - first[group], direction[group], *shape, scale, profile, count)
        if profile.per_pixel > 1:
            values = np.minimum(values * boost[tips.scene[group], None, None], 1)
            values = values.reshape(len(group), count, profile.per_pixel, count, profile.per_pixel).mean((2, 4))
        values = np.rint(255 * values).astype(np.uint8)
        place = (tips.scene[group], tips.layer[group], first[group, 0], first[group, 1])
        ink.stamp(*place, np.ascontiguousarray(values.transpose(1, 2, 0)))


def _tip_ink(end, direction, front, back, scale: float, profile: InkProfile, count: int) -> np.ndarray:
    """Ink, float (N, n, n), of the n = count * per_pixel painted pixels, from the cells that each tip touches."""
    cells = profile.per_pixel * CELLS
    position = ((np.arange(count * cells) + 0.5) / cells).astype(np.float32)
    x, y, ux, uy = (column[:, None, None] for column in np.column_stack([end, direction]).astype(np.float32).T)
    dx, dy = position - x, position[:, None] - y
    along = ux * dx + uy * dy
    aside = np.abs(ux * dy - uy * dx)
    reach = 0.5 * MEAN_REACH / cells
    lines = np.concatenate([front, back[:, None]], axis=1).astype(np.float32)[:, :, :, None, None]
    slopes, offsets = lines[:, :, :2], lines[:, :, 2] * np.float32(scale) + np.float32(reach)
    inside = slopes[:, 0, 0] * along + slopes[:, 0, 1] * aside <= offsets[:, 0]
    for line in range(1, front.shape[1]):
        inside |= slopes[:, line, 0] * along + slopes[:, line, 1] * aside <= offsets[:, line]
    inside &= slopes[:, -1, 0] * along + slopes[:, -1, 1] * aside <= offsets[:, -1]
    inside = inside.view(np.uint8)
    inside = sum(inside[:, cell::CELLS] for cell in range(CELLS))
    return _INK_OF_CELLS[sum(inside[:, :, cell::CELLS] for cell in range(CELLS))]
