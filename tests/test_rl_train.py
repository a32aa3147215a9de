"""Reinforcement learning from rl_train.py down: it runs, resumes, shares work, and says what does not fit."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import rl_train
import train
from datasets_scripts import load_language_folder
from derender_training.options import OptionError
from derender_training.reward_suite import RewardSuite
from derender_training.rl_options import RLOptions
from derender_training.scores import SCORES
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.rewards import objects_to_tokens
from modeling_derender.rollout import roll_out
from modeling_derender.specification import ids_to_objects


ROOT = Path(__file__).parents[1]
TOY = str(Path(__file__).parent / "toy_language")


@pytest.fixture(scope="module")
def checkpoint(options, tmp_path_factory) -> str:
    """A model that reads some pictures right."""
    folder = tmp_path_factory.mktemp("cross_entropy")
    train.training_function(replace(options, output_dir=str(folder), steps=90))
    return str(folder / "model")


@pytest.fixture
def rl_options(checkpoint, tmp_path) -> RLOptions:
    return RLOptions(
        checkpoint=checkpoint, language=TOY, output_dir=str(tmp_path / "run"), scene={"max_objects": 1}, batch_size=16,
        steps=6, learning_rate=1e-3, evaluate_every=3, evaluation_size=32, save_every=3, num_workers=0, num_threads=1,
        guard_margin=1.0,
    )  # fmt: skip


def weights_of(folder) -> dict[str, torch.Tensor]:
    return load_checkpoint(Path(folder) / "model").state_dict()


def scalars_of(folder) -> dict[str, list]:
    events = EventAccumulator(str(Path(folder) / "tensorboard"))
    events.Reload()
    return {name: events.Scalars(name) for name in events.Tags()["scalars"]}


VARIANTS = {
    "scst on iou": {},
    "leave one out on two in turn": {
        "estimator": "leave_one_out", "num_samples": 3, "rewards": ["iou", "image"], "ratio": [1, 2],
    },
    "weighted, all three, drawn at another size": {
        "rewards": ["iou", "inference", "image"], "joint": "weighted", "weights": [1.0, 0.5, 2.0],
        "reward_size": [16, 16], "metric": "reconstruction_error",
    },
    "blurred": {"rewards": ["image"], "image_form": "blurred", "image_options": {"blur": 0.5}},
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_it_learns_and_tells_how_it_goes(rl_options, name):
    options = replace(rl_options, **VARIANTS[name], steps=10)
    progress = rl_train.training_function(options)
    assert (progress.step, progress.finished) == (10, True)
    assert load_checkpoint(Path(options.output_dir) / "model").language.name == "toy"
    scalars = scalars_of(options.output_dir)
    expected = {"loss", "learning_rate", "zero_advantages", "entropy", "length", "objects", "duplicates", "truncated"}
    expected |= {"gradient_norm", "not_drawn", "images_per_second"}
    expected |= {f"seconds/{part}" for part in ("encode", "decode", "render", "reward", "score_again")}
    kinds = ("sample", "baseline", "difference") if options.estimator == "scst" else ("sample",)
    expected |= {f"reward/{reward}/{kind}" for reward in options.rewards for kind in kinds}
    assert {f"training/{item}" for item in expected} <= scalars.keys()
    assert [item.step for item in scalars["validation/iou"]] == [0, 3, 6, 9, 10]
    for reward in options.rewards if options.estimator == "scst" else ():
        parts = (scalars[f"training/reward/{reward}/{kind}"] for kind in kinds)
        for sample, baseline, difference in zip(*parts, strict=True):
            assert difference.value == pytest.approx(sample.value - baseline.value, abs=1e-6)


def test_frozen_statistics_and_moving_weights(rl_options):
    rl_train.training_function(replace(rl_options, steps=3))
    (folder,) = Path(rl_options.output_dir).glob("checkpoints/step_*")
    before = load_checkpoint(rl_options.checkpoint).state_dict()
    after = torch.load(folder / "optimizer.bin", weights_only=True)
    assert all(state["exp_avg"].isfinite().all() for state in after["state"].values())
    weights = load_file(folder / "model.safetensors")
    statistics = [name for name in weights if "running" in name]
    assert statistics and all(torch.equal(weights[name], before[name]) for name in statistics)
    moved = [name for name in weights if "running" not in name and not torch.equal(weights[name], before[name])]
    assert {name.split(".")[0] for name in moved} == {"encoder", "decoder", "lm_head"}


def test_reinforcement_raises_the_reward_it_is_given(rl_options):
    options = replace(rl_options, steps=120, estimator="leave_one_out", num_samples=4, learning_rate=5e-4,
                      evaluate_every=120, evaluation_size=256, batch_size=32)  # fmt: skip
    progress = rl_train.training_function(options)
    assert progress.best_step == 120 and progress.best_score > progress.start_score + 0.05


def test_a_run_that_was_stopped_goes_on_bit_for_bit(rl_options, tmp_path, monkeypatch):
    whole = replace(rl_options, output_dir=str(tmp_path / "whole"), rewards=["iou", "inference"], steps=7)
    stopped = replace(whole, output_dir=str(tmp_path / "stopped"))
    rl_train.training_function(whole)
    with monkeypatch.context() as patch:
        patch.setattr(rl_train, "check_weights", lambda model, step: step < 6 or sys.exit("stopped"))
        with pytest.raises(SystemExit, match="stopped"):
            rl_train.training_function(stopped)
    progress = rl_train.training_function(stopped)
    assert progress.step == 7
    states = [torch.load(next(Path(run.output_dir).glob("checkpoints/*/optimizer.bin")), weights_only=True)
              for run in (whole, stopped)]  # fmt: skip
    for ours, theirs in zip(*(state["state"].values() for state in states), strict=True):
        assert torch.equal(ours["exp_avg_sq"], theirs["exp_avg_sq"])
    one, other = weights_of(whole.output_dir), weights_of(stopped.output_dir)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_make_the_same_updates_as_one(rl_options, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    options = replace(rl_options, rewards=["iou", "image"], evaluation_size=8, output_dir=str(tmp_path / "1"))
    rl_train.training_function(options)
    recipe.write_text(yaml.safe_dump({name: value for name, value in vars(options).items() if value is not None}))
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    arguments = [str(ROOT / "rl_train.py"), str(recipe), "--output_dir", str(tmp_path / "2")]
    done = subprocess.run([*launch, *arguments], env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    before = load_checkpoint(rl_options.checkpoint).state_dict()
    one, two = (load_file(next((tmp_path / str(number)).glob("checkpoints/*/model.safetensors"))) for number in (1, 2))
    before, one, two = (
        torch.cat([weights[name].flatten() for name in sorted(one) if one[name].is_floating_point()])
        for weights in (before, one, two)
    )
    # Adam moves a weight whose gradient is nearly 0 by the sign of its rounding, so no weight is held to its own bits.
    assert (one - two).norm() < 0.01 * (one - before).norm()


def test_a_fall_below_the_start_stops_the_run_and_keeps_the_best(rl_options, monkeypatch, capsys):
    scores = iter([0.5, 0.55, 0.45, 0.2, 0.9])
    monkeypatch.setattr(rl_train, "predict", lambda model, processor, examples, *_: [[]] * len(examples))
    monkeypatch.setattr(rl_train.Scorer, "score", lambda *_: dict.fromkeys(SCORES, next(scores)))
    progress = rl_train.training_function(replace(rl_options, steps=50, evaluate_every=2, guard_margin=0.1))
    assert (progress.step, progress.best_step, progress.best_score, progress.finished) == (6, 2, 0.55, True)
    assert "iou is worse than at the start by more than 0.1: stopped" in capsys.readouterr().out
    again = rl_train.training_function(replace(rl_options, steps=50, evaluate_every=2, guard_margin=0.1))
    assert again.step == 6 and "this run is finished" in capsys.readouterr().out


def test_a_sample_that_cannot_be_drawn_has_the_lowest_reward(checkpoint):
    toy = load_language_folder(TOY)
    model = load_checkpoint(checkpoint)
    features = model.encoder(torch.randn(2, 1, 32, 32))[0]
    uniform = torch.rand(2, 6, 11, generator=torch.Generator().manual_seed(1))
    rollout = roll_out(model, features, GrammarTables(toy.LANGUAGE), uniform, greedy=False, max_length=12)

    def is_odd(scene):
        return any(item["y"] % 2 for item in scene)

    def draw(scenes, size):
        if any(map(is_odd, scenes)):
            raise RuntimeError("no odd rows today")
        return toy.render_batch(scenes, size)

    references = objects_to_tokens(toy.LANGUAGE, [[{"category": "dot", "x": 1, "y": 1}]] * 2)
    targets = torch.from_numpy(toy.render_batch([[], []]))
    names = ["iou", "image"]
    whole, broken = (
        RewardSuite(names, toy.LANGUAGE, how, (32, 32))(rollout, references, targets)
        for how in (toy.render_batch, draw)
    )
    odd = torch.tensor([is_odd(ids_to_objects(toy.LANGUAGE, row)) for row in rollout.sequences])
    assert 0 < odd.sum() < 12 and broken.not_drawn == odd.sum() and whole.not_drawn == 0
    assert torch.equal(broken.rewards["iou"], whole.rewards["iou"])
    expected = whole.rewards["image"].masked_fill(odd, 0)
    assert torch.equal(broken.rewards["image"], expected)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"checkpoint": "nowhere"}, "option 'checkpoint': nowhere: no such folder"),
        ({"language": "noisy_shapes"}, "option 'checkpoint': .* is of the language toy 1, and .*noisy_shapes is"),
        ({"image_size": [16, 16]}, r"option 'image_size': it is the checkpoint's, \[32, 32\]"),
        ({"language": "nothing"}, "option 'language': no language folder 'nothing'"),
        ({"rewards": ["image"], "image_options": {"blur": 1.0}}, "'image_options': the form 'buckets' has none"),
        (
            {"rewards": ["image"], "image_form": "blurred", "image_options": {"blurr": 1.0}},
            "option 'image_options.blurr' is unknown; did you mean 'blur'",
        ),
        (
            {"rewards": ["image"], "image_form": "blurred", "image_options": {"scale": 0.0}},
            "'image_options': .* scale above 0",
        ),
        ({"batch_size": 16, "data": "nowhere"}, "option 'data'"),
        ({"image_noise": "anew"}, "^option 'image_noise': toy has none"),
    ],
)
def test_what_does_not_fit_is_named(rl_options, changes, message):
    with pytest.raises(OptionError, match=message):
        rl_train.training_function(replace(rl_options, **changes))
    assert not Path(rl_options.output_dir).exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"estimator": "leave_one_out"}, "option 'num_samples': leave_one_out .* needs 2 or more, not 1"),
        ({"rewards": ["iou", "image"], "ratio": [0, 0]}, r"option 'ratio': \[0, 0\] leaves no step"),
        ({"rewards": ["beauty"]}, "option 'rewards': 'beauty' is unknown; known: image, inference, iou"),
        ({"rewards": []}, "option 'rewards' must name one or more"),
        ({"rewards": ["iou", "iou"]}, "option 'rewards' must name one or more, once each"),
        ({"metric": "iuo"}, "option 'metric': 'iuo' is unknown; did you mean 'iou'"),
        ({"joint": "weighted", "weights": [0.0]}, "option 'weights': .* nor all 0"),
        ({"guard_margin": -1.0}, "option 'guard_margin' must not be negative"),
        ({"reward_size": [3]}, "option 'reward_size' must be a list of two"),
        ({"reward_size": [0, -3], "rewards": ["image"]}, "option 'reward_size' must be above 0"),
        ({"reward_size": [16, 16]}, r"option 'reward_size': has no part in rewards \['iou'\]; leave it out"),
        ({"image_form": "blurred"}, "option 'image_form': has no part in rewards"),
        ({"rewards": ["iou", "image"], "weights": [1.0, 4.0]}, "option 'weights': has no part in joint 'alternate'"),
        (
            {"rewards": ["iou", "image"], "joint": "weighted", "ratio": [1, 4]},
            "option 'ratio': has no part in joint 'weighted'",
        ),
    ],
)
def test_options_that_make_no_sense_are_named(changes, message):
    with pytest.raises(OptionError, match=message):
        RLOptions(**({"checkpoint": "a", "output_dir": "b"} | changes))


def test_blurred_pictures_are_grey():
    language = load_language_folder("abstract_scenes").LANGUAGE
    with pytest.raises(OptionError, match="'blurred' compares grey pictures, and those of abstract_scenes have 3"):
        RewardSuite(["image"], language, None, (96, 120), "blurred")


def test_help_and_errors_on_the_command_line(capsys, tmp_path):
    rl_train.main(["--help"])
    assert "num_samples" in capsys.readouterr().out
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("checkpoint: nowhere\noutput_dir: x\nestimater: scst\n")
    with pytest.raises(SystemExit, match="recipe.yaml, line 3: unknown option 'estimater'; did you mean 'estimator'"):
        rl_train.main([str(recipe)])
