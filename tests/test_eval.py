"""eval.py scores any data: its table, its JSON and its errors, on a tiny random model of the toy language."""

import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from launched import launch
from PIL import Image
from tiny_checkpoint import save_tiny_checkpoint
from toy_folder import write_toy_folder

from datasets_scripts import load_language_folder
from datasets_scripts.build import build
from datasets_scripts.evaluation_data import EvaluationData, take
from datasets_scripts.scenes import FreshScenes, RenderError
from derender_training.evaluation import predict
from derender_training.model_folder import open_model
from derender_training.result_file import write_json
from modeling_derender.inference_error import inference_error
from modeling_derender.scoring import average_set_scores


ROOT = Path(__file__).parents[1]
SCORES = ["precision", "recall", "f1", "iou", "iou_1.0", "iou_0.8", "iou_0.6", "iou_binned"]


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(f"{name}_script", ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the names in their annotations
    spec.loader.exec_module(module)
    return module


eval_script = load_script("eval")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """toy/ (a language's folder), model/ (a checkpoint) and pictures/ (an imagefolder of five scenes)."""
    workplace = tmp_path_factory.mktemp("eval")
    toy = load_language_folder(str(write_toy_folder(workplace)))
    save_tiny_checkpoint(workplace / "model", toy.LANGUAGE)
    (workplace / "pictures").mkdir()
    with open(workplace / "pictures" / "metadata.jsonl", "w") as metadata:
        for number, scene in enumerate(FreshScenes(toy, (32, 32), length=5).__getitems__(list(range(5)))):
            Image.fromarray(scene["image"]).save(workplace / "pictures" / f"{number}.png")
            metadata.write(json.dumps({"file_name": f"{number}.png", "objects": scene["objects"]}) + "\n")
    return workplace


@pytest.fixture
def evaluate(workplace, tmp_path, capsys):
    """Run eval.py on the model; returns its JSON and what it printed."""

    def run(*arguments, model="model"):
        arguments = ["--model", str(workplace / model), *map(str, arguments), "--device", "cpu", "--batch_size", "2"]
        eval_script.main([*arguments, "--json", str(tmp_path / "result.json")])
        return json.loads((tmp_path / "result.json").read_text()), capsys.readouterr().out

    return run


def error_of(evaluate, *arguments, **options) -> str:
    with pytest.raises(SystemExit) as caught:
        evaluate(*arguments, **options)
    return str(caught.value)


def run_two_processes(workplace, data, *arguments) -> subprocess.CompletedProcess:
    return launch("eval.py", "--model", workplace / "model", "--data", data, "--batch_size", "2", *arguments)


def test_two_processes_say_what_one_says(evaluate, workplace, tmp_path):
    show = ("--show", "1", "--show_dir", tmp_path)
    run = run_two_processes(workplace, workplace / "pictures", "--json", tmp_path / "two.json", *show)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("pictures             5") == 1 and run.stderr.count(" 0/5 ") == 1
    two, (one, _) = json.loads((tmp_path / "two.json").read_text()), evaluate("--data", workplace / "pictures")
    names = [*SCORES, "counts", "inference_error", "reconstruction_error"]
    assert {name: two[name] for name in names} == {name: one[name] for name in names}
    for prediction in two["predictions"]:
        prediction.pop("confidences")
    assert two["predictions"] == one["predictions"]


def test_an_error_in_one_process_is_told_once(workplace, tmp_path):
    shutil.copytree(workplace / "pictures", tmp_path / "pictures")
    (tmp_path / "pictures" / "3.png").write_bytes(b"no picture")  # of the second batch, and so of the second process
    run = run_two_processes(workplace, tmp_path / "pictures")
    assert run.returncode != 0 and run.stderr.count("error: ") == 1
    assert "metadata.jsonl, line 4: " in run.stderr


def test_imagefolder(evaluate, workplace):
    result, printed = evaluate("--data", workplace / "pictures")
    predictions = result["predictions"]
    assert [item["file_name"] for item in predictions] == [f"{number}.png" for number in range(5)]
    lines = (workplace / "pictures" / "metadata.jsonl").read_text().splitlines()
    assert [item["reference"] for item in predictions] == [json.loads(line)["objects"] for line in lines]
    sides = [[item[side] for item in predictions] for side in ("objects", "reference")]
    expected = average_set_scores(*sides)
    assert {name: result[name] for name in expected} == expected
    assert result["iou_binned"] == result["iou"]  # each of the toy's coordinates has a bin of its own
    assert result["inference_error"] == inference_error(*sides, "category")
    assert np.mean([item["iou"] for item in predictions]) == pytest.approx(result["iou"])
    for name in SCORES:
        assert f"{name:<20} {result[name]:.4f}" in printed
    assert f"{result['counts']['true']} true, {result['counts']['predicted']} predicted" in printed
    assert result["hardware"] in printed and "images/s" in printed


def test_json_says_where_it_comes_from(evaluate, workplace):
    result, _ = evaluate("--data", workplace / "pictures", "--seed", 3)
    assert result["model"] == str(workplace / "model")
    assert result["data"] == str(workplace / "pictures")
    assert result["seed"] == 3 and result["language"] == "toy"
    assert {"command", "commit", "hardware"} <= set(result)
    assert set(result["counts"]) == {"pictures", "true", "predicted", "matched"}
    assert result["counts"]["pictures"] == 5


def test_perfect_predictions_score_one(evaluate, workplace, monkeypatch):
    """The scores are those of what the model predicts: with the truth in its place they are 1."""
    monkeypatch.setattr(eval_script, "predict", lambda *given, **_: [example["objects"] for example in given[2]])
    result, _ = evaluate("--data", workplace / "pictures")
    assert {result[name] for name in SCORES} == {1.0} and result["inference_error"] == 0
    assert result["counts"]["true"] == result["counts"]["predicted"] == result["counts"]["matched"] > 5


def test_what_cannot_be_drawn_says_why(evaluate, workplace):
    """The pictures' folder does not tell where the language's is."""
    result, printed = evaluate("--data", workplace / "pictures")
    assert result["reconstruction_error"] is None and result["average_error"] is None
    assert "no language 'toy' here: name its folder by --language" in result["not_drawn"]
    assert result["not_drawn"] in printed


def test_the_errors_and_their_average(evaluate, workplace):
    result, printed = evaluate("--data", workplace / "pictures", "--language", workplace / "toy")
    toy, pixels = load_language_folder(str(workplace / "toy")), 0
    for item in result["predictions"]:
        buckets = [toy.render(item[side]).astype(int) * 20 // 256 for side in ("objects", "reference")]
        pixels += (buckets[0] != buckets[1]).sum()
    assert 0 < result["reconstruction_error"] == pixels / (5 * 32 * 32)
    assert result["average_error"] == (result["inference_error"] + result["reconstruction_error"]) / 2
    assert f"{'average_error':<20} {result['average_error']:.4f}" in printed


def test_a_folder_of_another_language_is_refused(evaluate, workplace):
    message = error_of(evaluate, "--data", workplace / "pictures", "--language", "noisy_shapes")
    assert "noisy_shapes: its language noisy_shapes 1 is not the model's, toy 1" in message


def test_limit_takes_the_first(evaluate, workplace):
    whole, _ = evaluate("--data", workplace / "pictures")
    part, _ = evaluate("--data", workplace / "pictures", "--limit", 3)
    assert part["predictions"] == whole["predictions"][:3]


@pytest.mark.parametrize(("num_beams", "grammar"), [(3, True), (1, False)])
def test_beams_and_no_grammar(evaluate, workplace, num_beams, grammar):
    how = ["--num_beams", num_beams, *([] if grammar else ["--no-grammar"])]
    plain, result = (evaluate("--data", workplace / "pictures", *options)[0] for options in ((), how))
    assert (result["num_beams"], result["grammar"]) == (num_beams, grammar)
    model, processor = open_model(str(workplace / "model"))
    examples = take(EvaluationData(str(workplace / "pictures")).open(model.language), range(5))
    expected = predict(model, processor, examples, 2, num_beams, use_grammar=grammar)
    read, without = ([item["objects"] for item in scored["predictions"]] for scored in (result, plain))
    assert read == expected != without


def test_augmentation_is_asked_for_and_told(evaluate, workplace):
    """That of the model's own config as well."""
    arguments = ["--data", workplace / "pictures"]
    plain, augmented = evaluate(*arguments)[0], evaluate(*arguments, "--tta")[0]
    assert (plain["test_time_augmentation"], augmented["test_time_augmentation"]) == (False, True)
    shutil.copytree(workplace / "model", workplace / "augmented")
    config = json.loads((workplace / "augmented" / "config.json").read_text())
    (workplace / "augmented" / "config.json").write_text(json.dumps(config | {"test_time_augmentation": True}))
    own, _ = evaluate(*arguments, model="augmented")
    assert own["test_time_augmentation"] is True and own["predictions"] == augmented["predictions"]


def test_fresh_scenes_are_the_streams(evaluate, workplace):
    arguments = ["--data", workplace / "toy", "--size", 4, "--split", "validation", "--seed", 2]
    result, _ = evaluate(*arguments, "--scene.max_objects", 5)
    toy = load_language_folder(str(workplace / "toy"))
    scenes = FreshScenes(toy, (32, 32), seed=2, split="validation", max_objects=5).__getitems__(list(range(4)))
    assert [item["reference"] for item in result["predictions"]] == [scene["objects"] for scene in scenes]
    again = EvaluationData(result["data"], **result["data_options"]).open(toy.LANGUAGE)
    for example, scene in zip(take(again, [0, 1, 2, 3]), scenes, strict=True):
        assert np.array_equal(example["image"], scene["image"])


def test_renderer_by_name(evaluate, workplace):
    data = EvaluationData(str(workplace / "toy"), size=1, render="negative")
    toy = load_language_folder(str(workplace / "toy"))
    (example,) = take(data.open(toy.LANGUAGE), [0])
    assert np.array_equal(example["image"], 255 - toy.render(example["objects"]))
    result, _ = evaluate("--data", workplace / "toy", "--size", 1, "--render", "negative")
    assert result["data_options"]["render"] == "negative"


def test_built_data_set(evaluate, workplace, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    toy = load_language_folder(str(workplace / "toy"))
    output = build(toy.Builder, tmp_path / "built", train_size=3, test_size=2)
    fresh, _ = evaluate("--data", workplace / "toy", "--size", 2)
    for arguments in ([], ["--split", "test"]):
        built, _ = evaluate("--data", output, *arguments, "--language", workplace / "toy")
        assert built["predictions"] == fresh["predictions"]
    assert len(evaluate("--data", output, "--split", "train")[0]["predictions"]) == 3
    assert "Unknown split" in error_of(evaluate, "--data", output, "--split", "validation")


def write_rows(folder: Path, monkeypatch, **changed) -> Path:
    """A folder with a parquet file of one row, some of its columns changed; a column of None is left out."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder / "cache")
    picture = io.BytesIO()
    Image.new("L", (32, 32)).save(picture, "PNG")
    columns = {"image": {"bytes": picture.getvalue(), "path": None}, "objects": [{"category": "dot", "x": 1, "y": 2}]}
    columns = {name: [value] for name, value in {**columns, **changed}.items() if value is not None}
    rows = datasets.Dataset.from_dict(columns)
    if isinstance(columns.get("image", [None])[0], dict):
        rows = rows.cast_column("image", datasets.Image())
    (folder / "data").mkdir(parents=True)
    rows.to_parquet(folder / "data" / "test.parquet")
    return folder / "data"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"objects": None}, ", test: has no column 'objects'"),
        ({"image": None}, ", test: has no column 'image'"),
        ({"image": {"bytes": b"no picture", "path": None}}, ", test, row 0: its picture cannot be read"),
        ({"image": "a.png"}, ", test, row 0: its 'image' is no picture"),
        ({"objects": [{"category": "star"}]}, ", test, row 0: object 1: unknown category 'star'"),
    ],
)
def test_a_built_data_set_that_cannot_be_used_is_named(evaluate, tmp_path, monkeypatch, changed, message):
    folder = write_rows(tmp_path / "rows", monkeypatch, **changed)
    assert error_of(evaluate, "--data", folder).startswith(f"error: {folder}{message}")


def test_a_parquet_file_that_is_damaged_is_named(evaluate, tmp_path, monkeypatch):
    folder = write_rows(tmp_path / "rows", monkeypatch)
    assert len(evaluate("--data", folder)[0]["predictions"]) == 1
    for damage in (bytes(500), b""):
        (folder / "test.parquet").write_bytes(damage)
        assert error_of(evaluate, "--data", folder).startswith(f"error: {folder}: Datasets cannot open it: ")


def test_fresh_scenes_are_as_many_as_the_builder_draws():
    language = load_language_folder("noisy_shapes").LANGUAGE
    assert len(EvaluationData("noisy_shapes", "test").open(language)) == 1_000
    assert len(EvaluationData("noisy_shapes", "test", limit=5).open(language)) == 5
    assert len(EvaluationData("noisy_shapes", "test", size=7, limit=9).open(language)) == 7
    with pytest.raises(ValueError, match="give --size"):
        EvaluationData("noisy_shapes", "validation").open(language)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("nowhere", [], "nowhere: no such folder, nor a language: abstract_scenes, noisy_shapes"),
        ("toy", ["--split", "tests"], "unknown split 'tests'"),
        ("model", [], "holds neither metadata.jsonl nor parquet files"),
        ("toy", ["--split", "validation"], "give --size"),
        ("toy", ["--size", 2, "--render", "oil"], "unknown renderer 'oil'; known: noisy, negative"),
        ("toy", ["--size", 2, "--split", "tests"], "unknown split 'tests'"),
        (
            "toy",
            ["--size", 2, "--scene.colour", "red"],
            "--scene.colour: the language's sample_scene has no such option",
        ),
        (
            "toy",
            ["--size", 2, "--scene.seed", 3],
            "--scene.seed: the language's sample_scene has no such option; known: max_objects",
        ),
        ("pictures", ["--size", 2], "is an imagefolder, which takes no --size"),
        ("pictures", ["--split", "test"], "is an imagefolder, which takes no --split"),
    ],
)
def test_data_that_does_not_fit_is_named(evaluate, workplace, data, options, message):
    assert message in error_of(evaluate, "--data", workplace / data, *options)


# Confidences, and pictures of where the model looked


@pytest.mark.parametrize("model", ["model", "without_attention"])
def test_what_the_model_read_is_shown(evaluate, workplace, tmp_path, model):
    if model != "model" and not (workplace / model).exists():
        toy = load_language_folder(str(workplace / "toy"))
        save_tiny_checkpoint(workplace / model, toy.LANGUAGE, decoder_type="lstm", lstm_attention="none")
    folder = tmp_path / "show"
    options = ["--data", workplace / "pictures", "--language", workplace / "toy"]
    result, printed = evaluate(*options, "--show", 3, "--show_dir", folder, model=model)
    names = ["picture_000.png", "picture_001.png", "picture_002.png", "reliability.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        with Image.open(folder / name) as image:
            assert min(image.size) > 100
    plain, _ = evaluate(*options, model=model)
    assert "calibration" not in plain and "confidences" not in plain["predictions"][0]
    for shown, unshown in zip(result["predictions"], plain["predictions"], strict=True):
        assert shown["objects"] == unshown["objects"]
        assert len(shown["confidences"]) == len(shown["objects"])
        assert all(0 < confidence <= 1 for confidence in shown["confidences"])
    assert result["calibration"]["objects"] == result["counts"]["predicted"] > 0
    assert f"{result['calibration']['expected_calibration_error']:.4f} (expected calibration error)" in printed


def test_confidences_want_the_grammar(evaluate, workplace, capsys):
    assert error_of(evaluate, "--data", workplace / "pictures", "--show", 1, "--no-grammar") == "2"
    assert "--show: confidences are shares of what the grammar allows" in capsys.readouterr().err


def test_a_folder_to_show_in_that_cannot_be_used_is_named(evaluate, workplace, tmp_path):
    (tmp_path / "file").write_text("")
    message = error_of(evaluate, "--data", workplace / "pictures", "--show", 1, "--show_dir", tmp_path / "file")
    assert message == f"error: --show_dir {tmp_path / 'file'}: File exists"
    assert not (tmp_path / "result.json").exists(), "no work was done"


@pytest.mark.parametrize("error", [OSError("full"), RenderError("no ink")])
def test_what_cannot_be_drawn_leaves_the_scores(evaluate, workplace, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(eval_script, "show_readings", fail)
    message = error_of(evaluate, "--data", workplace / "pictures", "--show", 1, "--show_dir", tmp_path / "show")
    assert message == f"error: --show_dir {tmp_path / 'show'}: {error}"
    assert json.loads((tmp_path / "result.json").read_text())["calibration"]["objects"] > 0


def test_another_language_is_refused(evaluate):
    message = error_of(evaluate, "--data", "noisy_shapes", "--size", 2)
    assert "noisy_shapes: its language noisy_shapes 1 is not the model's, toy 1" in message


def test_objects_of_another_language_are_refused(evaluate, workplace, tmp_path):
    shutil.copytree(workplace / "pictures", tmp_path / "pictures")
    (tmp_path / "pictures" / "metadata.jsonl").write_text('{"file_name": "0.png", "objects": [{"category": "star"}]}')
    assert "line 1: object 1: unknown category 'star'" in error_of(evaluate, "--data", tmp_path / "pictures")


def test_a_bad_picture_is_named(evaluate, workplace, tmp_path):
    shutil.copytree(workplace / "pictures", tmp_path / "pictures")
    (tmp_path / "pictures" / "3.png").write_bytes(b"no picture")
    assert "line 4: " in error_of(evaluate, "--data", tmp_path / "pictures")
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "holds no config.json"),
        ("model.safetensors", "holds no weights"),
        ("tokenizer.json", "processor"),
    ],
)
def test_a_model_that_is_not_whole_is_named(evaluate, workplace, missing, message):
    broken = workplace / f"without_{missing}"
    shutil.copytree(workplace / "model", broken)
    (broken / missing).unlink()
    error = error_of(evaluate, "--data", workplace / "pictures", model=broken.name)
    assert str(broken) in error and message in error


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="^--device mars: "):
        eval_script.find_device("mars")


def test_a_model_that_is_not_there_is_named(evaluate, workplace):
    assert "no such folder" in error_of(evaluate, "--data", workplace / "pictures", model="nothing")


@pytest.mark.parametrize("options", [["--limit", 0], ["--num_beams", "two"], ["--seed", -1], ["--speed", 3]])
def test_options_that_do_not_fit_are_refused(evaluate, workplace, options, capsys):
    assert error_of(evaluate, "--data", workplace / "pictures", *options) == "2"
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize("target", ["", "file/result.json"], ids=["a folder", "below a file"])
def test_a_result_that_cannot_be_written_is_named_before_any_work(tmp_path, target):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as caught:
        eval_script.main(["--model", "nowhere", "--data", "nowhere", "--json", str(tmp_path / target)])
    assert str(caught.value) == f"error: --json {tmp_path / target}: cannot be written"


def test_a_result_that_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"iou": 1})
    with pytest.raises(TypeError):
        write_json(path, {"iou": object()})
    assert json.loads(path.read_text()) == {"iou": 1}
    assert list(tmp_path.iterdir()) == [path]
