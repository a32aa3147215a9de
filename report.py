"""A page that shows what a model reads: report.py --out report.html EVALUATION.json ...

Each EVALUATION.json is written by `eval.py --json`. The page holds its pictures itself and needs no script.
"""

from __future__ import annotations

import argparse
import base64
import html
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image, ImageOps

from datasets_scripts import load_language_folder
from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import RenderError
from derender_training.result_file import write_bytes
from modeling_derender.image_io import to_uint8
from modeling_derender.scoring import object_key
from modeling_derender.serialization import to_text


PICTURE_SIDE = 256
SCORES = {"iou": "IOU", "iou_1.0": "IOU = 1", "precision": "precision", "recall": "recall", "f1": "F1"}
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


def write_report(evaluations: Sequence[str | Path], output: str | Path, language: str | None, count: int) -> None:
    """Write the page of these files. ValueError names a file, or the data it speaks of, that cannot be used."""
    sections = [_section(Path(path), language, count) for path in evaluations]
    title = "Pictures read back"
    page = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        '<p class="key">Under each picture is the specification predicted for it, an object a line. '
        '<span class="extra">+ is not in the truth</span>, <span class="missing">&minus; is missing</span>.</p>\n'
        f"{''.join(sections)}</body>\n</html>\n"
    )
    write_bytes(output, page.encode("utf-8"))


def write_sheet(evaluation: str | Path, output: str | Path, language: str | None, count: int) -> None:
    """Write a PNG of `count` pictures at random: the inputs above, what was read in them, drawn again, below.

    A prediction that is not exactly the truth has a red frame. ValueError as for `write_report`.
    """
    result, folder, examples = _open_evaluation(Path(evaluation), language)
    _, indices = _choose(result["predictions"], count)
    predictions = [result["predictions"][index] for index in indices]
    inputs = [_thumbnail(example["image"]) for example in take(examples, indices)]
    read = [_thumbnail(folder.render(prediction["objects"])) for prediction in predictions]
    side = max(max(picture.size) for picture in inputs + read)
    frames = ["white" if prediction["iou"] == 1 else "red" for prediction in predictions]
    above = np.hstack([_framed(picture, side, "white") for picture in inputs])
    below = np.hstack([_framed(picture, side, frame) for picture, frame in zip(read, frames, strict=True)])
    content = io.BytesIO()
    Image.fromarray(np.vstack([above, below])).save(content, "PNG", optimize=True)
    write_bytes(output, content.getvalue())


def _thumbnail(picture, channels: int = 3) -> Image.Image:
    """A picture, shrunk to PICTURE_SIDE where it is larger."""
    array = to_uint8(picture, channels)
    image = Image.fromarray(array[:, :, 0] if channels == 1 else array)
    image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return image


def _framed(picture: Image.Image, side: int, frame: str) -> np.ndarray:
    """A picture on a square of `side` pixels, in a coloured frame and a thin black one: uint8 (H, W, 3)."""
    square = ImageOps.pad(picture, (side, side), color="white")
    return np.asarray(ImageOps.expand(ImageOps.expand(square, 3, frame), 1, "black"))


def _section(path: Path, language: str | None, count: int) -> str:
    """The scores of one evaluation and its gallery: the `count` worst pictures, and as many at random."""
    result, folder, examples = _open_evaluation(path, language)
    worst, random = _choose(result["predictions"], count)
    return (
        f"<section>\n<h2>{html.escape(_describe_data(result))}</h2>\n{_score_line(result)}\n"
        f'<p class="origin">{html.escape(_describe_origin(result))}</p>\n'
        f"<h3>The worst</h3>\n{_gallery(worst, result, examples, folder)}\n"
        f"<h3>At random</h3>\n{_gallery(random, result, examples, folder)}\n</section>\n"
    )


def _open_evaluation(path: Path, language: str | None) -> tuple[dict, ModuleType, Sequence]:
    """An evaluation, the folder of its language, and the examples it was made on."""
    result = _read_evaluation(path)
    folder = _load_folder(result, language)
    examples = EvaluationData(result["data"], **result["data_options"]).open(folder.LANGUAGE)
    if len(examples) < len(result["predictions"]):
        raise ValueError(f"{path}: has {len(result['predictions'])} predictions, but {result['data']} fewer pictures")
    return result, folder, examples


def _load_folder(result: dict, language: str | None) -> ModuleType:
    """The language's folder: the one asked for, the one the fresh scenes are of, or that of the language's name."""
    if language is None and (Path(result["data"]) / "__init__.py").is_file():
        language = result["data"]
    return load_language_folder(language or result["language"])


def _read_evaluation(path: Path) -> dict:
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(result, dict) or "predictions" not in result or "data_options" not in result:
        raise ValueError(f"{path}: is not an evaluation written by eval.py --json")
    return result


def _choose(predictions: list[dict], count: int) -> tuple[list[int], list[int]]:
    order = sorted(range(len(predictions)), key=lambda index: predictions[index]["iou"])
    drawn = np.random.default_rng(0).choice(len(predictions), size=min(count, len(predictions)), replace=False)
    return order[:count], sorted(drawn.tolist())


def _describe_data(result: dict) -> str:
    options = {name: value for name, value in result["data_options"].items() if value}
    scene = options.pop("scene", {})
    return ", ".join([result["data"], *(f"{name} {value}" for name, value in {**options, **scene}.items())])


def _score_line(result: dict) -> str:
    values = {label: f"{result[name]:.3f}" for name, label in SCORES.items()}
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


def _gallery(indices: list[int], result: dict, examples: Sequence, folder: ModuleType) -> str:
    cards = [
        _card(result["predictions"][index], example["image"], folder)
        for index, example in zip(indices, take(examples, indices), strict=True)
    ]
    return f'<div class="gallery">\n{"".join(cards)}</div>'


def _card(prediction: dict, image, folder: ModuleType) -> str:
    pictures = {
        "input": image,
        "prediction": folder.render(prediction["objects"]),
        "truth": folder.render(prediction["reference"]),
    }
    name = html.escape(prediction["file_name"])
    figures = "".join(
        f'<figure><img src="{_as_data_uri(picture, folder.LANGUAGE.canvas.channels)}" alt="{what} of {name}">'
        f"<figcaption>{what}</figcaption></figure>"
        for what, picture in pictures.items()
    )
    return (
        f"<article>\n<h4>{name}: IOU {prediction['iou']:.2f}</h4>\n"
        f'<div class="pictures">{figures}</div>\n'
        f"<pre>{_as_lines(prediction['objects'], prediction['reference'], folder)}</pre>\n</article>\n"
    )


def _as_lines(objects: list[dict], reference: list[dict], folder: ModuleType) -> str:
    """The predicted objects, each marked where the truth has no such object (left), then those that are missing."""
    left, lines = Counter(map(object_key, reference)), []
    for item in objects:
        key = object_key(item)
        matched = left[key] > 0
        left[key] -= matched
        lines.append(_line(item, "" if matched else "extra", folder))
    for item in reference:
        key = object_key(item)
        if left[key] > 0:
            left[key] -= 1
            lines.append(_line(item, "missing", folder))
    return "\n".join(lines) or "(nothing)"


def _line(item: dict, kind: str, folder: ModuleType) -> str:
    text = html.escape(to_text(folder.LANGUAGE, [item]))
    sign = {"": " ", "extra": "+", "missing": "&minus;"}[kind]
    return f'<span class="{kind}">{sign} {text}</span>' if kind else f"{sign} {text}"


def _as_data_uri(picture, channels: int) -> str:
    content = io.BytesIO()
    _thumbnail(picture, channels).save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", nargs="+", metavar="EVALUATION.json", help="written by eval.py --json")
    parser.add_argument("--out", required=True, help="the page to write")
    parser.add_argument("--language", help="the language's folder, where it is not known by the language's name")
    parser.add_argument("--sheet", help="also write a PNG of random pictures of the first evaluation")
    parser.add_argument("--sheet_count", type=int, default=5, help="pictures on it")
    parser.add_argument("--count", type=int, default=12, help="pictures of each kind, worst and random")
    options = parser.parse_args(arguments)
    try:
        write_report(options.evaluations, options.out, options.language, options.count)
        if options.sheet:
            write_sheet(options.evaluations[0], options.sheet, options.language, options.sheet_count)
    except (ValueError, RenderError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
