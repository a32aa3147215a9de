"""What the inference error is made of is told by property."""

import json

import numpy as np
import pytest

from datasets_scripts.abstract_scenes import LANGUAGE as SCENES
from datasets_scripts.noisy_shapes import LANGUAGE
from experiments.error_parts import find_parts, main
from modeling_derender.binning import bin_objects
from modeling_derender.inference_error import count_wrong_properties


CIRCLE = {"category": "circle", "x": 3, "y": 4}
LINE = {"category": "line", "x1": 1, "y1": 2, "x2": 5, "y2": 2, "arrow": True, "solid": True}


def item(objects, reference):
    return {"objects": objects, "reference": reference}


def test_each_error_is_told_by_its_name():
    other = {**LINE, "x2": 6, "solid": False}
    found = find_parts(LANGUAGE, [item([CIRCLE, other], [LINE, CIRCLE]), item([CIRCLE], []), item([], [LINE, LINE])])
    shares = {name: share * 4 for name, share in found.items() if name != "distances"}
    assert shares == {"missing": 2, "too many": 1, "x2": 1, "solid": 1}
    assert found["distances"] == [0, np.quantile([0, 0, 0, 1, 0, 0], 0.9)]


def test_the_parts_add_up_to_the_error():
    rng, pieces = np.random.default_rng(0), [("sky", "s_0"), ("toy", "t_1")]

    def draw():
        supercategory, category = pieces[rng.integers(2)]
        x, y = map(int, rng.integers(0, 300, 2))
        return {
            "supercategory": supercategory, "category": category, "x": x, "y": y, "depth": int(rng.integers(3)),
            "flip": bool(rng.integers(2)),
        }  # fmt: skip

    for _ in range(20):
        reference = [draw() for _ in range(4)]
        objects = [{**piece, "x": piece["x"] + int(rng.integers(40))} for piece in reference]
        found = find_parts(SCENES, [item(objects, reference)])
        distances = found.pop("distances")
        sides = [bin_objects(side, SCENES.coordinate_ranges) for side in (objects, reference)]
        wrong, _ = count_wrong_properties(*sides)
        assert sum(found.values()) * 4 == wrong and distances[0] >= 0
        counted = find_parts(SCENES, [item(objects[1:], reference), item(objects, reference[:2])])
        assert (counted["missing"] * 6, counted["too many"] * 6) == (1, 2)


def test_a_table_is_written(tmp_path):
    result = {"predictions": [item([CIRCLE], [CIRCLE])], "data_options": {}, "language": "noisy_shapes"}
    result |= {"model": "runs/a", "command": "python eval.py --model runs/a", "hardware": "a machine", "commit": "abc"}
    (tmp_path / "a.json").write_text(json.dumps(result))
    main([str(tmp_path / "a.json"), "--out", str(tmp_path / "table.md")])
    text = (tmp_path / "table.md").read_text()
    assert "| runs/a | 0.00 | 0.00 | 0 | 0 |" in text
    (tmp_path / "tta.json").write_text(json.dumps(result | {"test_time_augmentation": True}))
    main([str(tmp_path / "a.json"), str(tmp_path / "tta.json"), "--out", str(tmp_path / "table.md")])
    text = (tmp_path / "table.md").read_text()
    assert "| runs/a | 0.00" in text and "| runs/a, test-time augmentation | 0.00" in text
    with pytest.raises(SystemExit, match="a.json: there is a row of runs/a already"):
        main([str(tmp_path / "a.json")] * 2 + ["--out", str(tmp_path / "table.md")])
    assert "    python eval.py --model runs/a  # a machine; commit abc" in text
    assert text.endswith(
        f"    python -m experiments.error_parts {tmp_path}/a.json {tmp_path}/tta.json --out {tmp_path}/table.md\n"
    )
    with pytest.raises(SystemExit, match="b.json: no such file"):
        main([str(tmp_path / "b.json"), "--out", str(tmp_path / "table.md")])
