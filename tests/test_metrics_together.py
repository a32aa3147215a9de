"""The metrics as `evaluate` uses them: from any folder, combined, in batches, by several processes."""

import json
import subprocess
import sys
from pathlib import Path

import evaluate
import numpy as np
import pytest


METRICS = Path(__file__).parents[1] / "metrics"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def random_pairs(count: int) -> list:
    """Predicted and true objects of some pictures."""
    rng = np.random.default_rng(0)
    pool = [{"category": "a", "x": x} for x in range(3)]
    return [[[pool[i] for i in rng.integers(3, size=rng.integers(4))] for _ in range(2)] for _ in range(count)]


def sides(pairs: list) -> dict:
    return {"predictions": [pair[0] for pair in pairs], "references": [pair[1] for pair in pairs]}


@pytest.mark.parametrize("name", ["derender_iou", "derender_inference", "derender_reconstruction"])
def test_a_metric_loads_from_any_folder(name):
    assert evaluate.load(str(METRICS / name)).info.description


def test_two_metrics_combined_say_what_each_says():
    data = sides(random_pairs(9))
    each = [evaluate.load(str(METRICS / name)) for name in ("derender_iou", "derender_inference")]
    expected = each[0].compute(**data) | each[1].compute(**data)
    assert evaluate.combine(each).compute(**data) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["derender_iou", "derender_inference"])
def test_batches_say_what_the_whole_says(name):
    pairs, metric = random_pairs(7), evaluate.load(str(METRICS / name))
    for start in range(0, 7, 3):
        metric.add_batch(**sides(pairs[start : start + 3]))
    assert metric.compute() == metric.compute(**sides(pairs))


@pytest.mark.parametrize("name", ["derender_iou", "derender_inference"])
def test_two_processes_say_what_one_says(name, tmp_path):
    pairs = random_pairs(11)
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    script = Path(__file__).with_name("metric_process.py")
    processes = [
        subprocess.Popen(
            [sys.executable, script, METRICS / name, tmp_path / "cache", str(number), "2", tmp_path / "pairs.json"],
            stdout=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    output, _ = processes[0].communicate(timeout=120)
    assert [process.wait(60) for process in processes] == [0, 0]
    assert json.loads(output) == pytest.approx(evaluate.load(str(METRICS / name)).compute(**sides(pairs)))
