"""The paper's Fig. 4: test pictures drawn again from what was true, and from what two models read in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from derender_training.drawing import draw_readings
from derender_training.figures import as_png


TITLES = ("truth", "cross-entropy", "reinforcement")
SHOWN, WIDTH = 4, 2.2


def draw_reading_figure(
    draw: Callable, size: tuple[int, int], evaluations: Sequence[dict], measure: str, shown: int = SHOWN
) -> bytes:
    """A PNG, a row for each of the first pictures in which two models differ.

    `evaluations` are those of eval.py of both on the same pictures, `draw` a language folder's `render_batch`, `size`
    (height, width) and `measure` a score of single pictures, which stands below what was read.
    """
    pairs = list(zip(*(item["predictions"] for item in evaluations), strict=True))
    pairs = [pair for pair in pairs if pair[0]["objects"] != pair[1]["objects"]][:shown] or pairs[:shown]
    truth = draw([pair[0]["reference"] for pair in pairs], size=size)
    read = [draw_readings(draw, [pair[side]["objects"] for pair in pairs], size)[0] for side in (0, 1)]
    height = WIDTH * size[0] / size[1] + 0.35
    figure = Figure(figsize=(WIDTH * len(TITLES), height * len(pairs)), layout="constrained")
    panels = figure.subplots(len(pairs), len(TITLES), squeeze=False)
    for row, pair in enumerate(pairs):
        for axes, picture in zip(panels[row], (truth[row], read[0][row], read[1][row]), strict=True):
            axes.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=255)
            axes.set(xticks=[], yticks=[])
        for axes, item in zip(panels[row, 1:], pair, strict=True):
            axes.set_xlabel(f"{measure.replace('_', ' ')} {100 * item[measure]:.1f}%", fontsize=8)
    for axes, title in zip(panels[0], TITLES, strict=True):
        axes.set_title(title, fontsize=9)
    return as_png(figure)
