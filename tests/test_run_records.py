"""The record of a run that train.py and eval.py have carried out, on the toy language."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from experiments.run_records import by_picture, make_record, read_record, write_record
from experiments.runs import EVALUATION, Run, RunError


TOY = str(Path(__file__).parent / "toy_language")


def test_the_record_of_a_run_is_what_the_run_left(options, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    small = replace(options, steps=2, evaluate_every=1, evaluation_size=8, batch_size=8)
    given = {name: value for name, value in vars(small).items() if value is not None and name != "output_dir"}
    recipe.write_text(yaml.safe_dump(given))
    scored = ("--data", TOY, "--split", "test", "--size")
    run = Run("toy", tmp_path / "run", (str(recipe),), (*scored, "7"), more=(("others", (*scored, "3")),))
    with pytest.raises(RunError, match="toy: is not trained and scored yet"):
        make_record(run)
    run.execute()
    write_record(tmp_path / "record.json", make_record(run))
    record = read_record(tmp_path / "record.json", run)

    evaluation, others = (json.loads((run.folder / name).read_text()) for name in (EVALUATION, "others.json"))
    assert record["scores"] == {name: evaluation[name] for name in record["scores"]}
    assert record["more"]["others"]["iou"] == others["iou"] and record["more"]["others"]["pictures"] == 3
    assert record["pictures"]["true"] == [len(item["reference"]) for item in evaluation["predictions"]]
    values, weights = by_picture(record, "iou")
    assert len(values) == 7 and set(weights) == {1} and values.mean() == pytest.approx(evaluation["iou"])
    assert record["curve"]["step"] == [1, 2] and len(record["curve"]["iou"]) == 2
    assert (record["steps"], record["training"]["batch_size"]) == (2, 8) and record["minutes"] > 0
    assert record["best_step"] in (1, 2)
    assert read_record(tmp_path / "record.json", replace(run, train=(str(recipe), "--seed", "1"))) is None
