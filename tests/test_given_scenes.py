"""Languages whose scenes are given and need files of their own: drawn, built, trained on and scored."""

import itertools
import json
import pickle
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image
from tiny_checkpoint import save_tiny_checkpoint
from toy_folder import write_toy_folder

import train
from datasets_scripts import build as build_script
from datasets_scripts import load_language_folder
from datasets_scripts.build import build
from datasets_scripts.scenes import FreshScenes, GivenScenes
from derender_training.checkpoints import CheckpointError
from derender_training.data import load_examples
from derender_training.options import OptionError
from modeling_derender.specification import check_objects


ROOT = Path(__file__).parents[1]
GIVEN = """

# Scenes of its own: a file `scenes.json` of {split: {name: objects}}, in a folder that must be named.
import json
from pathlib import Path

_sample, _render = sample_scene, render


def find_data_dir(data_dir=None):
    if data_dir is None or not Path(data_dir, "scenes.json").is_file():
        raise ValueError("the toy's data_dir must hold scenes.json")
    return Path(data_dir)


def data_files(data_dir):
    return [Path(data_dir, "scenes.json")]


def read_scenes(split, data_dir=None, longest=9):
    scenes = json.loads(Path(find_data_dir(data_dir), "scenes.json").read_text())[split]
    return {name: objects for name, objects in scenes.items() if len(objects) <= longest}


def sample_scene(rng, data_dir=None, max_objects=2):
    find_data_dir(data_dir)
    return _sample(rng, max_objects)


def render(objects, size=(PIXELS, PIXELS), rng=None, data_dir=None):
    find_data_dir(data_dir)
    return _render(objects, size)


def render_batch(scenes, size=(PIXELS, PIXELS), rngs=None, data_dir=None):
    if max(size) > 500:
        raise ValueError(f"size {size} is too large")
    return np.stack([render(objects, size, data_dir=data_dir) for objects in scenes])


from datasets_scripts.scene_builder import GivenSceneBuilder  # noqa: E402


class Builder(GivenSceneBuilder):
    pass
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """given/ (the toy language with scenes of its own), data/ (those scenes) and model/ (a checkpoint)."""
    workplace = tmp_path_factory.mktemp("given")
    toy = write_toy_folder(workplace)
    shutil.move(toy, workplace / "given")
    with open(workplace / "given" / "__init__.py", "a") as file:
        file.write(GIVEN)
    (workplace / "data").mkdir()
    fresh = iter(FreshScenes(load_language_folder(str(ROOT / "tests" / "toy_language")), (32, 32), length=20))
    scenes = {
        split: {f"{split} {number}": scene["objects"] for number, scene in enumerate(itertools.islice(fresh, size))}
        for split, size in (("train", 8), ("test", 5), ("validation", 3))
    }
    (workplace / "data" / "scenes.json").write_text(json.dumps(scenes))
    save_tiny_checkpoint(workplace / "model", load_language_folder(str(workplace / "given")).LANGUAGE)
    return workplace


@pytest.fixture
def folder(workplace):
    return load_language_folder(str(workplace / "given"))


@pytest.fixture
def data(workplace):
    return str(workplace / "data")


def test_given_scenes_are_drawn_as_they_stand(folder, data):
    scenes = GivenScenes(folder, (32, 32), "test", data_dir=data)
    given = folder.read_scenes("test", data)
    assert [example["file_name"] for example in scenes] == list(given)
    assert [example["objects"] for example in scenes] == list(given.values())
    assert all(np.array_equal(one["image"], folder.render(one["objects"], data_dir=data)) for one in scenes)
    assert len(GivenScenes(folder, (32, 32), "test", limit=2, data_dir=data)) == 2


def test_given_scenes_go_to_worker_processes(folder, data):
    scenes = pickle.loads(pickle.dumps(GivenScenes(folder, (32, 32), "train", data_dir=data)))
    assert len(scenes) == 8 and scenes[7]["file_name"] == "train 7"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_dir": None}, "the toy's data_dir must hold scenes.json"),
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
        ({"longest": 0}, "the split 'train' has no scenes"),
        ({"split": "dev"}, "unknown split 'dev'"),
        ({"render": "oil"}, "unknown renderer 'oil'"),
    ],
)
def test_what_does_not_fit_is_named(folder, data, options, message):
    with pytest.raises(ValueError, match=message):
        GivenScenes(folder, (32, 32), **{"data_dir": data, **options})


def test_a_language_without_data_of_its_own_takes_none():
    toy = load_language_folder(str(ROOT / "tests" / "toy_language"))
    with pytest.raises(ValueError, match="data_dir: toy needs no data of its own"):
        FreshScenes(toy, (32, 32), data_dir=".")
    with pytest.raises(ValueError, match="toy: has no given scenes"):
        GivenScenes(toy, (32, 32))


def test_the_builder_writes_the_given_scenes(folder, data, tmp_path):
    output = build(folder.Builder, tmp_path / "out", num_proc=2, data_dir=data)
    rows = datasets.load_dataset(str(output))
    assert {split: len(part) for split, part in rows.items()} == {"train": 8, "test": 5, "validation": 3}
    for row, objects in zip(rows["train"], folder.read_scenes("train", data).values(), strict=True):
        assert check_objects(folder.LANGUAGE, row["objects"]) == objects
        assert np.array_equal(np.asarray(row["image"]), folder.render(objects, data_dir=data))


def test_data_without_any_scene_are_refused(folder, tmp_path):
    (tmp_path / "scenes.json").write_text(json.dumps({"train": {}, "test": {}, "validation": {}}))
    with pytest.raises(ValueError, match="no split has a scene"):
        build(folder.Builder, tmp_path / "out", data_dir=str(tmp_path))


def test_the_builders_cache_tells_data_apart(folder, data, tmp_path):
    copy = Path(shutil.copytree(data, tmp_path / "copy"))
    first, moved = (folder.Builder(cache_dir=str(tmp_path), data_dir=str(one)).cache_dir for one in (data, copy))
    (copy / "scenes.json").write_text((copy / "scenes.json").read_text().replace("train 1", "train one"))
    changed = folder.Builder(cache_dir=str(tmp_path), data_dir=str(copy)).cache_dir
    assert first == moved != changed


def test_the_command_line_builds_and_names_what_is_missing(workplace, data, tmp_path):
    language = str(workplace / "given")
    build_script.main([language, "--output", str(tmp_path / "out"), "--data_dir", data, "--image_size", "16", "16"])
    assert datasets.load_dataset(str(tmp_path / "out"), split="test")[0]["image"].size == (16, 16)
    for arguments, message in (
        ([], "error: the toy's data_dir must hold scenes.json"),
        (["--data_dir", data, "--train_size", "3"], "unknown option 'train_size'"),
        (["--data_dir", data, "--scene.max_objects", "3"], "the language's read_scenes has no such option"),
    ):
        with pytest.raises(SystemExit, match=message):
            build_script.main([language, "--output", str(tmp_path / "other"), *arguments])


# Training


@pytest.fixture
def recipe(options, workplace, data, tmp_path):
    return replace(
        options, language=str(workplace / "given"), data_dir=data, output_dir=str(tmp_path / "run"), scene={}, steps=3,
        batch_size=4, evaluate_every=2, save_every=2,
    )  # fmt: skip


def test_a_run_on_given_scenes_learns_from_its_splits(recipe, folder, data):
    examples = load_examples(replace(recipe, data="given"), folder)
    assert examples.size == len(examples.train) == 8
    assert [one["objects"] for one in examples.validation] == list(folder.read_scenes("validation", data).values())
    assert train.training_function(replace(recipe, data="given")).step == 3


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("validation", "has no split 'validation'; build it with one"),
        ("train", "has no split 'train', only "),
    ],
)
def test_a_folder_without_a_split_is_refused(recipe, folder, data, tmp_path, split, message):
    """The given scenes of validation may be among those that the folder's training split was built from."""
    output = build(folder.Builder, tmp_path / "out", data_dir=data)
    for file in output.rglob(f"{split}*.parquet"):
        file.unlink()
    with pytest.raises(OptionError, match=message):
        load_examples(replace(recipe, data=str(output)), folder)


def test_a_run_is_not_resumed_on_other_data(recipe, data, tmp_path):
    train.training_function(replace(recipe, data="given"))
    copy = shutil.copytree(data, tmp_path / "copy")
    with pytest.raises(CheckpointError, match="data_dir"):
        train.training_function(replace(recipe, data="given", data_dir=str(copy)))


def test_a_run_on_fresh_scenes_is_validated_on_given_ones(recipe, folder):
    examples = load_examples(replace(recipe, data="fresh", scene={"max_objects": 1, "longest": 1}), folder)
    assert examples.size is None and {len(examples.train[index]["objects"]) for index in range(20)} == {1}
    assert {len(one["objects"]) for one in examples.validation} == {1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_dir": None}, "option 'data_dir': the toy's data_dir must hold scenes.json"),
        ({"scene": {"longest": 0}}, "option 'scene': toy: the split 'train' has no scenes"),
        ({"image_size": [32, 600]}, "option 'image_size': .* is too large"),
        ({"scene": {"largest": 2}}, "option 'scene': .* has no 'largest'; did you mean 'longest'"),
        ({"train_size": 9}, "option 'train_size': given has only 8 training examples"),
        ({"language": str(ROOT / "tests" / "toy_language"), "data_dir": None}, "has no given scenes"),
    ],
)
def test_options_that_do_not_fit_are_named(recipe, changes, message):
    recipe = replace(recipe, data="given", **changes)
    with pytest.raises(OptionError, match=message):
        load_examples(recipe, load_language_folder(recipe.language))


# Evaluation


@pytest.fixture
def evaluate(workplace, data, tmp_path):
    def run(*arguments) -> dict:
        main = runpy.run_path(str(ROOT / "eval.py"))["main"]
        arguments = ["--model", str(workplace / "model"), "--device", "cpu", *map(str, arguments)]
        main([*arguments, "--json", str(tmp_path / "result.json")])
        return json.loads((tmp_path / "result.json").read_text())

    return run


def test_given_scenes_are_scored_by_split(evaluate, workplace, folder, data):
    result = evaluate("--data", workplace / "given", "--split", "validation", "--data_dir", data)
    assert [one["file_name"] for one in result["predictions"]] == ["validation 0", "validation 1", "validation 2"]
    references = list(folder.read_scenes("validation", data).values())
    assert [one["reference"] for one in result["predictions"]] == references
    assert evaluate("--data", workplace / "given", "--data_dir", data, "--limit", 2)["counts"]["pictures"] == 2


def test_a_size_asks_for_fresh_scenes(evaluate, workplace, data):
    options = ["--data", workplace / "given", "--data_dir", data, "--size", 7, "--scene.max_objects", 1]
    assert {len(one["reference"]) for one in evaluate(*options)["predictions"]} == {1}


def test_the_report_draws_with_the_languages_files(evaluate, workplace, data, tmp_path):
    evaluate("--data", workplace / "given", "--data_dir", data)
    report = runpy.run_path(str(ROOT / "report.py"))["main"]
    report([str(tmp_path / "result.json"), "--out", str(tmp_path / "report.html"), "--sheet", str(tmp_path / "s.png")])
    assert (tmp_path / "report.html").read_text().count("<article>") == 10
    assert Image.open(tmp_path / "s.png").size == (5 * 40, 2 * 40)
