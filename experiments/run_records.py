"""What is kept of a run that is done: options, scores, the counts of each test picture, the learning curve.

A record is a small file that is committed. With it a run counts as done on a machine that has not carried it out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

from derender_training.result_file import read_evaluation, write_bytes
from derender_training.scores import SCORES
from experiments.runs import Run, are_alike, portable
from modeling_derender.scoring import IOU_THRESHOLDS, count_matches


# Of each test picture: objects that match, were predicted and are true; the scores that do not follow from these.
COUNTS = ("matched", "predicted", "true")
OTHERS = ("iou_binned", "inference_error", "reconstruction_error")
DIGITS = 5
CURVE = "validation"
INSTEAD = "vision_encoder_decoder"  # the record of what one would pick instead


def make_record(run: Run) -> dict:
    """The record of a run that is done; RunError where it is not."""
    result = run.read()
    more = {name: read_evaluation(run.folder / f"{name}.json") for name, _ in run.more}
    return {
        "commands": portable(run.commands),
        "training": {**result["training"], "data_dir": None},
        **{name: result[name] for name in ("minutes", "steps", "best_step", "commit", "hardware")},
        "images_per_second": result["steps"] * result["training"]["batch_size"] / result["minutes"] / 60,
        "scores": _scores(result),
        "more": {name: {**_scores(item), "pictures": item["counts"]["pictures"]} for name, item in more.items()},
        "pictures": describe_pictures(result["predictions"]),
        "curve": read_curve(run.output_dir / "tensorboard"),
    }


def _scores(result: dict) -> dict:
    return {name: result[name] for name in (*SCORES, "images_per_second")}


def describe_pictures(predictions: Sequence[dict]) -> dict[str, list]:
    columns = {name: [] for name in (*COUNTS, *OTHERS)}
    for item in predictions:
        sides = item["objects"], item["reference"]
        numbers = dict(zip(COUNTS, (count_matches(*sides), *map(len, sides)), strict=True))
        numbers |= {name: round(item[name], DIGITS) for name in OTHERS if item[name] is not None}
        for name, value in numbers.items():
            columns[name].append(value)
    return columns


def read_curve(folder: Path) -> dict[str, list]:
    """A run's validation scores by step, as its TensorBoard has them: {"step": [...], "iou": [...], ...}."""
    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0}).Reload()
    curve = {}
    for tag in events.Tags()["scalars"]:
        group, name = tag.split("/", 1)
        if group == CURVE:
            points = events.Scalars(tag)
            curve["step"] = [point.step for point in points]
            curve[name] = [round(point.value, DIGITS) for point in points]
    return curve


def write_record(path: Path, record: dict) -> None:
    write_bytes(path, (json.dumps(record) + "\n").encode())


def read_record(path: Path, run: Run) -> dict | None:
    """The record of `run` there; None where there is none, or one of other commands or another recipe."""
    try:
        record = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    if not are_alike(record["commands"], run.commands) or not run.has_options(record["training"]):
        return None
    return record


def by_picture(record: dict, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """A measure of each test picture and its weight in the mean: the properties to be inferred, or 1."""
    pictures = {name: np.asarray(values, np.float64) for name, values in record["pictures"].items()}
    matched, predicted, true = (pictures[name] for name in COUNTS)
    iou, both = _ratio(matched, predicted + true - matched), predicted + true
    values = {
        "precision": np.where(both == 0, 1.0, _ratio(matched, predicted, 0.0)),
        "recall": np.where(both == 0, 1.0, _ratio(matched, true, 0.0)),
        "f1": _ratio(2 * matched, both),
        "iou": iou,
        **{f"iou_{threshold}": (iou >= threshold).astype(float) for threshold in IOU_THRESHOLDS},
        **{name: pictures[name] for name in OTHERS},
    }
    if measure == "inference_error":  # a micro average: every property counts alike, and objects have equally many
        return values[measure], np.maximum(predicted, true)
    return values[measure], np.ones_like(true)


def _ratio(part: np.ndarray, whole: np.ndarray, of_nothing: float = 1.0) -> np.ndarray:
    return np.divide(part, whole, out=np.full_like(part, of_nothing), where=whole > 0)
