"""A page that shows what a model reads: report.py --out report.html EVALUATION.json ...

Each EVALUATION.json is written by `eval.py --json`. The page holds its pictures itself and needs no script.
"""

from __future__ import annotations

import argparse
import base64
import html
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import RenderError, data_options
from derender.cli import positive
from derender_training.command_line import end_stopped
from derender_training.drawing import draw_readings
from derender_training.figures import png_of
from derender_training.result_file import read_evaluation, write_bytes
from derender_training.sheet import draw_sheet, shrink
from modeling_derender.binning import bin_objects
from modeling_derender.language import Language
from modeling_derender.scoring import object_key
from modeling_derender.serialization import to_text


SCORES = {
    "iou": "IOU", "iou_1.0": "IOU = 1", "iou_binned": "IOU in bins", "inference_error": "inference error",
    "reconstruction_error": "reconstruction error", "precision": "precision", "recall": "recall", "f1": "F1",
}  # fmt: skip
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fafafa; }
body { max-width: 75rem; margin: auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h3 { font-size: 1rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
.scores { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: 0; }
.scores div { display: flex; gap: .4rem; } .scores dt { white-space: nowrap; }
.scores dd { margin: 0; font-weight: 600; }
.origin { color: #666; font-size: .8rem; overflow-wrap: anywhere; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
article { background: #fff; border: 1px solid #ddd; border-radius: .4rem; padding: .7rem; min-width: 0; }
article h4 { margin: 0 0 .4rem; font-size: .9rem; font-weight: 600; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: .4rem; }
figure { margin: 0; min-width: 0; } figcaption { font-size: .75rem; color: #666; text-align: center; }
img { width: 100%; border: 1px solid #ccc; box-sizing: border-box; background: #fff; }
pre { font-size: .8rem; margin: .5rem 0 0; overflow-x: auto; }
.extra { color: #a01818; } .missing { color: #7a4a00; } .key { font-size: .85rem; }
"""


@dataclass(frozen=True)
class Evaluation:
    """One file of eval.py: its content, the pictures it was made on, and what draws its language."""

    result: dict
    examples: Sequence
    language: Language
    draw: Callable

    @property
    def predictions(self) -> list[dict]:
        return self.result["predictions"]

    def draw_one(self, objects: list[dict]) -> np.ndarray:
        """The picture of some objects, an empty page where they cannot be drawn; RenderError where nothing can."""
        (picture,), _ = draw_readings(self.draw, [objects], self.language.canvas.pixels)
        return picture


def open_evaluation(path: str | Path, language: str | None = None, data_dir: str | None = None) -> Evaluation:
    """Read a file of eval.py and find its pictures again; `language` and `data_dir` replace what the file says.

    ValueError names the file, or the data it speaks of, where they cannot be used.
    """
    result = read_evaluation(path)
    given = {"language_folder": language, "data_dir": data_dir}
    options = result["data_options"] | {name: value for name, value in given.items() if value}
    data = EvaluationData(result["data"], **options)
    folder = data.find_language_folder(result["language"])
    examples = data.open(folder.LANGUAGE)
    if len(examples) < len(result["predictions"]):
        raise ValueError(f"{path}: has {len(result['predictions'])} predictions, but {result['data']} fewer pictures")
    draw = partial(folder.render_batch, **data_options(folder, data.data_dir))
    return Evaluation(result, examples, folder.LANGUAGE, draw)


def write_report(evaluations: Sequence[Evaluation], output: str | Path, count: int) -> None:
    """Write the page of these evaluations. ValueError names a picture that cannot be read."""
    sections = [_section(evaluation, count) for evaluation in evaluations]
    title = "Pictures read back"
    page = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        '<p class="key">Under each picture is the specification predicted for it, an object a line. '
        '<span class="extra">+ is not in the truth</span>, <span class="missing">&minus; is missing</span>. '
        "Coordinates count as equal in the same of 20 bins of the canvas.</p>\n"
        f"{''.join(sections)}</body>\n</html>\n"
    )
    write_bytes(output, page.encode("utf-8"))


def write_sheet(evaluation: Evaluation, output: str | Path, count: int) -> None:
    """Write a PNG of `count` pictures at random: the inputs above, what was read in them, drawn again, below.

    A prediction that is not the truth, coordinates in 20 bins, has a red frame. ValueError as for `write_report`.
    """
    _, indices = _choose(evaluation.predictions, count)
    predictions = [evaluation.predictions[index] for index in indices]
    inputs = [example["image"] for example in take(evaluation.examples, indices)]
    read = [evaluation.draw_one(prediction["objects"]) for prediction in predictions]
    marks = [prediction["iou_binned"] == 1 for prediction in predictions]
    write_bytes(output, draw_sheet(inputs, read, marks))


def _section(evaluation: Evaluation, count: int) -> str:
    """The scores of one evaluation and its gallery: the `count` worst pictures, and as many at random."""
    result = evaluation.result
    worst, random = _choose(evaluation.predictions, count)
    return (
        f"<section>\n<h2>{html.escape(_describe_data(result))}</h2>\n{_score_line(result)}\n"
        f'<p class="origin">{html.escape(_describe_origin(result))}</p>\n'
        f"<h3>The worst</h3>\n{_gallery(worst, evaluation)}\n"
        f"<h3>At random</h3>\n{_gallery(random, evaluation)}\n</section>\n"
    )


def _choose(predictions: list[dict], count: int) -> tuple[list[int], list[int]]:
    """The numbers of the `count` worst predictions, by inference error and then IOU, and of `count` at random."""

    def merit(index: int) -> tuple[float, float]:
        return -predictions[index]["inference_error"], predictions[index]["iou_binned"]

    order = sorted(range(len(predictions)), key=merit)
    drawn = np.random.default_rng(0).choice(len(predictions), size=min(count, len(predictions)), replace=False)
    return order[:count], sorted(drawn.tolist())


def _describe_data(result: dict) -> str:
    options = {name: value for name, value in result["data_options"].items() if value}
    scene = options.pop("scene", {})
    options.pop("data_dir", None)
    return ", ".join([result["data"], *(f"{name} {value}" for name, value in {**options, **scene}.items())])


def _score_line(result: dict) -> str:
    values = {label: f"{result[name]:.3f}" for name, label in SCORES.items() if result.get(name) is not None}
    counts = {
        "pictures": f"{result['counts']['pictures']:,}",
        "objects": "{matched:,} of {true:,} found, {predicted:,} predicted".format(**result["counts"]),
    }
    terms = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in {**values, **counts}.items())
    return f'<dl class="scores">{terms}</dl>'


def _describe_origin(result: dict) -> str:
    return (
        f"{result['command']} · commit {result['commit'] or 'unknown'} · {result['hardware']} · "
        f"{result['images_per_second']:.1f} images/s"
    )


def _gallery(indices: list[int], evaluation: Evaluation) -> str:
    cards = [
        _card(evaluation.predictions[index], example["image"], evaluation)
        for index, example in zip(indices, take(evaluation.examples, indices), strict=True)
    ]
    return f'<div class="gallery">\n{"".join(cards)}</div>'


def _card(prediction: dict, image, evaluation: Evaluation) -> str:
    pictures = {
        "input": image,
        "prediction": evaluation.draw_one(prediction["objects"]),
        "truth": evaluation.draw_one(prediction["reference"]),
    }
    name = html.escape(prediction["file_name"])
    figures = "".join(
        f'<figure><img src="{_as_data_uri(picture, evaluation.language.canvas.channels)}" alt="{what} of {name}">'
        f"<figcaption>{what}</figcaption></figure>"
        for what, picture in pictures.items()
    )
    return (
        f"<article>\n<h4>{name}: IOU in bins {prediction['iou_binned']:.2f}, "
        f"inference error {prediction['inference_error']:.2f}</h4>\n"
        f'<div class="pictures">{figures}</div>\n'
        f"<pre>{_as_lines(prediction['objects'], prediction['reference'], evaluation.language)}</pre>\n</article>\n"
    )


def _as_lines(objects: list[dict], reference: list[dict], language: Language) -> str:
    """The predicted objects, each marked where the truth has no such object (left), then those that are missing."""

    def key_of(item: dict) -> frozenset:
        return object_key(*bin_objects([item], language.coordinate_ranges))

    left, lines = Counter(map(key_of, reference)), []
    for item in objects:
        key = key_of(item)
        matched = left[key] > 0
        left[key] -= matched
        lines.append(_line(item, "" if matched else "extra", language))
    for item in reference:
        key = key_of(item)
        if left[key] > 0:
            left[key] -= 1
            lines.append(_line(item, "missing", language))
    return "\n".join(lines) or "(nothing)"


def _line(item: dict, kind: str, language: Language) -> str:
    text = html.escape(to_text(language, [item]))
    sign = {"": " ", "extra": "+", "missing": "&minus;"}[kind]
    return f'<span class="{kind}">{sign} {text}</span>' if kind else f"{sign} {text}"


def _as_data_uri(picture, channels: int) -> str:
    content = png_of(shrink(picture, channels))
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="EVALUATION.json", help="written by eval.py --json")
    parser.add_argument("--out", required=True, help="the page to write")
    parser.add_argument("--language", help="the language's folder, where it is not known by the language's name")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it is not the evaluation's")
    parser.add_argument("--sheet", help="also write a PNG of random pictures of the first evaluation")
    parser.add_argument("--sheet_count", type=positive, default=5, help="pictures on it")
    parser.add_argument("--count", type=positive, default=12, help="pictures of each kind, worst and random")
    options = parser.parse_args(arguments)
    try:
        evaluations = [open_evaluation(path, options.language, options.data_dir) for path in options.evaluations]
        write_report(evaluations, options.out, options.count)
        if options.sheet:
            write_sheet(evaluations[0], options.sheet, options.sheet_count)
    except (ValueError, RenderError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"written to {options.out}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        end_stopped("the same command begins again")
