"""The Datasets builders: the stream's scenes, the same bytes from any number of processes, no stale cache."""

import argparse
import hashlib
import io
import itertools
import runpy
from pathlib import Path

import datasets
import numpy as np
import pytest
import setuptools
import yaml
from huggingface_hub import DatasetCard
from PIL import Image
from toy_folder import write_toy_folder

from datasets_scripts import build as build_script
from datasets_scripts import load_language_folder, scene_builder
from datasets_scripts.build import build
from datasets_scripts.scene_builder import language_features
from datasets_scripts.scene_options import parse_with_scene_options
from datasets_scripts.scenes import FreshScenes, RenderError
from modeling_derender.specification import check_objects


SMALL = {"train_size": 7, "test_size": 3, "seed": 5}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of two scenes and files of three, so that a few scenes are shared out and cut."""
    monkeypatch.setattr(scene_builder, "SCENES_PER_SHARD", 2)
    monkeypatch.setattr(build_script, "ROWS_PER_FILE", 3)


@pytest.fixture
def toy(tmp_path):
    return load_language_folder(str(write_toy_folder(tmp_path)))


@pytest.fixture
def noisy_shapes():
    return load_language_folder("noisy_shapes")


def digests(folder) -> dict:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def picture_bytes(row) -> bytes:
    return np.asarray(row["image"]).tobytes()


def test_rows_are_the_streams_scenes(noisy_shapes, tmp_path):
    output = build(noisy_shapes.Builder, tmp_path / "out", **SMALL, max_objects=4)
    for split, size in (("train", 7), ("test", 3)):
        rows = datasets.load_dataset(str(output), split=split)
        scenes = FreshScenes(noisy_shapes, noisy_shapes.LANGUAGE.canvas.pixels, seed=5, split=split, max_objects=4)
        assert len(rows) == size
        for row, scene in zip(rows, scenes.__getitems__(list(range(size))), strict=True):
            assert np.array_equal(np.asarray(row["image"]), scene["image"])
            assert check_objects(noisy_shapes.LANGUAGE, row["objects"]) == scene["objects"]


def test_round_trip_keeps_features_and_png(toy, tmp_path):
    output = build(toy.Builder, tmp_path / "out", **SMALL)
    loaded = datasets.load_dataset(str(output))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 7, "test": 3}
    assert loaded["train"].features == language_features(toy.LANGUAGE)
    assert set(loaded["train"][0]["objects"][0]) == {"category", "x", "y", "x1", "x2"}
    stored = loaded["train"].cast_column("image", datasets.Image(decode=False))[0]["image"]
    assert stored["bytes"].startswith(b"\x89PNG") and Image.open(io.BytesIO(stored["bytes"])).size == (32, 32)


def test_a_built_folder_streams(toy, tmp_path):
    output = build(toy.Builder, tmp_path / "out", **SMALL)
    stream = datasets.load_dataset(str(output), split="train", streaming=True)
    assert isinstance(stream, datasets.IterableDataset)
    for streamed, row in zip(stream, datasets.load_dataset(str(output), split="train"), strict=True):
        assert np.array_equal(np.asarray(streamed["image"]), np.asarray(row["image"]))
        assert streamed["objects"] == row["objects"]


@pytest.mark.parametrize("num_proc", [2, 3])
def test_bytes_do_not_depend_on_processes(toy, tmp_path, small_shards, num_proc):
    one = build(toy.Builder, tmp_path / "one", num_proc=1, **SMALL)
    many = build(toy.Builder, tmp_path / "many", num_proc=num_proc, **SMALL)
    assert len(list((one / "data").iterdir())) == 4
    assert digests(one) == digests(many)


def test_seed_changes_the_pictures(toy, tmp_path):
    first = build(toy.Builder, tmp_path / "first", **SMALL)
    second = build(toy.Builder, tmp_path / "second", **{**SMALL, "seed": 6})
    assert digests(first).keys() == digests(second).keys()
    assert all(digests(first)[name] != digests(second)[name] for name in digests(first) if name.endswith("parquet"))


def test_card_and_options_travel_with_the_data(toy, tmp_path):
    output = build(toy.Builder, tmp_path / "out", **SMALL)
    assert (output / "README.md").read_text() == "# Toy\n"
    description = yaml.safe_load((output / "build.json").read_text())
    assert description["language"] == toy.LANGUAGE.to_dict()
    assert description["options"]["seed"] == 5 and description["options"]["max_objects"] == 2


def test_a_folder_that_holds_something_is_left_alone(toy, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    build(toy.Builder, output, **SMALL)
    before = digests(output)
    with pytest.raises(ValueError, match="is there already"):
        build(toy.Builder, output, **SMALL)
    assert digests(output) == before


def test_a_folder_by_a_link_and_the_working_folder(toy, tmp_path, monkeypatch):
    target, link = tmp_path / "target", tmp_path / "link"
    target.mkdir()
    link.symlink_to(target)
    assert build(toy.Builder, link, **SMALL) == target
    assert digests(link) == digests(target) and link.is_symlink()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(ValueError, match="here: is the working folder; name a new one"):
        build(toy.Builder, ".", **SMALL)
    assert here.is_dir() and not list(here.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SystemExit, match="^error: .*file"):
        build_script.main(["noisy_shapes", "--output", str(tmp_path / "file" / "out"), "--train_size", "1"])
    assert (tmp_path / "file").read_text() == "kept"


def test_a_build_that_fails_leaves_nothing(toy, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no ink")

    monkeypatch.setattr(toy, "render_batch", fail)
    with pytest.raises(RenderError, match="no ink"):
        build(toy.Builder, tmp_path / "new" / "out", num_proc=2, **SMALL)
    assert not list((tmp_path / "new").iterdir())


def test_command_line_names_a_renderer_that_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    arguments = ["noisy_shapes", "--output", str(tmp_path / "out"), "--render", "tikz", "--num_proc", "2"]
    with pytest.raises(SystemExit, match="^error: renderer tikz: .*pdflatex"):
        build_script.main(arguments)


def test_the_cache_tells_options_apart(toy, tmp_path):
    def first_picture(**options):
        builder = toy.Builder(cache_dir=str(tmp_path / "shared"), **{**SMALL, **options})
        builder.download_and_prepare()
        rows = builder.as_dataset("train")
        return builder.cache_dir, picture_bytes(rows[0]), len(rows)

    plain = first_picture()
    assert first_picture() == plain
    changed = [
        first_picture(seed=6),
        first_picture(train_size=8),
        first_picture(render="negative"),
        first_picture(image_size=[64, 64]),
        first_picture(max_objects=5),
        first_picture(version="2.0.0"),
    ]
    assert len({plain[0], *(folder for folder, *_ in changed)}) == 7
    assert changed[1][2] == 8
    assert all(picture != plain[1] for _, picture, _ in (changed[0], *changed[2:4]))


def test_the_cache_tells_the_code_apart(toy, tmp_path):
    before = toy.Builder(cache_dir=str(tmp_path / "shared"), **SMALL).cache_dir
    with open(tmp_path / "toy" / "builder.py", "a") as file:
        file.write("# changed\n")
    assert toy.Builder(cache_dir=str(tmp_path / "shared"), **SMALL).cache_dir != before


def test_builders_of_two_languages_share_no_cache(toy, noisy_shapes, tmp_path):
    folders = [folder.Builder(cache_dir=str(tmp_path), **SMALL).cache_dir for folder in (toy, noisy_shapes)]
    assert folders[0] != folders[1]


def test_the_papers_sizes_are_the_default(noisy_shapes, tmp_path):
    config = noisy_shapes.Builder(cache_dir=str(tmp_path)).config
    assert config.sizes == {"train": 99_000, "test": 1_000}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_sise": 3}, "unknown option 'train_sise'; known: .*train_size"),
        ({"train_size": -1}, "train_size must be a whole number"),
        ({"train_size": 0, "test_size": 0}, "nothing to build"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"image_size": 64}, r"image_size must be \[height, width\], not 64"),
        ({"image_size": [64]}, r"image_size must be \[height, width\], not \[64\]"),
        (
            {"render": "oil"},
            "unknown renderer 'oil'; known: noisy, pencil, varied, sketched, freehand, coarse, clean, tikz",
        ),
        ({"max_objects": 0}, "max_objects must be"),
        ({"num_proc": 0}, "num_proc must be at least 1"),
    ],
)
def test_wrong_options_are_named_before_anything_is_drawn(noisy_shapes, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        build(noisy_shapes.Builder, tmp_path / "out", **{**SMALL, **options})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("render", ["noisy", "pencil", "clean"])
def test_renderers_draw_the_same_scenes(noisy_shapes, render):
    plain = FreshScenes(noisy_shapes, (64, 64), seed=1).__getitems__([0, 1, 2])
    drawn = FreshScenes(noisy_shapes, (64, 64), 1, render=render).__getitems__([0, 1, 2])
    assert [example["objects"] for example in drawn] == [example["objects"] for example in plain]
    same = [np.array_equal(one["image"], other["image"]) for one, other in zip(drawn, plain, strict=True)]
    assert same == [render == "noisy"] * 3


def test_a_loop_over_so_many_scenes_ends(toy):
    scenes = FreshScenes(toy, (32, 32), length=3)
    assert [example["objects"] for example in itertools.islice(scenes, 5)] == [scenes[i]["objects"] for i in range(3)]


def test_command_line_builds(toy, tmp_path, capsys):
    output = tmp_path / "out"
    arguments = [str(tmp_path / "toy"), "--output", str(output), "--train_size", "4", "--test_size", "0"]
    arguments += ["--validation_size", "3"]
    build_script.main([*arguments, "--scene.max_objects", "6", "--image_size", "64", "64"])
    assert f"written to {output}" in capsys.readouterr().out
    rows = datasets.load_dataset(str(output), split="train")
    assert rows[0]["image"].size == (64, 64)
    assert max(len(row["objects"]) for row in rows) > 2
    assert len(datasets.load_dataset(str(output), split="validation")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no language folder 'nowhere'"),
        (["noisy_shapes", "--scene.colour", "red"], "--scene.colour: the language's sample_scene has no such option"),
        (["noisy_shapes", "--scene.num_proc", "2"], "--scene.num_proc: "),
        (["noisy_shapes", "--scene.seed", "7"], "--scene.seed: "),
        (["noisy_shapes", "--scene.max_objects", "9" * 5_000], "max_objects must be"),
        (["noisy_shapes", "--test_size", "-1"], "test_size must be"),
    ],
)
def test_command_line_names_what_is_wrong(tmp_path, arguments, message):
    with pytest.raises(SystemExit) as caught:
        build_script.main([*arguments, "--output", str(tmp_path / "out")])
    assert message in str(caught.value)


def test_scene_options_may_stand_anywhere():
    parser = argparse.ArgumentParser()
    parser.add_argument("language")
    parser.add_argument("--output")
    for arguments in (
        ["--scene.max_objects", "3", "toy", "--output", "d"],
        ["--scene.max_objects=3", "toy", "--output", "d"],
        ["toy", "--output", "d", "--scene.max_objects", "3"],
    ):
        options = parse_with_scene_options(parser, arguments)
        assert vars(options) == {"language": "toy", "output": "d", "scene": {"max_objects": 3}}


@pytest.mark.parametrize(
    "arguments", [["--speed", "3"], ["--scene.max_objects"], ["--scene.max_objects", "--train_size", "3"]]
)
def test_command_line_refuses_what_it_does_not_know(tmp_path, arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        build_script.main(["noisy_shapes", "--output", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_cards_and_weights_are_installed(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    keywords = {}
    monkeypatch.setattr(setuptools, "setup", lambda **given: keywords.update(given))
    runpy.run_path("setup.py")
    command = setuptools.Distribution(keywords).get_command_obj("build_py")
    command.ensure_finalized()
    installed = {(Path(folder) / name).as_posix() for _, folder, _, names in command.data_files for name in names}
    needed = ("model.safetensors", "config.json", "generation_config.json", "processor_config.json", "tokenizer.json")
    wanted = {f"datasets_scripts/{name}/README.md" for name in ("noisy_shapes", "abstract_scenes")}
    models = ("noisy_shapes", "coarse_drawings", "abstract_scenes")
    wanted |= {f"pretrained/{name}/{part}" for name in models for part in needed}
    assert wanted <= installed


@pytest.mark.parametrize(("name", "license"), [("noisy_shapes", "apache-2.0"), ("abstract_scenes", "other")])
def test_the_card_is_valid_for_the_hub(name, license):
    folder = load_language_folder(name)
    card = DatasetCard.load(Path(folder.__file__).with_name("README.md"))
    assert card.data.license == license and card.data.task_categories == ["image-to-text"]
    for column in language_features(folder.LANGUAGE)["objects"].feature:
        assert f"`{column}`" in card.text
