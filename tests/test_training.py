"""Training from train.py down: it learns a toy language, and its options, data order and output folder are sound."""

import errno
import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image

import train
from datasets_scripts import load_language_folder
from datasets_scripts.scenes import FreshScenes
from derender_training.checkpoints import CheckpointError, Progress, RunFolder
from derender_training.data import TrainingBatches, load_training_examples, load_validation_examples
from derender_training.evaluation import predict, score
from derender_training.options import OptionError, read_options
from derender_training.training_options import TrainingOptions
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.processing_derender import DerenderProcessor


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
    before = score(predict(new_model, processor, test_scenes), references)
    processor = DerenderProcessor.from_pretrained(Path(options.output_dir) / "model")
    after = score(predict(load_checkpoint(Path(options.output_dir) / "model"), processor, test_scenes), references)
    assert before["iou"] < 0.3
    assert after["iou"] > 0.8
    assert trained.best_iou > 0.8


def test_best_model_is_the_one_scored(options, trained):
    folder = Path(options.output_dir) / "model"
    validation = load_validation_examples(options, load_language_folder(TOY))
    predictions = predict(load_checkpoint(folder), DerenderProcessor.from_pretrained(folder), validation)
    assert score(predictions, [example["objects"] for example in validation])["iou"] == trained.best_iou


def test_finished_run_says_so(options, trained, capsys):
    assert train.training_function(options) == replace(trained, elapsed=pytest.approx(trained.elapsed))
    assert "this run is finished" in capsys.readouterr().out


def test_time_budget_ends_a_run(options, tmp_path):
    progress = train.training_function(
        replace(options, output_dir=str(tmp_path), steps=10**6, max_minutes=1 / 60, evaluation_size=2)
    )
    assert progress.finished and 0 < progress.step < 10**6


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
        ({"max_length": 3}, "'max_length': example .* takes .* tokens, more than 3"),
    ],
)
def test_options_that_do_not_fit_the_language_are_named(options, tmp_path, changes, message):
    with pytest.raises(OptionError, match=message):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), **changes))


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


def test_reads_a_folder_of_pictures(options, tmp_path):
    (tmp_path / "train").mkdir()
    lines = []
    for index in range(3):
        Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "train" / f"{index}.png")
        lines.append(json.dumps({"file_name": f"{index}.png", "objects": [{"category": "dot", "x": index, "y": 0}]}))
    (tmp_path / "train" / "metadata.jsonl").write_text("\n".join(lines))
    toy = load_language_folder(TOY)
    changed = replace(options, data=str(tmp_path), train_size=2)
    examples, size = load_training_examples(changed, toy)
    batches = TrainingBatches(examples, train.build_model(options, toy.LANGUAGE)[1], 2, size=size)
    assert size == 2 and {batches.index(position) for position in range(8)} == {0, 1}
    assert batches[0]["pixel_values"].shape == (2, 1, 32, 32)
    with pytest.raises(OptionError, match="'train_size': .* has only 3"):
        load_training_examples(replace(changed, train_size=4), toy)
    with pytest.raises(OptionError, match="has no column 'objects'"):
        (tmp_path / "train" / "metadata.jsonl").unlink()
        load_training_examples(changed, toy)


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
