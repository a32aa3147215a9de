"""Training from train.py down: it learns a toy language, and its options, data order and output folder are sound."""

import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from tiny_checkpoint import save_tiny_checkpoint

import train
from benchmarks import training_loop
from datasets_scripts import load_language_folder, noisy_shapes
from datasets_scripts.scenes import FreshScenes
from derender_training.checkpoints import CheckpointError
from derender_training.evaluation import predict
from derender_training.near_targets import NearTargets
from derender_training.options import OptionError, describe_options, read_options
from derender_training.precision import choose_precision
from derender_training.rl_options import RLOptions
from derender_training.schedule import Schedule
from derender_training.train_steps import build_optimizer
from derender_training.training_options import TrainingOptions
from modeling_derender import DerenderProcessor
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.configuration_derender import OPTIONS_OF
from modeling_derender.modeling_derender import TimmBackbone
from modeling_derender.scoring import average_set_scores


TOY = str(Path(__file__).parent / "toy_language")


def test_learns_a_users_own_language(options, trained):
    toy = load_language_folder(TOY)
    test_scenes = [FreshScenes(toy, (32, 32), 0, "test", max_objects=1)[index] for index in range(64)]
    references = [scene["objects"] for scene in test_scenes]
    torch.manual_seed(0)
    new_model, processor = train.build_model(options, toy.LANGUAGE)
    before = average_set_scores(predict(new_model, processor, test_scenes), references)
    processor = DerenderProcessor.from_pretrained(Path(options.output_dir) / "model")
    model = load_checkpoint(Path(options.output_dir) / "model")
    after = average_set_scores(predict(model, processor, test_scenes), references)
    assert before["iou"] < 0.3
    assert after["iou"] > 0.8
    assert trained.best_score > 0.8


def of_lstm(options, **changes) -> dict:
    """The same model with an LSTM."""
    model = {name: value for name, value in options.model.items() if name not in OPTIONS_OF["transformer"]}
    return model | {"decoder_type": "lstm"} | changes


def test_an_lstm_learns_it_too(options, tmp_path):
    progress = train.training_function(
        replace(options, output_dir=str(tmp_path), model=of_lstm(options), order="random_once", steps=280)
    )
    assert progress.best_score > 0.8
    assert load_checkpoint(tmp_path / "model").config.decoder_type == "lstm"


def test_an_lstm_without_attention_is_trained_and_resumed(options, tmp_path):
    without = replace(options, model=of_lstm(options, lstm_attention="none"), steps=6, save_every=3, evaluation_size=2)
    train.training_function(replace(without, output_dir=str(tmp_path / "whole")))
    stopped = replace(without, output_dir=str(tmp_path / "stopped"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "check_weights", lambda model, step: step < 6 or sys.exit("stopped"))
        with pytest.raises(SystemExit, match="stopped"):
            train.training_function(stopped)
    assert train.training_function(stopped).step == 6
    whole, resumed = (load_checkpoint(tmp_path / name / "model").state_dict() for name in ("whole", "stopped"))
    assert all(torch.equal(whole[name], tensor) for name, tensor in resumed.items())


def test_best_model_is_kept_when_the_score_falls(options, tmp_path, monkeypatch):
    evaluated, scores = [], iter([0.2, 0.9, 0.5])

    def predict_nothing(model, processor, examples, *_):
        evaluated.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return [[]] * len(examples)

    monkeypatch.setattr(train, "predict", predict_nothing)
    monkeypatch.setattr(
        train, "score_specifications", lambda *_: {"iou": 0.0, "iou_binned": next(scores), "inference_error": 0.0}
    )
    progress = train.training_function(replace(options, output_dir=str(tmp_path), steps=3, evaluate_every=1))
    assert (progress.best_step, progress.best_score) == (2, 0.9)
    kept = load_checkpoint(tmp_path / "model").state_dict()
    same = [all(torch.equal(kept[name], tensor) for name, tensor in weights.items()) for weights in evaluated]
    assert same == [False, True, False]


def test_training_can_begin_with_a_checkpoint(options, trained, tmp_path):
    first = str(Path(options.output_dir) / "model")
    model = options.model | {"dropout": 0.1}  # the same weights compute the same
    changed = replace(
        options, initial_model=first, output_dir=str(tmp_path), steps=1, learning_rate=1e-9, seed=5, model=model
    )
    assert train.training_function(changed).best_score == pytest.approx(trained.best_score, abs=0.05)
    again, before = (load_checkpoint(folder).state_dict() for folder in (tmp_path / "model", first))
    weights = [name for name in before if "running" not in name and before[name].is_floating_point()]
    assert all(torch.allclose(again[name], before[name], atol=1e-6) for name in weights)


@pytest.mark.parametrize(
    "initial, changes, message",
    [
        ("nowhere", {}, "option 'initial_model': nowhere: no such folder"),
        (None, {"model": {"backbone": "test_resnet", "d_model": 32}}, "option 'initial_model': .*size mismatch"),
    ],
)
def test_an_initial_model_that_does_not_fit_is_named(options, trained, tmp_path, initial, changes, message):
    initial = initial or str(Path(options.output_dir) / "model")
    with pytest.raises(OptionError, match=message):
        train.training_function(replace(options, output_dir=str(tmp_path), initial_model=initial, **changes))


@pytest.mark.parametrize(
    "name, own, other",
    [("num_attention_heads", 4, 2), ("feature_positions", "2d", "none"), ("tie_word_embeddings", False, True)],
)
def test_an_initial_model_that_would_compute_something_else_is_named(options, trained, tmp_path, name, own, other):
    initial, model = str(Path(options.output_dir) / "model"), options.model | {name: other}
    message = f"option 'initial_model': {initial}: its {name} is {own!r}, and that of option 'model' {other!r}"
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        train.training_function(replace(options, output_dir=str(tmp_path), initial_model=initial, model=model))


def test_an_initial_model_of_another_language_is_refused(options, tmp_path):
    other = str(save_tiny_checkpoint(tmp_path / "shapes", noisy_shapes.LANGUAGE))
    with pytest.raises(OptionError, match=f"option 'initial_model': {other}: is of another language"):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), initial_model=other))


def test_the_optimizer_is_that_of_the_options(options):
    options = replace(options, learning_rate=0.25, betas=[0.5, 0.75], weight_decay=0.125)
    optimizer = build_optimizer(options, torch.nn.Linear(2, 2))
    (group,) = optimizer.param_groups
    assert [group[name] for name in ("lr", "betas", "weight_decay")] == [0.25, (0.5, 0.75), 0.125]
    assert isinstance(optimizer, torch.optim.Adam)


def test_finished_run_says_so(options, trained, capsys):
    assert train.training_function(options) == replace(trained, elapsed=pytest.approx(trained.elapsed))
    assert "this run is finished" in capsys.readouterr().out


def test_a_run_that_keeps_its_pictures_ends_as_one_that_does_not(options, tmp_path, capsys):
    options = replace(options, train_size=40, steps=6, evaluate_every=6, num_workers=2)
    anew, kept = (replace(options, output_dir=str(tmp_path / name)) for name in ("anew", "kept"))
    train.training_function(anew)
    train.training_function(replace(kept, keep_pictures=True))
    states = [load_checkpoint(f"{run.output_dir}/model").state_dict() for run in (anew, kept)]
    assert all(torch.equal(tensor, states[1][key]) for key, tensor in states[0].items())
    capsys.readouterr()
    train.training_function(kept)  # says how it is run, not what it computes
    assert "this run is finished: 6 steps" in capsys.readouterr().out


def test_time_budget_ends_a_run(options, tmp_path):
    progress = train.training_function(
        replace(options, output_dir=str(tmp_path), steps=10**6, max_minutes=1 / 60, evaluation_size=2)
    )
    assert progress.finished and 0 < progress.step < 10**6


def test_a_model_that_diverged_is_never_saved(options, tmp_path):
    diverging = replace(
        options,
        output_dir=str(tmp_path),
        steps=8,
        save_every=4,
        learning_rate=1e30,
        schedule="constant",
        warmup_steps=0,
    )
    with pytest.raises(FloatingPointError, match="nan or infinite after step 4: lower the learning rate"):
        train.training_function(diverging)
    assert not list(tmp_path.glob("checkpoints/*"))


# Learning rate, precision, processes


@pytest.mark.parametrize(
    "schedule, step, progress, expected",
    [
        ("constant", 0, 0.0, 0.2),  # the first of 4 steps of warm-up
        ("constant", 4, 0.04, 1.0),
        ("constant", 99, 0.99, 1.0),
        ("cosine", 0, 0.0, 0.2),
        ("cosine", 4, 0.04, 0.5 * (1 + math.cos(0.04 * math.pi))),
        ("cosine", 25, 0.25, 0.5 * (1 + math.sqrt(0.5))),
        ("cosine", 50, 0.5, 0.5),
        ("cosine", 100, 1.0, 0.0),
    ],
)
def test_learning_rate(options, schedule, step, progress, expected):
    options = replace(options, schedule=schedule, steps=100, warmup_steps=4, learning_rate=1e-3)
    clock = Schedule(options, Accelerator(cpu=True))
    assert clock.progress(step) == progress
    assert clock.learning_rate(step, progress) == pytest.approx(1e-3 * expected)


def test_learning_rate_follows_the_time_where_that_is_further(options):
    options = replace(options, steps=100, warmup_steps=4, learning_rate=1e-3, max_minutes=1)
    clock = Schedule(options, Accelerator(cpu=True), elapsed=30)
    assert clock.progress(10) == pytest.approx(0.5, abs=0.01)
    assert clock.progress(75) == 0.75
    assert clock.learning_rate(10, clock.progress(10)) == pytest.approx(5e-4, rel=0.05)
    assert Schedule(options, Accelerator(cpu=True), elapsed=60).progress(10) >= 1
    late = Schedule(replace(options, schedule="cosine"), Accelerator(cpu=True), elapsed=120)
    assert late.progress(10) >= 2 and late.learning_rate(10, late.progress(10)) == 0


@pytest.mark.parametrize(
    "gpu, gpu_native, amx, avx512_bf16, expected",
    [
        (True, True, False, False, "bf16"),
        (True, False, True, True, "no"),
        (False, False, True, False, "bf16"),
        (False, False, False, True, "bf16"),
        (False, False, False, False, "no"),
    ],
)
def test_precision_follows_the_hardware(monkeypatch, gpu, gpu_native, amx, avx512_bf16, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu_native)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    assert choose_precision("auto") == expected
    assert choose_precision("no") == "no" and choose_precision("bf16") == "bf16"


@pytest.fixture
def new_accelerators():
    """Accelerate holds a process to one precision; let the test have others."""
    AcceleratorState._reset_state(True)
    yield lambda: AcceleratorState._reset_state(True)
    AcceleratorState._reset_state(True)


def test_trains_in_bf16_and_refuses_to_go_on_in_float32(options, tmp_path, monkeypatch, new_accelerators):
    formats = set()
    monkeypatch.setattr(train, "choose_precision", lambda _: "bf16")
    new_model = train.build_model

    def build_model(*arguments):
        model, processor = new_model(*arguments)
        model.lm_head.register_forward_hook(lambda module, inputs, logits: formats.add(logits.dtype))
        return model, processor

    monkeypatch.setattr(train, "build_model", build_model)
    options = replace(options, output_dir=str(tmp_path), steps=2, evaluation_size=2, mixed_precision="auto")
    assert train.training_function(options).finished
    assert torch.bfloat16 in formats
    assert load_checkpoint(tmp_path / "model").dtype == torch.float32
    new_accelerators()
    monkeypatch.setattr(train, "choose_precision", lambda _: "no")
    with pytest.raises(CheckpointError, match="'bf16' and cannot be resumed here, where 'auto' is 'no'"):
        train.training_function(options)


def weights_of_checkpoint(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("checkpoints/*/model.safetensors")
    return load_file(path)


def test_the_average_is_what_a_run_keeps(options, trained, tmp_path):
    initial = f"{options.output_dir}/model"
    train.training_function(
        replace(options, output_dir=str(tmp_path), initial_model=initial, steps=1, evaluation_size=8, averaging=0.9)
    )
    before, kept = (load_checkpoint(folder).state_dict() for folder in (initial, tmp_path / "model"))
    own = weights_of_checkpoint(tmp_path)
    moved = [name for name in own if own[name].is_floating_point() and not torch.equal(own[name], before[name])]
    assert len(moved) > 20
    for name in moved:  # after the first step 2 / 11 of what was before
        torch.testing.assert_close(kept[name], torch.lerp(own[name], before[name], 2 / 11))


def test_targets_that_know_distance_are_those_of_a_run(options, trained, tmp_path, monkeypatch):
    losses = []
    monkeypatch.setattr(NearTargets, "loss", spy(NearTargets.loss, losses))
    small = replace(options, initial_model=f"{options.output_dir}/model", steps=1, evaluation_size=8)
    for spread in (1.5, None):
        train.training_function(replace(small, output_dir=str(tmp_path / str(spread)), coordinate_spread=spread))
    assert len(losses) == 1
    near, plain = (weights_of_checkpoint(tmp_path / str(spread)) for spread in (1.5, None))
    assert not torch.equal(near["lm_head.weight"], plain["lm_head.weight"])


def spy(function, results: list):
    """`function`, whose results are kept."""

    def call(*arguments):
        results.append(function(*arguments))
        return results[-1]

    return call


def test_a_trained_backbone_that_cannot_be_fetched_is_told(options, tmp_path, monkeypatch):
    def refuse(self):
        raise OSError("no\n network")

    monkeypatch.setattr(TimmBackbone, "load_pretrained_weights", refuse)
    with pytest.raises(OptionError, match="^option 'pretrained_backbone': test_resnet: no network$"):
        train.training_function(replace(options, output_dir=str(tmp_path), pretrained_backbone=True))


def test_a_trained_backbone_is_fetched_where_it_is_asked_for(options, monkeypatch):
    fetched = []
    monkeypatch.setattr(TimmBackbone, "load_pretrained_weights", lambda self: fetched.append(self))
    model, _ = train.build_model(options, load_language_folder(TOY).LANGUAGE)
    for asked in (True, False):
        train.load_initial_weights(replace(options, pretrained_backbone=asked), model)
    assert fetched == [model.encoder.backbone]


# Options


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return str(path)


def test_command_line_wins_over_the_file(tmp_path):
    path = write(tmp_path, "language: toy\noutput_dir: out\nlearning_rate: 2e-4\nmodel: {dropout: 0.3, d_model: 64}\n")
    options = read_options(TrainingOptions, [path, "--model.dropout", "0", "--steps=7", "--mixed_precision", "no"])
    assert options.learning_rate == 2e-4 and options.steps == 7 and options.mixed_precision == "no"
    assert options.model == {"dropout": 0, "d_model": 64}
    assert options.batch_size == TrainingOptions("toy", "out").batch_size


@pytest.mark.parametrize("text, expected", [("anew", "anew"), ("null", None)])
def test_an_option_may_be_one_of_some_words_or_null(tmp_path, text, expected):
    path = write(tmp_path, f"language: toy\noutput_dir: out\nimage_noise: {text}\n")
    assert read_options(TrainingOptions, [path]).image_noise == expected
    with pytest.raises(OptionError, match="'image_noise' wants one of anew or null, not 'often'"):
        read_options(TrainingOptions, [path, "--image_noise", "often"])


def test_a_word_that_looks_like_a_date_is_a_word(tmp_path):
    path = write(tmp_path, "language: 2020-01-01\noutput_dir: 2020-13-45\n")
    options = read_options(TrainingOptions, [path])
    assert (options.language, options.output_dir) == ("2020-01-01", "2020-13-45")


@pytest.mark.parametrize(
    "text, arguments, message",
    [
        ("learning_rat: 1", [], r"recipe.yaml, line 3: unknown option 'learning_rat'; did you mean 'learning_rate'"),
        ("steps: many", [], r"recipe.yaml, line 3: option 'steps' wants a whole number, not 'many'"),
        ("steps: 1.5", [], "option 'steps' wants a whole number"),
        ("pretrained_backbone: 1", [], "option 'pretrained_backbone' wants true or false"),
        ("initial_model: a\npretrained_backbone: true", [], "option 'pretrained_backbone': .* give one of them"),
        ("image_size: [64, wide]", [], "option 'image_size' wants a list such as"),
        ("schedule: linear", [], "option 'schedule' wants one of constant, cosine, not 'linear'"),
        ("model: 3", [], "option 'model' wants entries"),
        ("steps: 0", [], r"recipe.yaml, line 3: option 'steps' must be above 0, not 0"),
        ("steps: 3", ["--steps", "0"], "^command line: option 'steps' must be above 0, not 0"),
        ("steps: 1\nsteps: 2", [], "line 4: option 'steps' is given twice"),
        ("model: {dropout: 0, dropout: 1}", [], "recipe.yaml, line 3: 'dropout' is given twice"),
        ("model:\n  dropout: 0\n  dropout: 1", [], "recipe.yaml, line 5: 'dropout' is given twice"),
        ("model: {dropout: 0.1", [], r"recipe.yaml, line \d: expected ',' or '}'"),
        ("", ["--stepz", "3"], "command line: unknown option 'stepz'; did you mean 'steps'"),
        ("", ["--steps", "x"], "command line: option 'steps' wants a whole number, not 'x'"),
        ("", ["--steps"], "command line: --steps has no value"),
        ("", ["steps"], "command line: 'steps' belongs to no --option"),
        ("", ["--seed.x", "1"], "command line: option 'seed' has no entries"),
    ],
)
def test_bad_options_are_named(tmp_path, text, arguments, message):
    path = write(tmp_path, f"language: toy\noutput_dir: out\n{text}\n")
    with pytest.raises(OptionError, match=message):
        read_options(TrainingOptions, [path, *arguments])


def test_missing_recipe_and_missing_option_are_named(tmp_path):
    with pytest.raises(OptionError, match="absent.yaml: cannot be read: No such file"):
        read_options(TrainingOptions, [str(tmp_path / "absent.yaml")])
    with pytest.raises(OptionError, match="option 'output_dir' is missing"):
        read_options(TrainingOptions, [write(tmp_path, "language: toy\n")])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model": {"dropuot": 0.1}}, "'model.dropuot' is unknown; did you mean 'dropout'"),
        ({"model": {"dropout": "high"}}, "'model.dropout' wants a number, not 'high'"),
        ({"model": {"backbone_stride": 5}}, "'model': backbone_stride: 5 is unknown"),
        ({"scene": {"max_object": 1}}, "'scene': .* has no 'max_object'; did you mean 'max_objects'"),
        ({"language": "absent"}, "'language': no language folder 'absent'"),
        ({"data": "absent"}, "'data': 'absent' is neither 'fresh' nor 'given' nor a folder"),
        ({"max_length": 3}, "^option 'max_length': example .* takes .* tokens, more than 3"),
        ({"image_noise": "anew"}, "^option 'image_noise': toy has none"),
    ],
)
def test_options_that_do_not_fit_the_language_are_named(options, tmp_path, changes, message):
    with pytest.raises(OptionError, match=message):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), num_workers=1, **changes))


@pytest.mark.parametrize("options_class", [TrainingOptions, RLOptions])
def test_help_tells_every_option_and_its_default(options_class):
    told = describe_options(options_class)
    documentation, defaults = told.split("\n    Defaults\n")
    lines = [line.strip().split(": ", 1) for line in defaults.splitlines()]
    entries = re.findall(r"^ *- ([\w, ]+):|(?:\. |^      )([\w, ]+):", documentation, re.MULTILINE)
    told = {name for names in entries for part in names for name in part.split(", ")}
    assert told >= {name for name, _ in lines}
    required = {name: "x" for name, default in lines if default == "none, it has to be given"}
    assert required.keys() >= {"output_dir"}
    found = {name: yaml.safe_load(default) for name, default in lines if name not in required}
    assert found | required == vars(options_class(**required))


def test_script_ends_with_the_message_alone(tmp_path):
    with pytest.raises(SystemExit, match="^error: .*unknown option 'stepz'"):
        train.main([write(tmp_path, "stepz: 1\n")])


@pytest.mark.parametrize(
    "text, arguments, expected",
    [
        ("model:\n  dropout: 0\n  d_modl: 64", [], "{path}, line 5: option 'model.d_modl' is unknown"),
        ("model: {dropout: high}", [], "{path}, line 3: option 'model.dropout' wants a number, not 'high'"),
        ("model: {backbone: none}", [], "{path}, line 3: option 'model': backbone: timm"),
        ("", ["--model.d_modl", "64"], "command line: option 'model.d_modl' is unknown"),
        ("scene: {max: 4}", [], "{path}, line 3: option 'scene': "),
        ("scene: {max: 4}", ["--scene", "{colour: 4}"], "command line: option 'scene': "),
    ],
)
def test_what_does_not_fit_the_language_is_told_with_its_line(tmp_path, text, arguments, expected):
    path = write(tmp_path, f"language: {TOY}\noutput_dir: {tmp_path / 'run'}\n{text}\n")
    with pytest.raises(SystemExit) as stop:
        train.main([path, *arguments])
    assert str(stop.value).startswith("error: " + expected.format(path=path))


# The benchmark of the loop


def test_benchmark_takes_as_many_steps_as_it_needs(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training_loop, "ROUNDS", 2)
    monkeypatch.setattr(training_loop, "STEPS", 1)
    monkeypatch.setattr(training_loop, "HELD", 1)
    short = replace(options, output_dir=str(tmp_path / "run"), steps=2, batch_size=2)
    training_loop.main([write(tmp_path, yaml.safe_dump(vars(short)))])
    assert "ratio " in capsys.readouterr().out


def test_benchmark_times_no_batch_prepared_ahead():
    assert [training_loop.count_untimed(num_workers) for num_workers in (0, 1, 8)] == [8, 8, 32]
