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
SHARED = {"picture_by_picture.py": 3, "object_lists.py": 2}  # by how many metrics; the core has no use for them
OBJECT_METRICS = ("derender_inference", "derender_iou")
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


@pytest.mark.parametrize("name", SHARED)
def test_modules_that_metrics_share_are_equal(name):
    copies = [(folder / name).read_bytes() for folder in FOLDERS if (folder / name).exists()]
    assert len(copies) == SHARED[name]
    assert len(set(copies)) == 1


def test_copied_modules_import_none_of_their_folder(folder):
    """`evaluate` fetches what the main file imports from its folder, but not what these files import in turn."""
    for name in COPIES[folder.name] | {name for name in SHARED if (folder / name).exists()}:
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


@pytest.fixture(params=OBJECT_METRICS)
def of_objects(request):
    return evaluate.load(f"metrics/{request.param}")


def test_a_range_of_a_property_that_no_object_has_is_an_error(of_objects):
    pictures = [[], [{"kind": "a", "x": 1}]]
    with pytest.raises(ValueError, match="ranges: no object has the property 'X'; there are kind, x$"):
        of_objects.compute(predictions=pictures, references=pictures, ranges={"X": [0, 60]})


def test_a_category_that_no_object_has_is_an_error():
    metric, pictures = evaluate.load("metrics/derender_inference"), [[{"kind": "a", "x": 1}]]
    with pytest.raises(ValueError, match="category: no object has the property 'knd'; there are kind, x$"):
        metric.compute(predictions=pictures, references=pictures, category="knd")


def test_a_property_of_one_side_may_be_named(of_objects):
    assert of_objects.compute(predictions=[[]], references=[[{"x": 1}]], ranges={"x": [0, 60]})


def test_any_name_will_do_where_no_picture_has_objects(of_objects):
    assert of_objects.compute(predictions=[[]], references=[[]], ranges={"x": [0, 60]})


def test_a_value_without_a_bin_is_an_error_with_its_picture(of_objects):
    right, wrong = [{"x": 60}], [{"x": "60"}]
    with pytest.raises(ValueError, match="reference 1: 'x' is '60', and only a finite number has a bin"):
        of_objects.compute(predictions=[right, right], references=[right, wrong], ranges={"x": [0, 60]})


def test_a_wrong_range_is_an_error_about_the_ranges(of_objects):
    with pytest.raises(ValueError, match="^ranges: 'x' needs a low and a high"):
        of_objects.compute(predictions=[[{"x": 1}]], references=[[{"x": 1}]], ranges={"x": 500})


@pytest.mark.parametrize("objects", [{"x": 1}, '{"x": 1}', "[{", None, ["x"], [{"x": {1}}], [{(1, 2): 1}]], ids=repr)
def test_what_is_no_list_of_objects_is_an_error_with_its_picture(of_objects, objects):
    with pytest.raises(ValueError, match="prediction 1: the objects of a picture must be a list of dicts"):
        of_objects.compute(predictions=[[], objects], references=[[], []])


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.zeros(2)], ids=repr)
def test_a_property_with_several_values_is_an_error_that_names_it(of_objects, value):
    with pytest.raises(ValueError, match="prediction 0: 'x' is .* must be text, a number, a bool or None"):
        of_objects.compute(predictions=[[{"x": value}]], references=[[]])


def test_numpy_scalars_are_the_numbers_they_hold(of_objects):
    values = {"x": np.int64(3), "y": np.float32(0.5), "flip": np.bool_(True), "kind": np.str_("a")}
    plain = [{"x": 3, "y": 0.5, "flip": True, "kind": "a"}]
    expected = of_objects.compute(predictions=[plain], references=[plain])
    assert of_objects.compute(predictions=[[values]], references=[plain]) == expected


@pytest.mark.parametrize("side", [{"x": 1}, "[]", None], ids=repr)
def test_a_side_that_is_no_list_of_pictures_is_an_error(of_objects, side):
    with pytest.raises(ValueError, match="predictions must be a list with one entry a picture"):
        of_objects.compute(predictions=side, references=[[]])


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


@pytest.mark.parametrize(
    "give",
    [
        str,
        Path,
        lambda path: {"path": str(path), "bytes": None},
        lambda path: {"path": None, "bytes": path.read_bytes()},
    ],
    ids=["text", "path", "dict of a path", "dict of bytes"],
)
def test_the_reconstruction_metric_takes_files(reconstruction, tmp_path, give):
    predictions, references = random_pictures(np.random.default_rng(7), 3, count=1)
    Image.fromarray(predictions[0]).save(tmp_path / "prediction.png")
    scores = reconstruction.compute(predictions=[give(tmp_path / "prediction.png")], references=references)
    assert scores == {"reconstruction_error": reconstruction_error(predictions, references)}


@pytest.mark.parametrize("mode", ["P", "1", "CMYK", "I;16"])
def test_pictures_whose_values_are_not_those_of_channels_are_refused(mode):
    metric = evaluate.load("metrics/derender_reconstruction")
    picture = Image.new(mode, (2, 2))
    with pytest.raises(ValueError, match=f"reference 1: .* not {mode}: convert them"):
        metric.compute(predictions=[picture.convert("L")] * 2, references=[picture.convert("L"), picture])


def palette_file(path):
    Image.new("P", (2, 2)).save(path)


def broken_file(path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    first, *others = path.read_bytes().split(b"IDAT")
    path.write_bytes(b"IDAT".join([first, others[0]]) + b"\0\1\2\3" + b"IDAT".join(others[1:]))


@pytest.mark.parametrize("write", [palette_file, broken_file, lambda path: path.write_text("text"), lambda path: None])
def test_a_file_that_cannot_be_compared_is_an_error_with_its_picture_and_path(tmp_path, write):
    metric, picture = evaluate.load("metrics/derender_reconstruction"), np.zeros((2, 2, 3), dtype=np.uint8)
    write(tmp_path / "wrong.png")
    with pytest.raises(ValueError, match=r"prediction 1: .*wrong\.png: "):
        metric.compute(predictions=[picture, tmp_path / "wrong.png"], references=[picture, picture])


@pytest.mark.parametrize("picture", [None, 5, b"", [[0]], {"image": 1}], ids=repr)
def test_what_is_neither_picture_array_nor_path_is_refused_by_its_type(picture):
    metric = evaluate.load("metrics/derender_reconstruction")
    with pytest.raises(ValueError, match=f"prediction 0: pictures must be .* not {type(picture).__name__}"):
        metric.compute(predictions=[picture], references=[np.zeros((2, 2), dtype=np.uint8)])


def test_one_picture_where_a_list_belongs_is_refused():
    metric, picture = evaluate.load("metrics/derender_reconstruction"), Image.new("RGB", (2, 2))
    with pytest.raises(ValueError, match="predictions must be a list with one entry a picture"):
        metric.compute(predictions=picture, references=[picture])


def test_a_file_with_an_orientation_is_turned_and_an_opened_picture_is_not(reconstruction, tmp_path):
    values = random_pictures(np.random.default_rng(8), 3, count=1)[1][0]
    exif = Image.Exif()
    exif[274] = 3  # orientation: upside down
    Image.fromarray(values).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        scores = reconstruction.compute(
            predictions=[tmp_path / "turned.png", opened], references=[values[::-1, ::-1], values]
        )
    assert scores == {"reconstruction_error": 0.0}


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
