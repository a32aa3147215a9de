"""Puts a trained model among those that come with the package: python -m experiments.publish_weights NAME MODEL ...

    python -m experiments.publish_weights noisy_shapes runs/noisy_shapes_gpu_more/model runs/noisy_shapes_gpu/model
    python -m experiments.publish_weights abstract_scenes runs/abstract_scenes_gpu/model --data_dir AbstractScenes_v1.1

The first model's weights go to pretrained/NAME in bfloat16, are scored there by eval.py, and get a card that tells the
scores with their commands and how each of the models, the last being the first trained, was made.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import eval as eval_script
from derender_training.checkpoints import replacing
from derender_training.language_folder import open_language
from derender_training.model_card import LICENSE, explain_license
from derender_training.model_folder import open_model
from derender_training.result_file import find_commit, read_evaluation, write_bytes
from experiments.carry_weights import WEIGHTS, halve


PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
CARD, RUN = "README.md", "| script |"
# The places as the card tells them, and what it tells of them.
PUBLIC = {"real": "real_pictures", "data": "AbstractScenes_v1.1"}
PLACES = {
    "real": "the folder of the real pictures, which are not part of the repository",
    "data": "the folder of the data set's download, which is not part of the repository",
}
LANGUAGE_OF = {"coarse_drawings": "noisy_shapes"}  # where the weights are not called by their language
DRAWN = "--data noisy_shapes --split test --size 500 --scene.max_objects 24 --scene.turned 0.4 --scene.diagonal 0.15"
# What each is scored on, by what the card calls it: arguments of eval.py, {data} being --data_dir's.
SHAPES = {
    "fresh scenes of 1 to 12 objects": "--data noisy_shapes --split test --size 2000",
    "the same, test-time augmentation": "--data noisy_shapes --split test --size 2000 --tta",
    "the first 100 of these": "--data noisy_shapes --split test --size 100",
    "sketches by freer hands, of 1 to 24 objects": f"{DRAWN} --render sketched",
    "the same scenes, drawn freehand": f"{DRAWN} --render freehand",
    "real TikZ pictures of 1 to 12 objects": "--data {real}/noisy_shapes_tikz",
    "real hand drawings (Ellis et al. 2018)": "--data {real}/hand_drawings",
}
EVALUATIONS = {
    "noisy_shapes": SHAPES,
    "coarse_drawings": SHAPES
    | {"the same scenes, some by thick pens, in few pixels or black and white": f"{DRAWN} --render coarse"},
    "abstract_scenes": {
        "test scenes": "--data abstract_scenes --split test --scene.validation_share 0.02 --data_dir {data}",
        "the same, test-time augmentation": (
            "--data abstract_scenes --split test --scene.validation_share 0.02 --data_dir {data} --tta"
        ),
        "the first 50 of these": (
            "--data abstract_scenes --split test --scene.validation_share 0.02 --limit 50 --data_dir {data}"
        ),
    },
}
LINES = """\
line drawings on a grid of 16 x 16 units: circles of radius 1, upright rectangles and straight lines, solid or dashed,
with or without an arrow's tip, as many as fit into 144 tokens (a line takes 6, a rectangle 5, a circle 3)"""
READS = {
    "noisy_shapes": LINES,
    "coarse_drawings": f"{LINES}. It is for those by a thick pen, in few pixels or in black and white",
    "abstract_scenes": "scenes of 500 x 400 pixels, composed of the 126 pieces of clip art of AbstractScenes_v1.1",
}
SEVERAL_RUNS = """\
The first run comes first. Each of the others began with the weights of the one before it: in their options, weights in
`pretrained/` are those of that time.
"""
SHOWN = ("iou", "iou_1.0", "f1", "iou_binned", "inference_error", "reconstruction_error")
TEXT = """\
---
license: {license}
library_name: transformers
pipeline_tag: image-to-text
tags: [de-rendering, inverse-graphics, image-to-spec, {language}]
---

# {name}

Reads a picture back into the specification that drew it: a set of objects with exact properties, in the graphics
language `{language}`. It reads {reads}.

It comes with Derender, whose command `derender --model {name} picture.png` uses it.

The code lies beside, in `modeling_derender/`, and not in this folder:

```python
from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor, open_image

model = DerenderForConditionalGeneration.from_pretrained("pretrained/{name}")
processor = DerenderProcessor.from_pretrained("pretrained/{name}")
ids = model.generate(**processor(images=open_image("picture.png")))
objects = processor.post_process_objects(ids)[0]
```

`model.save_pretrained(FOLDER)` and `processor.save_pretrained(FOLDER)` write one that carries its code, for
`trust_remote_code=True`.

**Our own recipe and scale, not the paper's**: see how it was made, below. Weights in bfloat16, computed in float32.

## Scores

In percent, greedy, without search; nothing was chosen by them. {hardware}; commit {commit}.

{scores}

{commands}

{places}

## How it was made

{made}

## Licence

{license_text}
"""


def convert(source: Path, new: Path) -> None:
    """The model and its processor of `source` in the folder `new`, the weights in bfloat16, without the code.

    What is loaded from it is float32 all the same, as its config says.
    """
    model, processor = open_model(str(source))
    model.save_pretrained(new)
    processor.save_pretrained(new)
    for code in new.glob("*.py"):
        code.unlink()
    for path in new.glob("*.json"):
        write_bytes(path, _without_code(path.read_text()).encode())
    write_bytes(new / WEIGHTS, halve(new / WEIGHTS))


def _without_code(text: str) -> str:
    content = json.loads(text)
    for name in ("auto_map", "custom_pipelines"):
        content.pop(name, None)
    return json.dumps(content, indent=2) + "\n"


def evaluate(name: str, model: Path, places: dict[str, str]) -> dict[str, dict]:
    """By what they are called, the results of the evaluations with their `command`, pictures left out."""
    results = {}
    for title, arguments in EVALUATIONS[name].items():
        with TemporaryDirectory() as folder:
            file = Path(folder, "evaluation.json")
            eval_script.main(["--model", str(model), *arguments.format(**places).split(), "--json", str(file)])
            result = read_evaluation(file)
        kept = ("counts", "hardware", *(score for score in SHOWN if result[score] is not None))
        results[title] = {key: result[key] for key in kept}
        results[title]["command"] = f"python eval.py --model pretrained/{name} {arguments.format(**PUBLIC)}"
    return results


def write_card(name: str, results: dict[str, dict], sources: Sequence[Path], commit: str | None) -> str:
    """The card's text, with the scores that the code of `commit` gives; ValueError for a source that has no card."""
    language = LANGUAGE_OF.get(name, name)
    license = getattr(open_language(language), "WEIGHTS_LICENSE", LICENSE)
    first = next(iter(results.values()))
    columns = [score for score in SHOWN if score in first]
    lines = [f"| | pictures | {' | '.join(columns)} |", f"| --- | ---: |{' ---: |' * len(columns)}"]
    for title, result in results.items():
        cells = " | ".join(f"{100 * result[score]:.2f}" for score in columns)
        lines.append(f"| {title} | {result['counts']['pictures']:,} | {cells} |")
    commands = "\n".join(f"- {title}: `{result['command']}`" for title, result in results.items())
    made = "\n\n".join(map(_how_made, reversed(sources)))
    if made.count(RUN) > 1:
        made = f"{SEVERAL_RUNS}\n{made}"
    return TEXT.format(
        name=name, language=language, reads=READS[name], license=license, hardware=first["hardware"], commit=commit,
        scores="\n".join(lines), commands=commands, places=_explain_places(name),
        made=made, license_text=explain_license(license),
    )  # fmt: skip


def publish(target: Path, sources: Sequence[Path], places: dict[str, str]) -> None:
    """Put the model and its card in `target`, in place of what is there; that stays until all is done."""
    check(target.name, sources, places)
    commit = find_commit()  # before a change here makes it another
    with replacing(target) as new:
        convert(sources[0], new)
        results = evaluate(target.name, new, places)
        write_bytes(new / CARD, write_card(target.name, results, sources, commit).encode())


def check(name: str, sources: Sequence[Path], places: dict[str, str]) -> None:
    """Raise ValueError, or OSError, for what would be missed only after minutes of scoring."""
    for source in sources:
        _how_made(source)
    for arguments in EVALUATIONS[name].values():
        for word in arguments.split():
            folder = word.format(**places)
            if word.startswith("{") and not (folder and Path(folder).is_dir()):
                raise ValueError(f"{folder or word}: no folder of the data that {name} is scored on")


def _places_of(name: str) -> list[str]:
    return [place for place in PUBLIC if any(f"{{{place}}}" in item for item in EVALUATIONS[name].values())]


def _explain_places(name: str) -> str:
    return " ".join(f"`{PUBLIC[place]}` stands for {PLACES[place]}." for place in _places_of(name))


def _how_made(source: Path) -> str:
    card = (source / CARD).read_text()
    start, end = "## How it was made\n\n", "## Licence"
    if start not in card:
        raise ValueError(f"{source / CARD}: does not tell how the model was made")
    return card.split(start, 1)[1].split(end, 1)[0].removeprefix(SEVERAL_RUNS).strip()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=EVALUATIONS)
    parser.add_argument("sources", nargs="+", type=Path, metavar="RUN_MODEL", help="the newest first")
    parser.add_argument("--data_dir", default="", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--real_pictures", default="../shared/data", help="the folder of the real pictures")
    options = parser.parse_args(arguments)
    target = PRETRAINED / options.name
    try:
        publish(target, options.sources, {"real": options.real_pictures, "data": options.data_dir})
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
