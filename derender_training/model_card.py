"""The card of a trained model: what it reads, how it was made, how well it does, how to use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from accelerate import Accelerator
from huggingface_hub import EvalResult, ModelCardData

from derender_training.checkpoints import HOW
from derender_training.drawing import draw_readings
from derender_training.result_file import describe_hardware, find_commit
from derender_training.scores import is_error
from derender_training.sheet import COLUMNS, draw_sheet
from modeling_derender.scoring import count_matches


CARD, PICTURE = "README.md", "readings.png"
LICENSE = "apache-2.0"  # of weights, where the language's folder names none
NOT_TOLD = (*HOW, "data_dir")  # of the recipe: where things lie on one machine
TEXT = """\
# {name}

Reads a picture back into the specification that drew it: a set of objects with exact properties, in the graphics
language `{language}` (version {version}). Made with Derender.

![Pictures, and what the model read in them]({picture})

<sub>Above: {count} validation pictures. Below: what the model read in them, drawn again; red where that is not exactly
the truth.</sub>

## Use

```python
from transformers import pipeline  # pip install transformers timm

read = pipeline("image-to-spec", model="NAME", trust_remote_code=True)  # this folder, or its name on the Hub
read("picture.png")  # {{"objects": [...], "text": "...", "confidences": [...]}}
```

## Scores

{pictures} validation pictures, after step {step}; the best model of its run so far, by these very pictures. One run.

{scores}

## How it was made

| | |
| --- | --- |
| script | `{script}` |
| steps | {step} of {batch_size} pictures |
| data | {data} |
| seed | {seed} |
| hardware | {hardware} |
| processes, precision | {processes}, {precision} |
| code | commit {commit} |

```yaml
{recipe}```

## Licence

{license_text}
"""


@dataclasses.dataclass(frozen=True)
class CardWriter:
    """Writes cards for the models of one run: of `script` with `options`, on the language of `folder`.

    `draw` is the folder's `render_batch`.
    """

    script: str
    options: object
    folder: object
    draw: Callable
    accelerator: Accelerator

    def __call__(self, step: int, scores: dict, examples: Sequence[dict], predictions: Sequence[list[dict]]) -> dict:
        """The card's files, {name: bytes}: `scores` are those of `predictions` for the validation `examples`."""
        language = self.folder.LANGUAGE
        scores = {name: value for name, value in scores.items() if isinstance(value, (int, float))}
        name = Path(self.options.output_dir).name
        license = getattr(self.folder, "WEIGHTS_LICENSE", LICENSE)
        metadata = ModelCardData(
            license=license,
            library_name="transformers",
            pipeline_tag="image-to-text",
            tags=["de-rendering", "inverse-graphics", "image-to-spec", language.name],
            model_name=name,
            eval_results=[
                EvalResult(
                    task_type="image-to-text", task_name="de-rendering", dataset_type=language.name,
                    dataset_name=language.name, dataset_split="validation", metric_type=metric, metric_value=value,
                )
                for metric, value in scores.items()
            ],
        )  # fmt: skip
        shown = range(min(COLUMNS, len(examples)))
        text = TEXT.format(
            name=name, language=language.name, version=language.version, picture=PICTURE, count=len(shown), step=step,
            pictures=len(predictions), scores=_table(scores), script=self.script,
            license_text=explain_license(license),
            batch_size=self.options.batch_size, data=self._describe_data(step), seed=self.options.seed,
            hardware=describe_hardware(self.accelerator.device), processes=self.accelerator.num_processes,
            precision=self.accelerator.mixed_precision, commit=find_commit(), recipe=self._recipe(),
        )  # fmt: skip
        picture = self._draw([examples[index] for index in shown], [predictions[index] for index in shown])
        return {CARD: f"---\n{metadata.to_yaml()}\n---\n\n{text}".encode(), PICTURE: picture}

    def _draw(self, examples: Sequence[dict], predictions: Sequence[list[dict]]) -> bytes:
        read, _ = draw_readings(self.draw, predictions, self.folder.LANGUAGE.canvas.pixels)
        pairs = [(objects, example["objects"]) for objects, example in zip(predictions, examples, strict=True)]
        right = [count_matches(*pair) == max(map(len, pair)) for pair in pairs]
        return draw_sheet([example["image"] for example in examples], list(read), right)

    def _describe_data(self, step: int) -> str:
        size = self.options.train_size
        kind = self.options.data if self.options.data in ("fresh", "given") else "a built data set"
        seen = f"{step * self.options.batch_size:,} pictures seen, {kind}"
        return seen if size is None else f"{seen}, of {size:,}"

    def _recipe(self) -> str:
        recipe = dataclasses.asdict(self.options)
        told = {name: value for name, value in recipe.items() if name not in NOT_TOLD and value not in (None, {}, [])}
        return yaml.safe_dump({name: _without_place(value) for name, value in told.items()}, sort_keys=False)


def _without_place(value):
    """A value of the recipe; of an absolute path only the end, for the rest is of one machine."""
    absolute = isinstance(value, str) and Path(value).is_absolute()
    return Path(*Path(value).parts[-2:]).as_posix() if absolute else value


def _table(scores: dict[str, float]) -> str:
    rows = ["| score | |", "| --- | ---: |"]
    for name, value in scores.items():
        rows.append(f"| {name}{' (lower is better)' if is_error(name) else ''} | {value:.4f} |")
    return "\n".join(rows)


def explain_license(license: str) -> str:
    """What a card tells of the licence of its weights."""
    if license == LICENSE:
        return f"{license}."
    return (
        f"{license}: the terms of the pictures that the weights learned from, and of any shown. The code: {LICENSE}."
    )
