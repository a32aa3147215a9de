"""What trivial predictors score: their objects by hand, and their table from an evaluation."""

import json
import re

import pytest

from datasets_scripts.abstract_scenes import LANGUAGE, read_scenes
from experiments.trivial_predictors import frequent_objects, main


def item(category: str, x: int, y: int, depth: int = 0, flip: bool = False) -> dict:
    kind = {"a": "animal", "s": "sky"}[category[0]]
    return {"supercategory": kind, "category": category, "x": x, "y": y, "depth": depth, "flip": flip}


def test_frequent_objects_are_at_their_mean_places():
    scenes = [
        [item("a_1", 10, 20, 2, True), item("s_3", 400, 30)],
        [item("a_1", 20, 41, 2, False), item("s_2", 0, 0)],
        [item("a_1", 30, 60, 1, True), item("s_3", 401, 40, 1), item("a_0", 7, 7)],
    ]
    assert frequent_objects(LANGUAGE, scenes) == [item("a_1", 20, 40, 2, True), item("s_3", 400, 35)]


def write_evaluation(path, folder, **options) -> str:
    """An evaluation of a perfect model on the test split."""
    options = {"split": "test", "data_dir": str(folder), "scene": {"split_by": "sentence"}, **options}
    references = read_scenes("test", folder, split_by="sentence").values()
    perfect = {"inference_error": 0, "reconstruction_error": 0, "average_error": 0, "iou": 1, "iou_binned": 1}
    origin = {"commit": "c0ffee", "hardware": "an abacus", "model": "perfect", "language": "abstract_scenes"}
    data = {"data": "abstract_scenes", "data_options": options}
    predictions = [{"reference": objects} for objects in references]
    result = {**perfect, **origin, **data, "predictions": predictions}
    path.write_text(json.dumps(result))
    return str(path)


def test_the_table_has_a_row_each(clip_art_dir, tmp_path, capsys):
    main([write_evaluation(tmp_path / "evaluation.json", clip_art_dir)])
    title, *table = capsys.readouterr().out.splitlines()
    assert "10 pictures, commit c0ffee, an abacus" in title
    rows = {name: list(map(float, values)) for name, *values in (re.split(r" \| ", row[2:-2]) for row in table[2:])}
    assert list(rows) == ["blank page", "frequent objects", "perfect"]
    assert rows["blank page"][0] == 100 and 0 < rows["blank page"][1] < 100 and rows["blank page"][3:] == [0, 0]
    assert 0 < rows["frequent objects"][0] < 100
    assert rows["frequent objects"][2] == pytest.approx(sum(rows["frequent objects"][:2]) / 2, abs=0.01)
    assert rows["perfect"] == [0, 0, 0, 100, 100]


def test_scenes_that_are_not_given_have_no_frequent_objects(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps({"data": "noisy_shapes", "data_options": {}, "language": "noisy_shapes",
                                "predictions": [{"reference": []}], "commit": None, "hardware": ""}))  # fmt: skip
    with pytest.raises(SystemExit, match="error: noisy_shapes: the scenes of noisy_shapes are not given"):
        main([str(path)])
