"""How well the command `derender` reads a folder of pictures, as a person would run it.

    python -m experiments.command_scores ../shared/data/hand_drawings --out experiments/results/hand_drawings_both.md

FOLDER is an imagefolder. Unlike eval.py, which takes a picture for the canvas that it is, this goes all the way from
the file: paper, contrast, strokes, canvas. Writes a table in Markdown, and each picture's score in JSON beside it; the
same command again goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from datasets_scripts.imagefolder import read_imagefolder
from derender.cli import DEFAULT_MODEL, positive
from derender.errors import UnreadableError
from derender.reader import Reader, ReadOptions
from derender_training.result_file import describe_origin
from derender_training.scores import score_specifications
from experiments.kept_measures import KeptMeasures
from experiments.table_file import table_file
from modeling_derender.language import Language
from modeling_derender.scoring import set_scores


# By command, with test-time augmentation or without, and the other options.
SETTINGS = {
    "derender": (False, ReadOptions()),
    "derender --tta": (True, ReadOptions()),
    "derender --candidates 10": (False, ReadOptions(candidates=10)),
    "derender --candidates 10 --refine 200": (False, ReadOptions(candidates=10, refine=200)),
}
SHOWN = ("iou", "iou_1.0", "f1", "inference_error")


def read_picture(reader: Reader, options: ReadOptions, picture: dict) -> dict:
    """Its name, what was read and what is true, and why it was refused, if it was: in such a one nothing was read."""
    try:
        objects, refused = reader.read(picture["image"], options).objects, None
    except UnreadableError as error:
        objects, refused = [], error.code
    name, reference = picture["file_name"], picture["objects"]
    return {"file_name": name, "objects": objects, "reference": reference, "refused": refused}


def score_all(language: Language, readings: Sequence[dict]) -> dict:
    """The scores, how many pictures are exactly right, and of each its IOU and why it was refused, if it was."""
    pairs = [(item["objects"], item["reference"]) for item in readings]
    scores = score_specifications(language, *zip(*pairs, strict=True))
    return {
        "scores": scores,
        "exact": round(scores["iou_1.0"] * len(readings)),
        "refused": sum(item["refused"] is not None for item in readings),
        "pictures": [
            {"file_name": item["file_name"], "iou": set_scores(*pair)["iou"], "refused": item["refused"]}
            for item, pair in zip(readings, pairs, strict=True)
        ],
    }


def as_cells(item: dict, shown: Sequence[str]) -> str:
    """What `score_all` gives, in cells of a table: the scores that are shown, in percent, and how many are refused."""
    return " | ".join([*(f"{100 * item['scores'][name]:.2f}" for name in shown), str(item["refused"])])


def as_markdown(result: dict) -> str:
    lines = [
        f"# {result['data']}, as `derender --model {result['model']}` reads it",
        f"\n`{result['command']}`, {result['pictures']} pictures. {result['hardware']}; commit {result['commit']}. "
        "Exact are pictures of which every object and property is right; scores in percent.\n",
        f"| | exact | {' | '.join(SHOWN)} | refused |",
        f"| --- | ---: |{' ---: |' * len(SHOWN)} ---: |",
    ]
    for title, item in result["settings"].items():
        lines.append(f"| `{title}` | {item['exact']} of {result['pictures']} | {as_cells(item, SHOWN)} |")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--limit", type=positive, help="the first so many pictures only")
    parser.add_argument("--out", required=True, type=table_file, metavar="FILE.md")
    options = parser.parse_args(arguments)
    try:
        readers = {
            augmented: Reader.open(options.model, test_time_augmentation=augmented) for augmented in (False, True)
        }
        pictures = read_imagefolder(options.folder, readers[False].language, options.limit)
        result = {"model": options.model, "data": Path(options.folder).name, "pictures": len(pictures)}
        result |= describe_origin(torch.device("cpu"))
        kept, settings = KeptMeasures(options.out, result), {}
        for title, (augmented, how) in SETTINGS.items():
            readings = kept.measure(title, pictures, partial(read_picture, readers[augmented], how))
            settings[title] = score_all(readers[augmented].language, readings)
    except ValueError as error:
        sys.exit(f"error: {error}")
    result["settings"] = settings
    kept.finish(result, as_markdown(result))


if __name__ == "__main__":
    main()
