"""The metric folders: each loads with `evaluate`, its card's examples hold, and its scores are those of the core."""

import ast
import doctest
import io
import itertools
import json
from collections import Counter
from pathlib import Path

import evaluate
import numpy as np
import pytest
import yaml
from PIL import Image

from modeling_derender.binning import bin_objects
from modeling_derender.inference_error import inference_error
from modeling_derender.reconstruction_error import reconstruction_error
from modeling_derender.scoring import average_set_scores, count_matches, object_key, set_scores


ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "metrics").glob("*/requirements.txt"))
COPIES = {
    "derender_inference": {"binning.py", "inference_error.py"},
    "derender_iou": {"binning.py", "scoring.py"},
    "derender_reconstruction": {"reconstruction_error.py"},
}
RANGES = {"x": [0, 60], "y": [0, 40]}


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """`evaluate.load` takes a path relative to the working directory."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return request.param


def test_there_are_metrics():
    assert [folder.name for folder in FOLDERS] == sorted(COPIES)


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
    assert {path.name for path in copies} == COPIES[folder.name]
    for copy in copies:
        assert copy.read_bytes() == (ROOT / "modeling_derender" / copy.name).read_bytes(), copy


def test_copied_modules_import_none_of_their_folder(folder):
    """`evaluate` fetches what the main file imports from its folder, but not what these files import in turn."""
    for name in COPIES[folder.name]:
        nodes = ast.walk(ast.parse((folder / name).read_text(encoding="utf-8")))
        assert [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level] == []


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


def random_scenes(rng, count):
    """Pairs of lists of objects with coordinates in and around the ranges, some of them equal in their bins alone."""
    for _ in range(count):
        truth = [
            {"category": "ab"[rng.integers(2)], "x": int(rng.integers(-5, 70)), "y": int(rng.integers(-5, 50))}
            for _ in range(rng.integers(4))
        ]
        yield [item | {"x": item["x"] + int(rng.integers(3))} for item in truth[: rng.integers(5)]], truth


def binned(side):
    return [bin_objects(objects, RANGES) for objects in side]


def test_iou_binned_is_the_iou_of_objects_in_bins():
    predictions, references = map(list, zip(*random_scenes(np.random.default_rng(2), 50), strict=True))
    metric = evaluate.load("metrics/derender_iou")
    scores = metric.compute(predictions=predictions, references=references, ranges=RANGES)
    assert (
        scores.pop("iou_binned") == average_set_scores(binned(predictions), binned(references))["iou"] > scores["iou"]
    )
    assert scores == average_set_scores(predictions, references)


@pytest.mark.parametrize("category", [None, "category"])
def test_the_inference_metric_takes_lists_and_json_and_equals_the_pure_function(category):
    predictions, references = map(list, zip(*random_scenes(np.random.default_rng(3), 50), strict=True))
    metric = evaluate.load("metrics/derender_inference")
    expected = {"inference_error": inference_error(binned(predictions), binned(references), category)}
    assert metric.compute(predictions=predictions, references=references, ranges=RANGES, category=category) == expected
    as_json = {"predictions": list(map(json.dumps, predictions)), "references": list(map(json.dumps, references))}
    assert metric.compute(**as_json, ranges=RANGES, category=category) == expected
    for prediction, reference in zip(predictions, references, strict=True):
        metric.add(prediction=prediction, reference=reference)
    assert metric.compute(ranges=RANGES, category=category) == expected


def test_the_inference_metric_without_ranges_compares_values():
    predictions, references = map(list, zip(*random_scenes(np.random.default_rng(4), 50), strict=True))
    metric = evaluate.load("metrics/derender_inference")
    expected = {"inference_error": inference_error(predictions, references)}
    assert metric.compute(predictions=predictions, references=references) == expected


def random_pictures(rng, channels, count=3):
    shape = (count, 8, 9) if channels == 1 else (count, 8, 9, channels)
    reference = rng.integers(0, 256, shape, dtype=np.uint8)
    return np.where(rng.random(shape) < 0.4, rng.integers(0, 256, shape, dtype=np.uint8), reference), reference


@pytest.fixture(scope="module")
def reconstruction():
    return evaluate.load(str(ROOT / "metrics" / "derender_reconstruction"))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_reconstruction_metric_takes_arrays_and_pil_pictures_and_equals_the_pure_function(
    reconstruction, channels
):
    predictions, references = random_pictures(np.random.default_rng(5), channels)
    expected = {"reconstruction_error": reconstruction_error(predictions, references)}
    assert reconstruction.compute(predictions=predictions, references=references) == expected
    pictures = [list(map(Image.fromarray, side)) for side in (predictions, references)]
    assert reconstruction.compute(predictions=pictures[0], references=pictures[1]) == expected
    for prediction, reference in zip(predictions, pictures[1], strict=True):
        reconstruction.add(prediction=prediction, reference=reference)
    assert reconstruction.compute() == expected


def test_the_reconstruction_metric_takes_pairs_of_different_sizes(reconstruction):
    small, large = np.zeros((1, 2, 3), dtype=np.uint8), np.zeros((1, 3, 3), dtype=np.uint8)
    scores = reconstruction.compute(predictions=[small + np.uint8(99), large], references=[small, large])
    assert scores == {"reconstruction_error": 2 / 5}


def test_a_picture_that_came_from_a_jpeg_is_compared_as_it_is(reconstruction):
    """Datasets would write it as a JPEG once more, and so change its values."""
    picture, buffer = Image.fromarray(random_pictures(np.random.default_rng(6), 3)[0][0]), io.BytesIO()
    picture.save(buffer, format="JPEG")
    opened = Image.open(buffer)
    assert opened.format == "JPEG"
    values = np.asarray(opened)
    assert reconstruction.compute(predictions=[opened], references=[values]) == {"reconstruction_error": 0.0}


def test_a_picture_that_was_changed_after_opening_is_compared_as_it_is(reconstruction, tmp_path):
    """Datasets would read the file again."""
    Image.new("RGB", (2, 2)).save(tmp_path / "black.png")
    with Image.open(tmp_path / "black.png") as picture:
        picture.putpixel((0, 0), (255, 255, 255))
        scores = reconstruction.compute(predictions=[picture], references=[np.zeros((2, 2, 3), dtype=np.uint8)])
    assert scores == {"reconstruction_error": 0.25}


def test_the_reconstruction_metric_takes_paths(reconstruction, tmp_path):
    predictions, references = random_pictures(np.random.default_rng(7), 3, count=1)
    Image.fromarray(predictions[0]).save(tmp_path / "prediction.png")
    scores = reconstruction.compute(predictions=[str(tmp_path / "prediction.png")], references=references)
    assert scores == {"reconstruction_error": reconstruction_error(predictions, references)}


@pytest.mark.parametrize("mode", ["P", "1", "CMYK", "I;16"])
def test_pictures_whose_values_are_not_those_of_channels_are_refused(mode):
    metric = evaluate.load("metrics/derender_reconstruction")
    picture = Image.new(mode, (2, 2))
    with pytest.raises(ValueError, match=f"not {mode}: convert them"):
        metric.compute(predictions=[picture], references=[picture])


def test_arrays_that_are_not_uint8_are_refused():
    """Datasets would cut their values to eight bits."""
    metric = evaluate.load("metrics/derender_reconstruction")
    picture = np.full((2, 2, 3), 300)
    with pytest.raises(ValueError, match="uint8, not int64"):
        metric.compute(predictions=[picture], references=[picture])


def test_a_pair_of_different_sizes_is_refused_with_its_number():
    metric = evaluate.load("metrics/derender_reconstruction")
    small, large = np.zeros((2, 2, 3), dtype=np.uint8), np.zeros((2, 3, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"pair 1: the prediction is \(2, 2, 3\), the reference \(2, 3, 3\)"):
        metric.compute(predictions=[small, small], references=[small, large])
