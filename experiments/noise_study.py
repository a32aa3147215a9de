"""Does a model learn pictures by heart, noise and all? Noisy Shapes at CPU scale: python -m experiments.noise_study

Trains the paper's Transformer (configs/noise_study.yaml) on a fixed number of scenes, their image noise drawn once or
anew each time a picture is seen, for as many epochs as the run of Table 1 or twice as many, and on scenes that are all
new; scores each on training pictures and on test pictures. The same command again goes on where it was stopped.
Writes noise_study.json and .md: all scores, and paired bootstrap tests over the test pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from derender.cli import positive
from derender_training.result_file import read_evaluation, write_bytes, write_json
from experiments.bootstrap import describe_difference, resample_means, with_interval
from experiments.order_study import by_picture
from experiments.paper_scales import NOISE
from experiments.runs import Run, RunError, execute_runs


RECIPE = "configs/noise_study.yaml"
EPOCHS, STEPS_AN_EPOCH = 26, 100
TWICE = ("--steps", str(2 * EPOCHS * STEPS_AN_EPOCH))
KINDS = {
    "once": (),
    "anew": NOISE,
    "once, twice as long": TWICE,
    "anew, twice as long": (*NOISE, *TWICE),
    "new scenes": ("--train_size", "null"),
}
QUESTIONS = (
    ("image noise anew", "anew", "once"),
    ("image noise anew, twice as long", "anew, twice as long", "once, twice as long"),
    ("twice as long", "once, twice as long", "once"),
    ("twice as long, image noise anew", "anew, twice as long", "anew"),
    ("new scenes all the time", "new scenes", "once"),
)
MEASURES = {"iou": "IOU", "iou_1.0": "IOU = 1"}
SCENE = ("--data", "noisy_shapes", "--scene.max_objects", "3")
SEEDS = 2
TRAINED = "trained"  # the evaluation on pictures of the training


def list_runs(folder: Path, seeds: int, size: int) -> dict[tuple[str, int], Run]:
    """The runs by kind and seed, each to be scored on `size` test pictures and on half as many that it learned.

    Those that are twice as long have one seed.
    """
    evaluate = (*SCENE, "--split", "test", "--size", str(size))
    runs = {}
    for seed, kind in product(range(seeds), KINDS):
        if seed and TWICE[0] in KINDS[kind]:
            continue
        name = f"{kind.replace(', ', '_').replace(' ', '_')}_{seed}"
        learned = (*SCENE, "--split", "train", "--size", str(max(size // 2, 1)), "--seed", str(seed))
        train = (RECIPE, "--seed", str(seed), *KINDS[kind])
        runs[kind, seed] = Run(name, folder / name, train, evaluate, more=((TRAINED, learned),))
    return runs


def read_runs(runs: dict[tuple[str, int], Run]) -> dict[tuple[str, int], dict]:
    """What each run says of itself and of the test, and under "trained" its evaluation on training pictures."""
    return {key: {**run.read(), TRAINED: read_evaluation(run.folder / f"{TRAINED}.json")} for key, run in runs.items()}


def summarize(evaluations: dict[tuple[str, int], dict]) -> dict:
    """`rows`: each kind's measures of training and test pictures by seed; `gains`: an answer to each of QUESTIONS.

    A gain is paired by test picture, a picture's score being its mean over the seeds that both kinds have; its
    interval (95%) and p-value tell what the choice of test pictures decides, not what the seeds do.
    """
    rows = {
        kind: _describe_kind([evaluations[key] for key in sorted(evaluations) if key[0] == kind]) for kind in KINDS
    }
    gains = []
    for title, kind, base in QUESTIONS:
        seeds = sorted(seed for of, seed in evaluations if of == kind and (base, seed) in evaluations)
        more = [
            _measure_pictures(evaluations[kind, seed]) - _measure_pictures(evaluations[base, seed]) for seed in seeds
        ]
        resampled = resample_means(np.mean(more, axis=0))
        gain = {"question": title}
        for number, name in enumerate(MEASURES):
            each = [float(item[:, number].mean()) for item in more]
            gain[name] = describe_difference(np.mean(each), resampled[:, number]) | {"seeds": each}
        gains.append(gain)
    return {"rows": rows, "gains": gains}


def _describe_kind(own: Sequence[dict]) -> dict:
    return {
        "steps": own[0]["steps"],
        "test": {name: [item[name] for item in own] for name in MEASURES},
        TRAINED: {name: [item[TRAINED][name] for item in own] for name in MEASURES},
    }


def _measure_pictures(evaluation: dict) -> np.ndarray:
    """The MEASURES of each picture of an evaluation, (pictures, measures)."""
    return np.stack([by_picture(evaluation, measure) for measure in MEASURES], axis=1)


def describe_study(evaluations: dict[tuple[str, int], dict]) -> dict:
    """Where the numbers come from; ValueError where not all were scored on the same pictures."""
    first = next(iter(evaluations.values()))
    references = [picture["reference"] for picture in first["predictions"]]
    for (kind, seed), item in evaluations.items():
        if [picture["reference"] for picture in item["predictions"]] != references:
            raise ValueError(f"{kind}, seed {seed}: its test pictures are not those of the other runs")
    return {
        "recipe": RECIPE,
        "train_size": first["training"]["train_size"],
        "batch_size": first["training"]["batch_size"],
        "image_size": first["training"]["image_size"],
        "test_pictures": len(references),
        "training_pictures": len(first[TRAINED]["predictions"]),
        "seeds": sorted({seed for _, seed in evaluations}),
        "minutes": sum(item["minutes"] for item in evaluations.values()),
        "hardware": sorted({item["hardware"] for item in evaluations.values()}),
        "commits": sorted({str(item["commit"]) for item in evaluations.values()}),
    }


def as_markdown(result: dict) -> str:
    study = result["study"]
    seeds = ", ".join(map(str, study["seeds"]))
    options = f" --seeds {len(study['seeds'])}" if len(study["seeds"]) != SEEDS else ""
    lines = [
        "# Noisy Shapes: image noise once or anew, longer training, new scenes, at CPU scale",
        "",
        f"CPU scale, not the paper's: `python -m experiments.noise_study{options}`, {study['recipe']}: "
        f"{study['train_size']:,} scenes of at most 3 objects at {' x '.join(map(str, study['image_size']))} pixels, "
        f"batches of {study['batch_size']}, seeds {seeds}, {study['minutes']:.0f} minutes of all runs added up; "
        f"{study['test_pictures']:,} test pictures and {study['training_pictures']:,} of the training. "
        f"{'; '.join(study['hardware'])}. Commit {', '.join(study['commits'])}. In percent, a figure for each seed; "
        "what is twice as long has the first alone. New scenes are each seen once. Training pictures are "
        "scored with image noise drawn once, the very pictures where training has it so too.",
        "",
        f"| | steps | {' | '.join(f'{name}, training | {name}, test' for name in MEASURES.values())} |",
        f"| --- | ---: |{' ---: |' * (2 * len(MEASURES))}",
    ]
    for kind, row in result["rows"].items():
        cells = [_in_percent(row[part][name]) for name in MEASURES for part in (TRAINED, "test")]
        lines.append(f"| {kind} | {row['steps']:,} | {' | '.join(cells)} |")
    lines += [
        "",
        "What each brings, in points on the test pictures (mean over seeds, 95% interval and p by the paired "
        "bootstrap over pictures, not adjusted for how many they are; then each seed):",
        "",
        f"| | {' | '.join(f'{name} | p | each seed' for name in MEASURES.values())} |",
        f"| --- |{' ---: |' * (3 * len(MEASURES))}",
    ]
    for gain in result["gains"]:
        cells = [_describe_gain(gain[name]) for name in MEASURES]
        lines.append(f"| {gain['question']} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _in_percent(values: Sequence[float]) -> str:
    return ", ".join(f"{100 * value:.2f}" for value in values)


def _describe_gain(gain: dict) -> str:
    return f"{with_interval(gain)} | {gain['p']:.4f} | {_in_percent(gain['seeds'])}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", default="runs/noise_study", help="where the runs are")
    parser.add_argument("--results", default="experiments/results", help="where the table is written")
    parser.add_argument("--seeds", type=positive, default=SEEDS, help="how many seeds, from 0")
    parser.add_argument("--size", type=positive, default=2000, help="test pictures")
    parser.add_argument("--jobs", type=positive, default=2, help="runs at a time, each of one thread")
    options = parser.parse_args(arguments)
    runs = list_runs(Path(options.output_dir), options.seeds, options.size)
    try:
        execute_runs(list(runs.values()), options.jobs, "noise study")
        evaluations = read_runs(runs)
        result = {"study": describe_study(evaluations), **summarize(evaluations)}
    except (OSError, RunError, ValueError) as error:
        sys.exit(f"error: {error}")
    table = as_markdown(result)
    write_json(Path(options.results, "noise_study.json"), result)
    write_bytes(Path(options.results, "noise_study.md"), table.encode())
    print(table)


if __name__ == "__main__":
    main()
