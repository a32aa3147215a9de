"""Does reinforcement do more than to go on? The paper's section 4, CPU scale: python -m experiments.rl_study LANGUAGE

From one converged cross-entropy checkpoint, with three seeds, trains by reinforcement (rl_study_LANGUAGE_rl.yaml in
configs/) and goes on by cross-entropy for the same time (rl_study_LANGUAGE.yaml again, from the checkpoint, at 1e-4
with cosine decay), and scores all on the same test pictures. The same command again goes on where it was stopped.
Writes rl_study_LANGUAGE.json and .md: all scores, and a paired bootstrap test of the score that
was optimised.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from derender.cli import positive
from derender_training.result_file import write_bytes, write_json
from derender_training.scores import is_error
from experiments.bootstrap import describe_difference, resample_means
from experiments.runs import Run, RunError, execute_runs


@dataclass(frozen=True)
class Study:
    """What is optimised, and the arguments of eval.py that name the test pictures."""

    optimised: str
    evaluate: tuple[str, ...]


STUDIES = {
    "noisy_shapes": Study("iou", ("--data", "noisy_shapes", "--split", "test", "--scene.max_objects", "8")),
    "abstract_scenes": Study(
        "reconstruction_error",
        ("--data", "abstract_scenes", "--split", "test", "--scene.validation_share", "0.02"),
    ),
}
KINDS = ("cross-entropy", "reinforcement")
MEASURES = (
    "precision", "recall", "f1", "iou", "iou_1.0", "iou_binned", "inference_error", "reconstruction_error",
)  # fmt: skip


def list_runs(name: str, folder: Path, seeds: int, minutes: float, size: int, data_dir: str | None) -> dict:
    """The runs: "start", and (kind, seed) for each of KINDS. `size` pictures are drawn where scenes are sampled."""
    data = () if data_dir is None else ("--data_dir", data_dir)
    evaluate = (*STUDIES[name].evaluate, *data)
    if name == "noisy_shapes":
        evaluate += ("--size", str(size))
    recipe, recipe_rl = f"configs/rl_study_{name}.yaml", f"configs/rl_study_{name}_rl.yaml"
    start = Run("start", folder / "start", (recipe, *data), evaluate)
    checkpoint, budget = str(start.output_dir / "model"), ("--max_minutes", str(minutes))
    runs = {"start": start}
    for seed in range(seeds):
        again = ("--initial_model", checkpoint, "--seed", str(100 + seed), "--learning_rate", "1e-4")
        again += ("--warmup_steps", "0", *budget, *data)
        reinforce = ("--checkpoint", checkpoint, "--seed", str(100 + seed), *budget, *data)
        arguments = {
            "cross-entropy": ((recipe, *again), "train.py"),
            "reinforcement": ((recipe_rl, *reinforce), "rl_train.py"),
        }
        for kind, (train, script) in arguments.items():
            runs[kind, seed] = Run(f"{kind}_{seed}", folder / f"{kind}_{seed}", train, evaluate, script)
    return runs


def summarize(evaluations: dict, optimised: str) -> dict:
    """The mean scores of each kind and of the start, and how much reinforcement gains over cross-entropy.

    `gain` is of the optimised score, an error's with its sign turned: positive is better. It is paired by picture,
    each picture's score being its mean over the seeds; its interval (95%) and two-sided p-value are by the bootstrap
    over pictures.
    """
    seeds = sorted({key[1] for key in evaluations if key != "start"})
    rows = {"start": {name: evaluations["start"][name] for name in MEASURES}}
    for kind in KINDS:
        own = [evaluations[kind, seed] for seed in seeds]
        rows[kind] = {name: float(np.mean([item[name] for item in own])) for name in MEASURES}
        rows[kind]["seeds"] = [item[optimised] for item in own]
        rows[kind]["steps"] = [item["steps"] for item in own]
    by_picture = [
        np.mean([[item[optimised] for item in evaluations[kind, seed]["predictions"]] for seed in seeds], axis=0)
        for kind in KINDS
    ]
    gains = (by_picture[1] - by_picture[0]) * (-1 if is_error(optimised) else 1)
    gain = describe_difference(gains.mean(), resample_means(gains[:, None])[:, 0])
    return {"rows": rows, "gain": gain, "optimised": optimised}


def _command(name: str, study: dict) -> str:
    data = " --data_dir AbstractScenes_v1.1" if name == "abstract_scenes" else ""
    return f"python -m experiments.rl_study {name} --seeds {study['seeds']} --minutes {study['minutes']:g}{data}"


def as_markdown(name: str, result: dict) -> str:
    study, gain = result["study"], result["gain"]
    low, high = gain["interval"]
    lines = [
        f"# Reinforcement and cross-entropy from one checkpoint: {name}, at CPU scale",
        "",
        f"CPU scale, not the paper's. `{_command(name, study)}`: configs/rl_study_{name}.yaml "
        f"({study['start_minutes']:.1f} minutes) and from "
        f"its checkpoint {study['minutes']} minutes more of each kind, {study['seeds']} seeds, at learning rates of "
        f"{' and '.join(f'{rate:g}' for rate in study['learning_rates'])} with cosine decay; {study['pictures']} test "
        f"pictures. {'; '.join(study['hardware'])}. Commit {', '.join(study['commits'])}. In percent, means over "
        "seeds.",
        "",
        f"| | {' | '.join(MEASURES)} | {result['optimised']} of each seed | steps |",
        f"| --- |{' ---: |' * (len(MEASURES) + 2)}",
    ]
    for kind, row in result["rows"].items():
        cells = [f"{100 * row[measure]:.2f}" for measure in MEASURES]
        seeds = ", ".join(f"{100 * value:.2f}" for value in row.get("seeds", []))
        lines.append(f"| {kind} | {' | '.join(cells)} | {seeds} | {', '.join(map(str, row.get('steps', [])))} |")
    lines += [
        "",
        f"Reinforcement gains {100 * gain['mean']:.2f} [{100 * low:.2f}, {100 * high:.2f}] points of "
        f"{result['optimised']} over cross-entropy, p = {gain['p']:.4f} (paired bootstrap over test pictures, each "
        "with its mean over the seeds).",
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", choices=STUDIES)
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--output_dir", default="runs/rl_study", help="where the runs are")
    parser.add_argument("--results", default="experiments/results", help="where the table is written")
    parser.add_argument("--seeds", type=positive, default=3, help="how many seeds")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each kind from the checkpoint on")
    parser.add_argument("--size", type=positive, default=4000, help="test pictures, where scenes are sampled")
    parser.add_argument("--jobs", type=positive, default=2, help="runs at a time, each of one thread")
    options = parser.parse_args(arguments)
    name = options.language
    folder = Path(options.output_dir, name)
    runs = list_runs(name, folder, options.seeds, options.minutes, options.size, options.data_dir)
    try:
        execute_runs([runs["start"]], 1, f"{name}: the start")
        execute_runs([run for key, run in runs.items() if key != "start"], options.jobs, f"{name}: both kinds")
        evaluations = {key: run.read() for key, run in runs.items()}
    except (OSError, RunError, ValueError) as error:
        sys.exit(f"error: {error}")
    result = summarize(evaluations, STUDIES[name].optimised)
    result["study"] = {
        "start_minutes": evaluations["start"]["minutes"],
        "minutes": options.minutes,
        "seeds": options.seeds,
        "learning_rates": [evaluations[kind, 0]["training"]["learning_rate"] for kind in KINDS],
        "pictures": evaluations["start"]["counts"]["pictures"],
        "hardware": sorted({item["hardware"] for item in evaluations.values()}),
        "commits": sorted({str(item["commit"]) for item in evaluations.values()}),
    }
    table = as_markdown(name, result)
    write_json(Path(options.results, f"rl_study_{name}.json"), result)
    write_bytes(Path(options.results, f"rl_study_{name}.md"), table.encode())
    print(table)


if __name__ == "__main__":
    main()
