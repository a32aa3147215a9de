"""The order study: its runs can be trained and scored, its table says what the evaluations do."""

from itertools import product

import numpy as np
import pytest

import eval as eval_script
import train
from derender_training.options import read_options
from derender_training.training_options import TrainingOptions
from experiments import order_study
from experiments.order_plot import plot_orders
from experiments.order_study import DECODERS, ORDERS, by_picture, describe_study, list_runs, summarize
from experiments.order_table import as_markdown
from modeling_derender.scoring import set_scores


SEEDS, PICTURES = 2, 200
# What each order takes from every picture's chance to be right.
LOST = {("lstm", "random"): 0.4, ("transformer", "random"): 0.1}


@pytest.fixture(scope="module")
def evaluations():
    """Results as eval.py writes them, of pictures that are all right or all wrong."""
    hard = np.random.default_rng(0).random(PICTURES)
    results = {}
    for decoder, order, seed in product(DECODERS, ORDERS, range(SEEDS)):
        right = hard < 0.8 - LOST.get((decoder, order), 0) - 0.02 * seed
        results[decoder, order, seed] = {
            "predictions": [{"iou": float(item), "reference": [number]} for number, item in enumerate(right)],
            "counts": {"pictures": PICTURES},
            "commit": "abc",
            "hardware": "a machine",
            "minutes": 2.0 if decoder == "lstm" else 1.0,
            "steps": 9,
            "training": {
                "batch_size": 3,
                "image_size": [8, 8],
                "scene": {"min_objects": 4, "max_objects": 8},
                "num_threads": 1,
                "steps": 9,
            },
        }
    return results


def test_every_run_has_options_that_fit(tmp_path):
    runs = list_runs(tmp_path, seeds=2, size=5)
    assert len(runs) == 16 and len({run.folder for run in runs.values()}) == 16
    for (decoder, order, seed), run in runs.items():
        training, evaluation = run.commands
        options = read_options(TrainingOptions, training[2:])
        assert (options.order, options.seed, options.model["decoder_type"]) == (order, seed, decoder)
        assert options.scene == {"min_objects": 4, "max_objects": 8}
        model, _ = train.build_model(options, train.open_language(options.language).LANGUAGE)
        assert model.config.decoder_type == decoder
        parsed = eval_script.parse_options(evaluation[2:])
        assert (parsed.size, parsed.split, parsed.scene) == (5, "test", options.scene)
        assert parsed.model == f"{options.output_dir}/model"


def test_measures_of_a_picture():
    objects = [{"category": "dot", "x": x} for x in range(5)]
    scores = [set_scores(objects[:3], objects[1:]), set_scores(objects, objects), set_scores([], objects)]
    evaluation = {"predictions": [{"iou": score["iou"]} for score in scores]}
    np.testing.assert_allclose(by_picture(evaluation, "f1"), [score["f1"] for score in scores])
    np.testing.assert_allclose(by_picture(evaluation, "iou_1.0"), [0, 1, 0])


def test_the_summary_finds_what_was_put_in(evaluations):
    rows = {(row["decoder"], row["order"]): row["iou"] for row in summarize(evaluations)}
    for cell, row in rows.items():
        seeds = [np.mean([item["iou"] for item in evaluations[*cell, seed]["predictions"]]) for seed in range(SEEDS)]
        assert row["seeds"] == pytest.approx(seeds)
        assert row["mean"] == pytest.approx(np.mean(seeds))
        assert row["interval"][0] < row["mean"] < row["interval"][1]
    lost = rows["lstm", "random"]["lost"]
    assert lost["mean"] == pytest.approx(rows["lstm", "type"]["mean"] - rows["lstm", "random"]["mean"])
    assert lost["interval"][0] > 0.3 and lost["p"] < 0.01
    assert rows["lstm", "size"]["lost"] == {"mean": 0, "interval": (0, 0), "p": 1}
    more = rows["lstm", "random"]["lost_more"]
    assert more["mean"] == pytest.approx(lost["mean"] - rows["transformer", "random"]["lost"]["mean"])
    assert more["interval"][0] > 0.15 and more["p"] < 0.01
    assert "lost_more" not in rows["transformer", "random"]


def test_runs_that_cannot_be_compared_are_refused(evaluations):
    key = ("lstm", "size", 1)
    other = {**evaluations[key], "training": {**evaluations[key]["training"], "batch_size": 4}}
    with pytest.raises(ValueError, match="'lstm', 'size', 1.*: its batch_size are not those of the other runs"):
        describe_study(evaluations | {key: other})
    other = {**evaluations[key], "predictions": evaluations[key]["predictions"][::-1]}
    with pytest.raises(ValueError, match="its test pictures are not those"):
        describe_study(evaluations | {key: other})


def test_a_table_of_runs_that_are_not_done_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="error: lstm_type_0: is not trained and scored yet"):
        order_study.main(["--summary_only", "--output_dir", str(tmp_path), "--results", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_table_and_plot(evaluations):
    result = {"study": describe_study(evaluations), "rows": summarize(evaluations)}
    table = as_markdown(result)
    row = next(row["iou"] for row in result["rows"] if (row["decoder"], row["order"]) == ("lstm", "random"))
    low, high = (100 * end for end in row["interval"])
    assert f"| {100 * row['mean']:.1f} [{low:.1f}, {high:.1f}] |" in table
    for part in (
        "CPU scale, not the paper's",
        "abc",
        "a machine",
        "9 steps of 3",
        "8 x 8 pixels",
        "seeds 0, 1",
        "| 90.7 |",
    ):
        assert part in table
    assert result["study"]["minutes_of_all_runs"] == 8 * 2.0 + 8 * 1.0
    assert plot_orders(result["rows"])[:4] == b"\x89PNG"
