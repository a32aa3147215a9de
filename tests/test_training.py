"""Training from train.py down: it learns a toy language, and its options, data order and output folder are sound."""

import errno
import json
import math
import os
import resource
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
import yaml
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from PIL import Image

import train
from benchmarks import training_loop
from datasets_scripts import load_language_folder
from datasets_scripts.scenes import FreshScenes
from derender_training import data_folder
from derender_training.checkpoints import CheckpointError, Progress, RunFolder
from derender_training.data import TrainingBatches, load_batches, load_examples
from derender_training.evaluation import predict
from derender_training.options import OptionError, read_options
from derender_training.precision import choose_precision
from derender_training.schedule import Schedule
from derender_training.training_log import TrainingLog
from derender_training.training_options import TrainingOptions
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.processing_derender import DerenderProcessor
from modeling_derender.scoring import average_set_scores


TOY = str(Path(__file__).parent / "toy_language")
MODEL = {
    "backbone": "test_resnet", "backbone_stride": 8, "d_model": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "dropout": 0.0, "feature_positions": "2d",
}  # fmt: skip


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> TrainingOptions:
    """The recipe of the run that the tests below share."""
    return TrainingOptions(
        language=TOY, output_dir=str(tmp_path_factory.mktemp("runs") / "toy"), image_size=[32, 32], max_length=12,
        scene={"max_objects": 1}, model=MODEL, batch_size=32, steps=160, learning_rate=3e-3, schedule="cosine",
        warmup_steps=10, evaluate_every=80, evaluation_size=64, save_every=1000, num_workers=0, num_threads=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(options) -> Progress:
    return train.training_function(options)


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
    assert trained.best_iou > 0.8


def test_best_model_is_kept_when_the_score_falls(options, tmp_path, monkeypatch):
    evaluated, scores = [], iter([0.2, 0.9, 0.5])

    def predict_nothing(model, *_):
        evaluated.append({name: tensor.clone() for name, tensor in model.state_dict().items()})

    monkeypatch.setattr(train, "predict", predict_nothing)
    monkeypatch.setattr(train, "average_set_scores", lambda *_: {"iou": next(scores), "iou_1.0": 0.0})
    progress = train.training_function(replace(options, output_dir=str(tmp_path), steps=3, evaluate_every=1))
    assert (progress.best_step, progress.best_iou) == (2, 0.9)
    kept = load_checkpoint(tmp_path / "model").state_dict()
    same = [all(torch.equal(kept[name], tensor) for name, tensor in weights.items()) for weights in evaluated]
    assert same == [False, True, False]


def test_finished_run_says_so(options, trained, capsys):
    assert train.training_function(options) == replace(trained, elapsed=pytest.approx(trained.elapsed))
    assert "this run is finished" in capsys.readouterr().out


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


@pytest.mark.parametrize(
    "gpu, gpu_native, cpu_native, expected",
    [
        (True, True, False, "bf16"),
        (True, False, True, "no"),
        (False, False, True, "bf16"),
        (False, False, False, "no"),
    ],
)
def test_precision_follows_the_hardware(monkeypatch, gpu, gpu_native, cpu_native, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu_native)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: cpu_native)
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


def test_two_processes_train_and_one_does_not_go_on(options, tmp_path):
    options = replace(
        options, output_dir=str(tmp_path / "run"), steps=4, evaluate_every=3, evaluation_size=3, batch_size=4,
        save_every=3, max_minutes=60.0,
    )  # fmt: skip
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(vars(options)))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    run = subprocess.run(
        [*launch, "train.py", str(recipe)], cwd=Path(train.__file__).parent, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
    progress = Progress(**json.loads((checkpoint / "progress.json").read_text()))
    assert (progress.step, progress.finished, progress.num_processes) == (4, True, 2)
    assert 0 <= progress.best_iou <= 1
    load_checkpoint(tmp_path / "run" / "model")
    with pytest.raises(CheckpointError, match="was written by 2 processes and cannot be resumed by 1"):
        train.training_function(options)


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
        ("image_size: [64, wide]", [], "option 'image_size' wants a list such as"),
        ("schedule: linear", [], "option 'schedule' wants one of constant, cosine, not 'linear'"),
        ("model: 3", [], "option 'model' wants entries"),
        ("steps: 0", [], r"recipe.yaml: option 'steps' must be above 0, not 0"),
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
        ({"data": "absent"}, "'data': 'absent' is neither 'fresh' nor a folder"),
        ({"max_length": 3}, "^option 'max_length': example .* takes .* tokens, more than 3"),
    ],
)
def test_options_that_do_not_fit_the_language_are_named(options, tmp_path, changes, message):
    with pytest.raises(OptionError, match=message):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), num_workers=1, **changes))


def test_script_ends_with_the_message_alone(tmp_path):
    with pytest.raises(SystemExit, match="^error: .*unknown option 'stepz'"):
        train.main([write(tmp_path, "stepz: 1\n")])


# The order of examples


class Numbers:
    """Examples that tell their own index."""

    def __getitems__(self, indices):
        return [{"image": index, "objects": index} for index in indices]


def show_numbers(images, objects, order, rng):
    draws = [None] * len(objects) if rng is None else [generator.integers(1 << 30) for generator in rng]
    return {"labels": torch.tensor([objects]).T, "draws": draws}


def make_batches(process=0, num_processes=1, **options) -> TrainingBatches:
    return TrainingBatches(
        Numbers(), show_numbers, batch_size=6, seed=3, process=process, num_processes=num_processes, **options
    )


def seen(batches: TrainingBatches, step: int) -> list[tuple]:
    batch = batches[step]
    return list(zip(batch["labels"].flatten().tolist(), batch["draws"], strict=True))


@pytest.mark.parametrize("size", [None, 10])
def test_a_step_sees_the_same_with_any_number_of_processes(size):
    one = make_batches(size=size, order="random")
    two = [make_batches(process, 2, size=size, order="random") for process in (0, 1)]
    for step in (0, 1, 5, 4, 1):
        assert seen(one, step) == seen(two[0], step) + seen(two[1], step)


def test_fixed_examples_come_once_an_epoch_in_changing_order():
    batches = make_batches(size=9)
    order = np.array([number for step in range(6) for number, _ in seen(batches, step)]).reshape(4, 9)
    assert (np.sort(order) == np.arange(9)).all()
    assert len({tuple(epoch) for epoch in order}) == 4


def test_fresh_examples_never_repeat():
    numbers = [number for step in range(5) for number, _ in seen(make_batches(), step)]
    assert numbers == list(range(30))


def test_random_order_is_drawn_anew_each_time():
    batches = make_batches(size=6, order="random")
    first, second = dict(seen(batches, 0)), dict(seen(batches, 1))
    assert first.keys() == second.keys() and all(first[number] != second[number] for number in first)


def test_uneven_share_is_refused():
    with pytest.raises(OptionError, match="6 pictures are not shared by 4 processes"):
        make_batches(0, 4)


# Folders of pictures

DOTS = [[{"category": "dot", "x": index, "y": 0}] for index in range(3)]


def write_pictures(folder: Path, all_objects: list[list[dict]]) -> Path:
    """An imagefolder of blank pictures."""
    folder.mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w") as metadata:
        for index, objects in enumerate(all_objects):
            Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / f"{index}.png")
            metadata.write(json.dumps({"file_name": f"{index}.png", "objects": objects}) + "\n")
    return folder


def test_reads_a_folder_of_pictures(options, tmp_path):
    write_pictures(tmp_path / "train", DOTS)
    write_pictures(tmp_path / "validation", DOTS)
    toy = load_language_folder(TOY)
    changed = replace(options, data=str(tmp_path), train_size=2, evaluation_size=2)
    examples = load_examples(changed, toy)
    batches = TrainingBatches(examples.train, train.build_model(options, toy.LANGUAGE)[1], 2, size=examples.size)
    assert examples.size == 2 and {batches.index(position) for position in range(8)} == {0, 1}
    assert batches[0]["pixel_values"].shape == (2, 1, 32, 32)
    assert [example["objects"] for example in examples.validation] == DOTS[:2]
    assert len(load_examples(replace(changed, data=str(tmp_path / "train")), toy).validation) == 2
    with pytest.raises(OptionError, match="'train_size': .* has only 3"):
        load_examples(replace(changed, train_size=4), toy)
    for split in ("train", "validation"):
        (tmp_path / split / "metadata.jsonl").unlink()
    with pytest.raises(OptionError, match="has no column 'objects'"):
        load_examples(changed, toy)


def test_a_run_opens_its_folder_once(options, tmp_path, monkeypatch):
    data, opened = write_pictures(tmp_path / "data", DOTS), []

    def read_imagefolder(*arguments):
        opened.append(arguments[0])
        return data_folder_reader(*arguments)

    data_folder_reader = data_folder.read_imagefolder
    monkeypatch.setattr(data_folder, "read_imagefolder", read_imagefolder)
    changed = replace(options, output_dir=str(tmp_path / "run"), data=str(data), steps=1, evaluation_size=2)
    assert train.training_function(changed).finished
    assert opened == [data]


@pytest.mark.parametrize(
    "item, message",
    [
        ({"category": "star", "x": 1}, "object 1: unknown category 'star'"),
        ({"category": "dot", "x": 8, "y": 0}, "object 1: dot: x: 8 is not one of 0..7"),
    ],
)
def test_bad_objects_are_named_before_training(options, tmp_path, item, message):
    data = write_pictures(tmp_path / "data", [*DOTS, [item]])
    with pytest.raises(OptionError, match=f"metadata.jsonl, line 4: {message}"):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), data=str(data)))
    assert not (tmp_path / "run").exists()


def test_missing_picture_is_named_before_training(options, tmp_path):
    data = write_pictures(tmp_path / "data", DOTS)
    (data / "1.png").unlink()
    with pytest.raises(OptionError, match="metadata.jsonl, line 2: .*1.png: no such file"):
        load_examples(replace(options, data=str(data)), load_language_folder(TOY))


def test_broken_picture_ends_the_script_with_its_line(options, tmp_path):
    data = write_pictures(tmp_path / "data", DOTS)
    (data / "1.png").write_bytes((data / "0.png").read_bytes()[:50])
    changed = replace(options, output_dir=str(tmp_path / "run"), data=str(data), num_workers=1)
    with pytest.raises(SystemExit, match=r"^error: \S*metadata.jsonl, line 2: \S*1.png: cannot be read"):
        train.main([write(tmp_path, yaml.safe_dump(vars(changed)))])


@pytest.mark.parametrize(
    "image, objects, message",
    [
        (None, DOTS[0], "has no picture"),
        ("truncated", DOTS[0], "truncated|broken|cannot identify"),
        ("whole", [{"category": "dot", "x": 8, "y": 0}], "object 1: dot: x: 8 is not one of 0..7"),
    ],
)
def test_bad_examples_of_other_data_are_named(options, tmp_path, image, objects, message):
    content = (write_pictures(tmp_path / "pictures", DOTS) / "0.png").read_bytes()
    images = {None: None, "whole": content, "truncated": content[:50]}
    rows = [{"image": {"bytes": images[kind]}, "objects": of} for kind, of in [("whole", DOTS[0]), (image, objects)]]
    rows[1]["image"] = rows[1]["image"] if image else None
    table = datasets.Dataset.from_list(rows).cast_column("image", datasets.Image())
    table.save_to_disk(tmp_path / "data")
    toy = load_language_folder(TOY)
    examples = load_examples(replace(options, data=str(tmp_path / "data")), toy)
    batches = TrainingBatches(examples.train, train.build_model(options, toy.LANGUAGE)[1], 2, size=2)
    with pytest.raises(ValueError, match=f"^{tmp_path / 'data'}, split train, example 1: .*({message})"):
        list(load_batches(batches, 0, 1, num_workers=1))


# The output folder


@pytest.fixture
def small_run(options, tmp_path):
    """A run's folder with one checkpoint and one model, and what writes the next."""
    accelerator = Accelerator(cpu=True)
    model, processor = train.build_model(options, load_language_folder(TOY).LANGUAGE)
    model, optimizer = accelerator.prepare(model, torch.optim.Adam(model.parameters()))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    run = RunFolder(replace(options, output_dir=str(tmp_path / "run")), accelerator)
    run.save_model(model, processor)
    run.save_checkpoint(Progress(step=5))
    yield run, model, processor
    accelerator.free_memory()


def read_all(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_full_disk_keeps_the_last_checkpoint_and_model(small_run, monkeypatch):
    run, model, processor = small_run
    before = read_all(run.path)

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("accelerate.checkpointing.save", fail)
    monkeypatch.setattr(processor, "save_pretrained", fail, raising=False)
    with pytest.raises(CheckpointError, match="no space left on the disk; .*step_000000005 is as it was"):
        run.save_checkpoint(Progress(step=6))
    with pytest.raises(CheckpointError, match="no space left on the disk; .*model is as it was"):
        run.save_model(model, processor)
    assert read_all(run.path) == before
    assert run.load_checkpoint().step == 5


@pytest.mark.parametrize("cut_file", ["model.safetensors", "optimizer.bin"])
def test_a_write_cut_short_keeps_the_last_checkpoint(small_run, cut_file):
    run, *_ = small_run
    before = read_all(run.path)
    limit = len(before[f"checkpoints/step_000000005/{cut_file}"]) - 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # the system itself now refuses longer files
    try:
        with pytest.raises(CheckpointError, match="cannot be written: .*; .*step_000000005 is as it was"):
            run.save_checkpoint(Progress(step=6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_all(run.path) == before


def test_a_start_without_room_can_be_repeated(options, tmp_path, monkeypatch):
    options = replace(options, output_dir=str(tmp_path / "run"))

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(CheckpointError, match="run: cannot be used: .*No space left on device"):
            RunFolder(options, Accelerator(cpu=True))
    assert RunFolder(options, Accelerator(cpu=True)).read_progress() == Progress()


def test_a_folder_that_cannot_be_made_is_named(options, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="file/run: cannot be used: .*Not a directory"):
        RunFolder(replace(options, output_dir=str(tmp_path / "file" / "run")), Accelerator(cpu=True))


def test_tensorboard_without_room_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # TensorBoard writes in a thread
    log = TrainingLog(tmp_path, 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(CheckpointError, match=f"^{tmp_path}: cannot be written: .*. Make room .* to resume"):
            log.record_scores(1, {"iou": 0.5, "recall": 0.5, "precision": 0.5})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_next_checkpoint_replaces_the_last(small_run):
    run, *_ = small_run
    run.save_checkpoint(Progress(step=6, best_iou=0.5))
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step_000000006"]
    assert run.load_checkpoint() == Progress(step=6, best_iou=0.5)


def test_folder_of_another_run_is_refused(options, trained):
    changed = replace(options, learning_rate=0.5, num_workers=1)
    with pytest.raises(CheckpointError, match=r"holds another run \(learning_rate was 0.003\)"):
        train.training_function(changed)


def test_folder_in_use_is_refused(options, trained):
    lock = Path(options.output_dir) / ".lock"
    code = (
        f"import fcntl; file = open({str(lock)!r}, 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(CheckpointError, match="another process trains here"):
            train.training_function(options)
        holder.communicate(b"\n")


def test_folder_with_foreign_files_is_refused(options, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(CheckpointError, match=r"holds files that are no run's \(thesis.tex\)"):
        train.training_function(replace(options, output_dir=str(tmp_path)))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


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
