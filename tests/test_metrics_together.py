"""The metrics as `evaluate` uses them: from any folder, combined, in batches, by several processes."""

import json
import subprocess
import sys
from pathlib import Path

import evaluate
import numpy as np
import pytest
from PIL import Image


METRICS = Path(__file__).parents[1] / "metrics"
NAMES = ("derender_iou", "derender_inference", "derender_reconstruction")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def random_pairs(count: int) -> list:
    """Predicted and true objects of some pictures."""
    rng = np.random.default_rng(0)
    pool = [{"category": "a", "x": x} for x in range(3)]
    return [[[pool[i] for i in rng.integers(3, size=rng.integers(4))] for _ in range(2)] for _ in range(count)]


def random_pictures(count: int, folder: Path) -> list:
    """Pairs of pictures, as files."""
    rng, pairs = np.random.default_rng(0), []
    for number in range(count):
        paths = [str(folder / f"{number}_{side}.png") for side in range(2)]
        for path in paths:
            Image.fromarray(rng.integers(0, 2, (4, 5), dtype=np.uint8) * 255).save(path)
        pairs.append(paths)
    return pairs


def pairs_for(name: str, count: int, folder: Path) -> list:
    return random_pictures(count, folder) if name == "derender_reconstruction" else random_pairs(count)


def sides(pairs: list) -> dict:
    return {"predictions": [pair[0] for pair in pairs], "references": [pair[1] for pair in pairs]}


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_loads_from_any_folder(name):
    assert evaluate.load(str(METRICS / name)).info.description


def test_pages_of_objects_are_one():
    """Each folder stands alone, so it holds a copy."""
    pages = [(METRICS / name / "app.py").read_bytes() for name in ("derender_iou", "derender_inference")]
    assert pages[0] == pages[1]


def test_two_metrics_combined_say_what_each_says():
    data = sides(random_pairs(9))
    each = [evaluate.load(str(METRICS / name)) for name in ("derender_iou", "derender_inference")]
    expected = each[0].compute(**data) | each[1].compute(**data)
    assert evaluate.combine(each).compute(**data) == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_batches_say_what_the_whole_says(name, tmp_path):
    pairs, metric = pairs_for(name, 7, tmp_path), evaluate.load(str(METRICS / name))
    for start in range(0, 7, 3):
        metric.add_batch(**sides(pairs[start : start + 3]))
    assert metric.compute() == metric.compute(**sides(pairs))


def test_two_processes_say_what_one_says(tmp_path):
    every, data = {name: pairs_for(name, 11, tmp_path) for name in NAMES}, []
    for name, pairs in every.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(pairs))
        data += [METRICS / name, tmp_path / f"{name}.json"]
    command = [sys.executable, Path(__file__).with_name("metric_process.py"), tmp_path / "cache"]
    processes = [
        subprocess.Popen([*command, str(number), "2", *data], stdout=subprocess.PIPE, text=True)
        for number in range(2)
    ]  # fmt: skip
    output, _ = processes[0].communicate(timeout=120)
    assert [process.wait(60) for process in processes] == [0, 0]
    for line, (name, pairs) in zip(output.splitlines(), every.items(), strict=True):
        assert json.loads(line) == pytest.approx(evaluate.load(str(METRICS / name)).compute(**sides(pairs)))
