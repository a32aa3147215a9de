"""The metric folders: each loads with `evaluate`, its card's examples hold, and its scores are those of the core."""

import doctest
import itertools
import json
from collections import Counter
from pathlib import Path

import evaluate
import numpy as np
import pytest
import yaml

from modeling_derender.scoring import average_set_scores, count_matches, object_key, set_scores


ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "metrics").glob("*/requirements.txt"))


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """`evaluate.load` takes a path relative to the working directory."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return request.param


def test_there_are_metrics():
    assert "derender_iou" in [folder.name for folder in FOLDERS]


def test_loads(folder):
    metric = evaluate.load(f"metrics/{folder.name}")
    assert metric.info.description and metric.info.citation


def test_the_cards_examples_hold(folder):
    results = doctest.testfile(str(folder / "README.md"), module_relative=False, verbose=False)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_cards_front_matter_is_a_spaces(folder):
    _, header, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    front_matter = yaml.safe_load(header)
    assert front_matter["sdk"] == "gradio"
    assert (folder / front_matter["app_file"]).is_file()
    assert {"evaluate", "metric"} <= set(front_matter["tags"])


def test_copied_modules_are_the_cores_own(folder):
    """A metric folder stands alone on the Hub, so it holds copies; they must not drift."""
    core = {path.name for path in (ROOT / "modeling_derender").glob("*.py")} - {"__init__.py"}
    copies = [path for path in folder.glob("*.py") if path.name in core]
    for copy in copies:
        assert copy.read_bytes() == (ROOT / "modeling_derender" / copy.name).read_bytes(), copy


def test_derender_iou_holds_a_copy_of_scoring():
    assert (ROOT / "metrics" / "derender_iou" / "scoring.py").is_file()


def random_sets(rng, count):
    """Pairs of multisets from few objects, so that duplicates, overlaps and empty sides are all frequent."""
    pool = [{"category": "a", "x": x, "y": None if x else 1} for x in range(3)] + [{"category": "b", "x": 0}]
    for _ in range(count):
        yield tuple([pool[i] for i in rng.integers(len(pool), size=rng.integers(5))] for _ in range(2))


def matched_by_trying(prediction, reference):
    """The most pairs of equal objects, each used once, over all ways to line the two sides up."""
    short, long = sorted((prediction, reference), key=len)
    clean = [{name: value for name, value in item.items() if value is not None} for item in short]
    lineups = itertools.permutations([{k: v for k, v in item.items() if v is not None} for item in long], len(short))
    return max(sum(map(dict.__eq__, clean, lineup)) for lineup in lineups)


def test_scores_equal_brute_force():
    kinds = Counter()
    for prediction, reference in random_sets(np.random.default_rng(0), 400):
        scores = set_scores(prediction, reference)
        matched = matched_by_trying(prediction, reference)
        assert count_matches(prediction, reference) == matched
        union = len(prediction) + len(reference) - matched
        assert scores["iou"] == (matched / union if union else 1)
        assert scores["f1"] == (2 * matched / (union + matched) if union else 1)
        assert scores["precision"] == (matched / len(prediction) if prediction else float(not reference))
        assert scores["recall"] == (matched / len(reference) if reference else float(not prediction))
        kinds["empty"] += not union
        kinds["repeated"] += len(set(map(object_key, prediction))) < len(prediction)
        kinds["partial"] += 0 < scores["iou"] < 1
    assert min(kinds["empty"], kinds["repeated"], kinds["partial"]) > 5


def test_precision_of_nothing_predicted_and_recall_of_nothing_true_are_zero():
    one = [{"category": "a"}]
    assert set_scores([], one) == set_scores(one, []) == {"precision": 0, "recall": 0, "f1": 0, "iou": 0}


def test_the_metric_takes_lists_and_json_and_equals_the_plain_average():
    predictions, references = map(list, zip(*random_sets(np.random.default_rng(1), 50), strict=True))
    metric = evaluate.load("metrics/derender_iou")
    expected = average_set_scores(predictions, references)
    assert metric.compute(predictions=predictions, references=references) == expected
    as_json = {"predictions": list(map(json.dumps, predictions)), "references": list(map(json.dumps, references))}
    assert metric.compute(**as_json) == expected
    for prediction, reference in zip(predictions, references, strict=True):
        metric.add(prediction=prediction, reference=reference)
    assert metric.compute() == expected


def test_thresholds_count_pictures():
    objects = [{"category": "a", "x": x} for x in range(5)]
    scores = average_set_scores([objects[:3], objects[:4], objects, []], [objects] * 4)
    assert (scores["iou_1.0"], scores["iou_0.8"], scores["iou_0.6"]) == (0.25, 0.5, 0.75)
    assert scores["iou"] == pytest.approx((0.6 + 0.8 + 1) / 4)


def test_nothing_to_score_is_an_error():
    with pytest.raises(ValueError, match="no pictures"):
        average_set_scores([], [])
    with pytest.raises(ValueError, match="2 predictions for 1"):
        average_set_scores([[], []], [[]])
