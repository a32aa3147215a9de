"""A picture of what a model read: for each object where the model looked, what it is and how sure the model was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from derender_training.figures import as_png
from modeling_derender.image_io import to_uint8
from modeling_derender.image_processing_derender import fit_to_size


COLUMNS = 4
WIDTH = 2.4  # of a panel, in inches
VISIBLE = 64  # of 255
RIGHT, WRONG = (26, 127, 55), (193, 30, 14)


@dataclass(frozen=True)
class ReadObject:
    """An object as the model read it, and whether it is right.

    `look` is where the model looked, (rows, columns) that sum to 1, or None for a model without attention.
    """

    item: dict
    text: str
    confidence: float
    correct: bool
    look: Any | None


def draw_reading(
    image, objects: Sequence[ReadObject], title: str, size: tuple[int, int], channels: int, draw: Callable | None
) -> bytes:
    """A PNG: the input, all that was read in it drawn again, and a panel for each object.

    An object's panel shows the input faintly, in yellow to red where the model looked, and the object itself drawn
    over it, green where it is right and red where it is not. `size` (height, width) and `channels` are those of the
    language's canvas; `draw` is its `render_batch`, or None where nothing draws it.
    """
    pixels = fit_to_size(to_uint8(image, channels), *size, Image.Resampling.BOX)
    panels = [Panel("input", np.broadcast_to(pixels, (*size, 3)))]
    faint = np.broadcast_to(255 - (255 - pixels.astype(int)) * 35 // 100, (*size, 3)).astype(np.uint8)
    covered = [None] * len(objects)
    if draw is not None:
        everything, covered = _draw_objects(draw, [read.item for read in objects], size)
        panels.append(Panel("read", everything))
    panels += [_panel_of(read, faint, where) for read, where in zip(objects, covered, strict=True)]
    return _lay_out(panels, title, size[0] / size[1])


@dataclass(frozen=True)
class Panel:
    """A picture, uint8 (H, W, 3), with a label, and `look` laid over it."""

    label: str
    picture: np.ndarray
    look: np.ndarray | None = None
    colour: tuple[int, int, int] = (0, 0, 0)


def _panel_of(read: ReadObject, faint: np.ndarray, covered: np.ndarray | None) -> Panel:
    colour = RIGHT if read.correct else WRONG
    picture = faint.copy()
    if covered is not None:
        picture[covered] = colour
    label = f"{read.text}\n{read.confidence:.3f}, {'right' if read.correct else 'wrong'}"
    return Panel(label, picture, read.look, colour)


def _draw_objects(draw: Callable, objects: list[dict], size: tuple[int, int]) -> tuple[np.ndarray, list[np.ndarray]]:
    """All objects in one picture, uint8 (H, W, 3), and for each where it alone differs from an empty canvas."""
    pictures = np.asarray(draw([objects, [], *([item] for item in objects)], size=size))
    pictures = pictures.reshape(len(pictures), *size, -1).astype(int)
    differences = np.abs(pictures[2:] - pictures[1]).max(axis=-1)
    return np.broadcast_to(pictures[0], (*size, 3)).astype(np.uint8), list(differences > VISIBLE)


def _lay_out(panels: list[Panel], title: str, aspect: float) -> bytes:
    from matplotlib.figure import Figure  # slow to import, and wanted by few

    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(WIDTH * columns, (WIDTH * aspect + 0.45) * rows + 0.3), layout="constrained")
    figure.suptitle(title, fontsize=9)
    places = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in places[len(panels) :]:
        axes.remove()
    for axes, panel in zip(places, panels, strict=False):
        axes.imshow(panel.picture, extent=(0, 1, 0, 1))
        if panel.look is not None:
            share = np.asarray(panel.look / panel.look.max())
            axes.imshow(share, cmap="YlOrRd", alpha=0.7 * share, extent=(0, 1, 0, 1), interpolation="bilinear")
        axes.set_title(panel.label, fontsize=7, color=[part / 255 for part in panel.colour])
        axes.set(xticks=[], yticks=[], aspect=aspect)
    return as_png(figure)
