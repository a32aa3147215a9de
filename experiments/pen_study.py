"""How wide a pen may be, and how small a picture, for the command to read it: python -m experiments.pen_study

    python -m experiments.pen_study --out experiments/results/pens.md

Draws the same scenes of 1 to 12 objects freehand and large, makes their strokes wider, averages them to fewer pixels,
leaves out their grey levels, and reads each as `derender` does. Writes a table in Markdown, and the scores in JSON
beside it; the same command again goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt

from datasets_scripts.noisy_shapes.coarse import find_black
from datasets_scripts.noisy_shapes.freehand import draw_freehand
from datasets_scripts.noisy_shapes.renderer import render_batch
from datasets_scripts.noisy_shapes.sampler import sample_scene
from datasets_scripts.scenes import SPLITS, scene_rng
from derender.cli import DEFAULT_MODEL, positive
from derender.reader import Reader, ReadOptions
from derender_training.result_file import describe_origin
from experiments.command_scores import as_cells, read_picture, score_all
from experiments.kept_measures import KeptMeasures
from experiments.table_file import table_file


DRAWN_SIDE = 1024  # pixels
PEN = 0.6  # percent of a picture's side: the mean width of a stroke that is not made wider (0.58 of 60 scenes)
LEVEL = 0.4  # of the middle of most strokes, from which on a pixel without grey levels is black
SHOWN = ("iou_1.0", "iou", "inference_error")


@dataclass(frozen=True)
class Look:
    """Strokes wider by `wider` percent of the picture's side, on `side` pixels, in black and white or grey."""

    wider: float = 0.0
    side: int = 512
    is_bilevel: bool = False

    def __str__(self) -> str:
        levels = ", black and white" if self.is_bilevel else ""
        return f"pens of {PEN + self.wider:.1f}% of the side, {self.side} x {self.side} pixels{levels}"

    def apply(self, picture: np.ndarray) -> Image.Image:
        """The look of a large picture, uint8 (H, W)."""
        ink = 255 - picture
        if self.wider:
            beyond = distance_transform_edt(ink < 128)
            ink = np.where(beyond <= self.wider / 200 * len(picture), 255, 0).astype(np.uint8)
        ink = np.asarray(Image.fromarray(ink).resize((self.side, self.side), Image.Resampling.BOX))
        if self.is_bilevel:
            ink = np.where(find_black(ink, LEVEL), 255, 0).astype(np.uint8)
        return Image.fromarray(255 - ink)


LOOKS = (
    *(Look(wider=wider) for wider in (0, 0.8, 1.6, 2.4)),
    *(Look(side=side) for side in (256, 192, 128, 96, 64)),
    *(Look(side=side, is_bilevel=True) for side in (512, 256, 128)),
)


def draw_scenes(split: str, count: int) -> list[dict]:
    """The first `count` scenes of a split, each with its picture, uint8 (DRAWN_SIDE, DRAWN_SIDE)."""
    scenes = []
    for number in range(count):
        rng = scene_rng(0, split, number)
        objects = sample_scene(rng, max_objects=12, turned=0.4, diagonal=0.15)
        (picture,) = render_batch([objects], (DRAWN_SIDE, DRAWN_SIDE), [rng], image_noise=False, hand=draw_freehand)
        scenes.append({"file_name": str(number), "image": picture, "objects": objects})
    return scenes


def read_look(reader: Reader, look: Look, scene: dict) -> dict:
    return read_picture(reader, ReadOptions(), scene | {"image": look.apply(scene["image"])})


def as_markdown(result: dict) -> str:
    lines = [
        "# Noisy Shapes: how wide a pen may be, and how small a picture",
        f"\n`{result['command']}`: {result['pictures']} scenes of the {result['split']} split, of 1 to 12 objects, "
        f"seed 0, drawn freehand, as `derender --model {result['model']}` reads them. {result['hardware']}; commit "
        f"{result['commit']}. Each scene has a pen of its own, from half to one and a half times the mean width, of "
        f"{PEN}%, and is then made wider. Scores in percent.\n",
        f"| | {' | '.join(SHOWN)} | refused |",
        f"| --- |{' ---: |' * len(SHOWN)} ---: |",
    ]
    lines += [f"| {title} | {as_cells(item, SHOWN)} |" for title, item in result["looks"].items()]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="of the language noisy_shapes")
    parser.add_argument("--split", choices=SPLITS, default="test")
    parser.add_argument("--size", type=positive, default=100, help="scenes")
    parser.add_argument("--out", required=True, type=table_file, metavar="FILE.md")
    options = parser.parse_args(arguments)
    try:
        reader = Reader.open(options.model)
        if reader.language.name != "noisy_shapes":
            raise ValueError(f"{options.model}: reads {reader.language.name}, and the scenes are of noisy_shapes")
        result = {"model": options.model, "split": options.split, "pictures": options.size}
        result |= describe_origin(torch.device("cpu"))
        scenes, kept, looks = draw_scenes(options.split, options.size), KeptMeasures(options.out, result), {}
        for look in LOOKS:
            readings = kept.measure(str(look), scenes, partial(read_look, reader, look))
            looks[str(look)] = score_all(reader.language, readings)
    except ValueError as error:
        sys.exit(f"error: {error}")
    result["looks"] = looks
    kept.finish(result, as_markdown(result))


if __name__ == "__main__":
    main()
