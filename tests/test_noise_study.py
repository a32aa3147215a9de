"""The noise study: its runs can be trained and scored, its table says what the evaluations do."""

from itertools import product

import numpy as np
import pytest

import eval as eval_script
import train
from derender_training.options import read_options
from derender_training.training_options import TrainingOptions
from experiments import noise_study
from experiments.noise_study import EPOCHS, KINDS, RECIPE, TRAINED, as_markdown, describe_study, list_runs, summarize


SEEDS, PICTURES = 2, 200
# How many of a hundred pictures each kind reads.
READ = {"once": 50, "anew": 70, "once, twice as long": 50, "anew, twice as long": 80, "new scenes": 90}


@pytest.fixture(scope="module")
def evaluations():
    """Results as read_runs gives them, of pictures that are all right or half right."""
    hard = np.random.default_rng(0).permutation(PICTURES) * 100 / PICTURES
    results = {}
    for kind, seed in product(KINDS, range(SEEDS)):
        if seed and "twice" in kind:
            continue
        ious = np.where(hard < READ[kind] - 2 * seed, 1.0, 0.5)
        results[kind, seed] = {
            "predictions": [{"iou": float(item), "reference": [number]} for number, item in enumerate(ious)],
            "iou": ious.mean(),
            "iou_1.0": (ious == 1).mean(),
            "commit": "abc",
            "hardware": "a machine",
            "minutes": 1.5,
            "steps": 7,
            "training": {"batch_size": 3, "image_size": [8, 8], "train_size": 6400},
            TRAINED: {"iou": 0.99, "iou_1.0": 0.98, "predictions": [{}] * 50},
        }
    return results


def test_every_run_has_options_that_fit(tmp_path):
    runs = list_runs(tmp_path, seeds=2, size=5)
    assert len(runs) == 8 and len({run.folder for run in runs.values()}) == 8
    assert sorted(kind for kind, seed in runs if seed) == ["anew", "new scenes", "once"]
    for (kind, seed), run in runs.items():
        training, test, learned = run.commands
        options = read_options(TrainingOptions, training[2:])
        assert options.seed == seed and options.keep_pictures
        assert options.steps * options.batch_size == EPOCHS * 6400 * (2 if "twice" in kind else 1)
        assert options.train_size == (None if kind == "new scenes" else 6400)
        folder = train.open_language(options.language)
        assert (train.find_image_noise(options, folder) is not None) == ("anew" in kind)
        test, learned = (eval_script.parse_options(command[2:]) for command in (test, learned))
        assert (test.size, test.split, test.seed, test.scene) == (5, "test", 0, options.scene)
        assert (learned.size, learned.split, learned.seed, learned.scene) == (2, "train", seed, options.scene)


def test_the_pictures_scored_as_learned_are_those_of_the_training(tmp_path):
    run = list_runs(tmp_path, seeds=2, size=8)["once", 1]
    options = read_options(TrainingOptions, run.commands[0][2:])
    folder = train.open_language(options.language)
    learned = eval_script.name_data(eval_script.parse_options(run.commands[2][2:])).open(folder.LANGUAGE)
    examples = train.load_examples(options, folder).train
    assert len(learned) == 4
    for number in range(4):
        assert examples[number]["objects"] == learned[number]["objects"]
        assert np.array_equal(examples[number]["image"], learned[number]["image"])


def test_the_summary_finds_what_was_put_in(evaluations):
    result = summarize(evaluations)
    assert result["rows"]["anew"]["test"]["iou_1.0"] == pytest.approx([0.70, 0.68])
    assert result["rows"]["anew"][TRAINED] == {"iou": [0.99, 0.99], "iou_1.0": [0.98, 0.98]}
    gains = {gain["question"]: gain for gain in result["gains"]}
    noise = gains["image noise anew"]
    assert noise["iou_1.0"]["mean"] == pytest.approx(0.2) and noise["iou_1.0"]["seeds"] == pytest.approx([0.2, 0.2])
    assert noise["iou"]["mean"] == pytest.approx(0.1) and noise["iou"]["p"] < 0.01
    assert noise["iou_1.0"]["interval"][0] > 0.1
    assert gains["twice as long"]["iou"]["mean"] == 0 and gains["twice as long"]["iou"]["p"] == 1
    assert gains["twice as long, image noise anew"]["iou_1.0"]["seeds"] == pytest.approx([0.1])
    assert gains["new scenes all the time"]["iou_1.0"]["mean"] == pytest.approx(0.4)


def test_the_table_tells_the_scores(evaluations):
    table = as_markdown({"study": describe_study(evaluations), **summarize(evaluations)})
    assert "| anew | 7 | 99.00, 99.00 | 85.00, 84.00 | 98.00, 98.00 | 70.00, 68.00 |" in table
    for part in ("CPU scale, not the paper's", RECIPE, "6,400 scenes", "seeds 0, 1", "200 test", "abc", "a machine"):
        assert part in table
    assert "`python -m experiments.noise_study`" in table
    first = {key: item for key, item in evaluations.items() if key[1] == 0}
    alone = as_markdown({"study": describe_study(first), **summarize(first)})
    assert "`python -m experiments.noise_study --seeds 1`" in alone and "seeds 0," in alone
    assert "| image noise anew | 10.00 [" in table and "| 20.00, 20.00 |" in table


def test_runs_scored_on_other_pictures_are_refused(evaluations):
    other = {**evaluations["anew", 1], "predictions": evaluations["anew", 1]["predictions"][::-1]}
    with pytest.raises(ValueError, match="anew, seed 1: its test pictures are not those"):
        describe_study(evaluations | {("anew", 1): other})


def test_a_run_that_fails_ends_the_study_with_its_reason(tmp_path):
    (tmp_path / "once_0").write_text("in the way")
    with pytest.raises(SystemExit, match="error: .*once_0"):
        noise_study.main(["--output_dir", str(tmp_path), "--results", str(tmp_path), "--seeds", "1", "--jobs", "1"])
    assert [path.name for path in tmp_path.iterdir()] == ["once_0"]
