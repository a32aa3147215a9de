"""The Datasets builder of Abstract Scenes, on stand-in clip art: its configs, its rows, its processes."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest

from datasets_scripts import load_language_folder
from datasets_scripts.build import build
from modeling_derender.specification import check_objects


ROOT = Path(__file__).parents[1]
# Shards of 5 scenes, so that there is work for two processes, and a drawing before they are forked.
BUILD = """
import sys
from datasets_scripts import build, scene_builder
scene_builder.SCENES_PER_SHARD = 5
build.main(["abstract_scenes", "--output", sys.argv[1], "--data_dir", sys.argv[2], "--num_proc", "2",
            "--image_size", "40", "50"])
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folder():
    return load_language_folder("abstract_scenes")


def test_rows_are_the_scenes_of_the_split(folder, clip_art_dir, tmp_path):
    output = build(folder.Builder, tmp_path / "out", data_dir=str(clip_art_dir), image_size=[40, 50])
    rows = datasets.load_dataset(str(output))
    assert set(rows) == {"train", "test"}
    for split, part in rows.items():
        scenes = folder.read_scenes(split, clip_art_dir)
        assert [check_objects(folder.LANGUAGE, row["objects"]) for row in part] == list(scenes.values())
        drawn = folder.render_batch(list(scenes.values()), (40, 50), data_dir=clip_art_dir)
        assert all(np.array_equal(row["image"], picture) for row, picture in zip(part, drawn, strict=True))


def test_the_configs_are_the_splits(folder, clip_art_dir, tmp_path):
    given = {"data_dir": str(clip_art_dir), "cache_dir": str(tmp_path)}
    for builder in (folder.Builder("sentence", **given), folder.Builder(split_by="sentence", **given)):
        assert (builder.config.name, builder.config.split_by) == ("sentence", "sentence")
        assert builder.scenes["test"].names == list(folder.read_scenes("test", clip_art_dir, "sentence"))
    assert folder.Builder(**given).config.name == "scene"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "scene", "split_by": "sentence"}, "split_by 'sentence' does not fit the config 'scene'"),
        ({"config_name": "page"}, "page"),
        ({"split_by": "page"}, "page"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"validation_share": "half"}, "validation_share must be a number"),
        ({"train_size": 3}, "unknown option 'train_size'"),
        ({"data_dir": "absent"}, "option data_dir: .* is not there"),
    ],
)
def test_wrong_options_are_named(folder, clip_art_dir, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        folder.Builder(**{"data_dir": str(clip_art_dir), "cache_dir": str(tmp_path), **options})


def test_processes_forked_after_a_drawing_do_not_hang(clip_art_dir, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", BUILD, str(tmp_path / "out"), str(clip_art_dir)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)
    assert len(datasets.load_dataset(str(tmp_path / "out"), split="train")) == 52


def test_a_linked_folder_of_pictures_counts_for_the_cache(folder, clip_art_dir, tmp_path):
    def cache_of(pictures: str) -> str:
        data = tmp_path / f"data_{pictures}"
        data.mkdir()
        (data / "Pngs").symlink_to(tmp_path / pictures)
        (data / "Scenes_10020.txt").symlink_to(clip_art_dir / "Scenes_10020.txt")
        return folder.Builder(data_dir=str(data), cache_dir=str(tmp_path)).cache_dir

    for name in ("first", "other"):
        (tmp_path / name).mkdir()
        for file in (clip_art_dir / "Pngs").iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    (tmp_path / "other" / "a_0s.png").write_bytes((clip_art_dir / "Pngs" / "a_1s.png").read_bytes())
    assert cache_of("first") != cache_of("other")
