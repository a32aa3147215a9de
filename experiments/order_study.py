"""Does the order of the objects matter? The paper's section 7.1 at CPU scale: python -m experiments.order_study

Trains both decoders on Noisy Shapes with the objects in each order, with two seeds, on scenes of 4 to 8 objects
(configs/order_study.yaml), and scores all on the same test pictures. The same command again goes on where it was
stopped. Writes order_study.json, .md and .png: scores with bootstrap intervals over the test pictures, and a plot.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from derender.cli import positive
from derender_training.result_file import write_bytes, write_json
from experiments.bootstrap import describe_difference, find_interval, resample_means
from experiments.order_plot import plot_orders
from experiments.order_table import MEASURES, as_markdown
from experiments.runs import Run, RunError, execute_runs


RECIPE = "configs/order_study.yaml"
DECODERS = {"lstm": {}, "transformer": {"norm_position": "before", "ffn_dim": 256}}
ORDERS = ("type", "size", "position", "random")
SCENE = ("--scene.min_objects", "4", "--scene.max_objects", "8")


def list_runs(folder: Path, seeds: int, size: int) -> dict[tuple[str, str, int], Run]:
    """The runs by decoder, order and seed, to be scored on `size` pictures.

    Both decoders with all orders come first with the one seed and then with the next.
    """
    evaluate = ("--data", "noisy_shapes", "--split", "test", "--size", str(size), *SCENE)
    runs = {}
    for seed, order, decoder in product(range(seeds), ORDERS, DECODERS):
        options = {"decoder_type": decoder, **DECODERS[decoder]}
        model = [part for name, value in options.items() for part in (f"--model.{name}", str(value))]
        name = f"{decoder}_{order}_{seed}"
        arguments = (RECIPE, "--order", order, "--seed", str(seed), *model)
        runs[decoder, order, seed] = Run(name, folder / name, arguments, evaluate)
    return runs


def summarize(evaluations: dict[tuple[str, str, int], dict]) -> list[dict]:
    """A row for each decoder and order: each measure's mean, interval, mean of each seed, and loss against "type".

    `evaluations` are results of eval.py by decoder, order and seed, of the same pictures. A picture's score is its
    mean over the seeds; the intervals (95%) are of the mean over the test pictures, so they tell what the choice of
    pictures decides, not what the seeds do. `lost` is the mean by type less this one's, paired by picture, with its
    interval and p-value; `lost_more`, in the LSTM's rows, is its loss less the Transformer's of the same order.
    """
    seeds = sorted({seed for *_, seed in evaluations})
    cells = list(product(DECODERS, ORDERS))
    rows = [{"decoder": decoder, "order": order} for decoder, order in cells]
    bases = [cells.index((decoder, "type")) for decoder, _ in cells]
    for measure in MEASURES:
        by_seed = np.array([[by_picture(evaluations[*cell, seed], measure) for seed in seeds] for cell in cells])
        means, resampled = by_seed.mean(axis=(1, 2)), resample_means(by_seed.mean(axis=1).T).T
        lost, lost_resampled = means[bases] - means, resampled[bases] - resampled
        for index, row in enumerate(rows):
            row[measure] = {
                "mean": float(means[index]),
                "interval": find_interval(resampled[index]),
                "seeds": by_seed[index].mean(axis=1).tolist(),
                "lost": describe_difference(lost[index], lost_resampled[index]),
            }
        for lstm, transformer in enumerate(range(len(ORDERS), len(cells))):  # the cells of one order
            more, resampled_more = lost[lstm] - lost[transformer], lost_resampled[lstm] - lost_resampled[transformer]
            rows[lstm][measure]["lost_more"] = describe_difference(more, resampled_more)
    return rows


def by_picture(evaluation: dict, measure: str) -> np.ndarray:
    """One measure of each picture of an evaluation."""
    iou = np.array([prediction["iou"] for prediction in evaluation["predictions"]])
    # With m of p + t objects matched, IOU is m / (p + t - m) and F1 is 2 m / (p + t).
    return {"iou": iou, "f1": 2 * iou / (1 + iou), "iou_1.0": (iou == 1).astype(float)}[measure]


def describe_study(evaluations: dict[tuple[str, str, int], dict]) -> dict:
    """Where the numbers come from: commits, hardware, steps, pictures, seeds and minutes of the runs.

    Raises ValueError where not all were scored on the same pictures or trained with the same size and threads.
    """
    first = next(iter(evaluations.values()))
    common = _common(first)
    for key, evaluation in evaluations.items():
        for name, value in _common(evaluation).items():
            if value != common[name]:
                raise ValueError(f"{key}: its {name} are not those of the other runs")
    minutes = {
        decoder: [evaluation["minutes"] for (kind, *_), evaluation in evaluations.items() if kind == decoder]
        for decoder in DECODERS
    }
    return {
        "recipe": RECIPE,
        "commits": sorted({str(evaluation["commit"]) for evaluation in evaluations.values()}),
        "hardware": sorted({evaluation["hardware"] for evaluation in evaluations.values()}),
        "batch_size": first["training"]["batch_size"],
        "image_size": first["training"]["image_size"],
        "scene": first["training"]["scene"],
        "threads_a_run": first["training"]["num_threads"],
        "steps": sorted({evaluation["steps"] for evaluation in evaluations.values()}),
        "test_pictures": first["counts"]["pictures"],
        "seeds": sorted({seed for *_, seed in evaluations}),
        "minutes_a_run": {decoder: [min(values), max(values)] for decoder, values in minutes.items()},
        "minutes_of_all_runs": sum(map(sum, minutes.values())),
    }


def _common(evaluation: dict) -> dict:
    """What has to be the same in all runs."""
    names = ("batch_size", "image_size", "scene", "num_threads", "steps")
    references = [prediction["reference"] for prediction in evaluation["predictions"]]
    return {"test pictures": references, **{name: evaluation["training"][name] for name in names}}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", default="runs/order_study", help="where the runs are")
    parser.add_argument("--results", default="experiments/results", help="where table and plot are written")
    parser.add_argument("--seeds", type=positive, default=2, help="how many seeds, from 0")
    parser.add_argument("--size", type=positive, default=1000, help="test pictures")
    parser.add_argument("--jobs", type=positive, default=2, help="runs at a time, each of one thread")
    parser.add_argument("--summary_only", action="store_true", help="only write the table again, of runs all done")
    options = parser.parse_args(arguments)
    runs = list_runs(Path(options.output_dir), options.seeds, options.size)
    try:
        if not options.summary_only:
            execute_runs(list(runs.values()), options.jobs, "order study")
        evaluations = {key: run.read() for key, run in runs.items()}
        result = {"study": describe_study(evaluations), "rows": summarize(evaluations)}
    except (OSError, RunError, ValueError) as error:
        sys.exit(f"error: {error}")
    folder = Path(options.results)
    table = as_markdown(result)
    write_json(folder / "order_study.json", result)
    write_bytes(folder / "order_study.md", table.encode())
    write_bytes(folder / "order_study.png", plot_orders(result["rows"]))
    print(table)


if __name__ == "__main__":
    main()
