"""The paper's Fig. 4: test pictures drawn again from what was true, and from what two models read in them.

experiments/reproduce.py draws it. With other clip art than the data's, such as `python -m tests.clip_art` makes:

    python -m experiments.reading_figure abstract_scenes EVALUATION.json EVALUATION.json --data_dir FOLDER --out PNG
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from datasets_scripts.scenes import RenderError
from derender_training.drawing import draw_readings
from derender_training.figures import as_png
from derender_training.language_folder import find_data, open_language
from derender_training.result_file import read_evaluation, write_bytes
from experiments.paper_rows import NOISY, SCENES


TITLES = ("truth", "cross-entropy", "reinforcement")
SHOWN, WIDTH = 4, 2.2
MEASURES = {NOISY: "iou", SCENES: "reconstruction_error"}


def draw_reading_figure(
    draw: Callable, size: tuple[int, int], evaluations: Sequence[dict], measure: str, shown: int = SHOWN
) -> bytes:
    """A PNG, a row for each of the first pictures in which two models differ; ValueError where they never do.

    `evaluations` are those of eval.py of both on the same pictures, `draw` a language folder's `render_batch`, `size`
    (height, width) and `measure` a score of single pictures, which stands below what was read.
    """
    pairs = find_different(evaluations)[:shown]
    if not pairs:
        raise ValueError("both evaluations read the same in every picture")
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


def find_different(evaluations: Sequence[dict]) -> list[tuple[dict, dict]]:
    """The predictions of both in each picture in which two evaluations read different objects."""
    pairs = zip(*(item["predictions"] for item in evaluations), strict=True)
    return [pair for pair in pairs if pair[0]["objects"] != pair[1]["objects"]]


def draw_for(name: str, evaluations: Sequence[dict], data_dir: str | None) -> bytes:
    """The figure of two evaluations on the language `name`; `data_dir` has its own files, where it needs such."""
    language = open_language(name)
    draw = partial(language.render_batch, **find_data(language, data_dir))
    return draw_reading_figure(draw, language.LANGUAGE.canvas.pixels, evaluations, MEASURES[name])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", choices=MEASURES)
    parser.add_argument("evaluations", nargs=2, metavar="JSON", help="of eval.py, on the same pictures")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--out", required=True, metavar="PNG")
    options = parser.parse_args(arguments)
    try:
        evaluations = [read_evaluation(path) for path in options.evaluations]
        write_bytes(options.out, draw_for(options.language, evaluations, options.data_dir))
    except (OSError, RenderError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
