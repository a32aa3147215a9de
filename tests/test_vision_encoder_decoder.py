"""What one would pick instead is trained and scored on both data sets, on the pictures of the table's Transformer."""

from dataclasses import replace
from pathlib import Path

import pytest

import eval as eval_script
from derender_training.options import read_options
from derender_training.scores import SCORES
from derender_training.training_options import TrainingOptions
from experiments.paper_runs import list_runs
from experiments.paper_scales import SCALES
from experiments.run_records import by_picture
from experiments.vision_encoder_decoder import TABLES, main, make_record


def test_what_it_lacks_of_the_rows_training_is_named(tmp_path):
    with pytest.raises(SystemExit, match="option 'image_noise': the table's Transformer has 'anew' at this scale"):
        main(["noisy_shapes", "--scale", "paper", "--results", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data_set", TABLES)
def test_it_is_trained_and_scored(data_set, clip_art_dir):
    is_given = data_set == "abstract_scenes"
    data_dir, scene = (str(clip_art_dir), {"validation_share": 0.2}) if is_given else (None, {"max_objects": 3})
    run = list_runs(TABLES[data_set], SCALES["tiny"][data_set], Path("unused"), 1, data_dir, None)["transformer", 0]
    options = read_options(TrainingOptions, run.commands[0][2:])
    options = replace(options, max_minutes=0.02, evaluation_size=2, batch_size=4, scene=scene)
    test = eval_script.name_data(eval_script.parse_options(run.commands[1][2:]))
    record = make_record(options, replace(test, limit=3, scene=scene))
    assert record["steps"] >= 1 and record["minutes"] > 0 and record["parameters"] < 2_000_000
    assert record["images_per_second"] == pytest.approx(record["steps"] * 4 / record["minutes"] / 60)
    assert len(record["pictures"]["true"]) == 3 and min(record["pictures"]["true"]) > 0
    for name in SCORES:
        if name != "average_error":
            values, weights = by_picture(record, name)
            if not (name == "inference_error" and not is_given):  # whose objects differ in their properties
                expected = (values * weights).sum() / weights.sum()
                assert record["scores"][name] == pytest.approx(expected, abs=2e-5), name
