"""A run's output folder: whole whatever happens to the disk, and never taken for another run's."""

import errno
import resource
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

import train
from datasets_scripts import load_language_folder
from derender_training.checkpoints import CheckpointError, Progress, RunFolder
from derender_training.training_log import TrainingLog


TOY = str(Path(__file__).parent / "toy_language")


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


def test_a_damaged_checkpoint_is_named(small_run):
    run, *_ = small_run
    file = run.path / "checkpoints" / "step_000000005" / "progress.json"
    for content in ("", "[]", '{"stepp": 5}'):
        file.write_text(content)
        with pytest.raises(CheckpointError, match=f"^{file}: is damaged: "):
            run.read_progress()


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
    run.save_checkpoint(Progress(step=6, best_score=0.5))
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step_000000006"]
    assert run.load_checkpoint() == Progress(step=6, best_score=0.5)


def test_a_finished_run_needs_no_states(small_run):
    run, *_ = small_run
    finished = Progress(step=6, best_score=0.5, finished=True)
    run.save_checkpoint(finished)
    (folder,) = (run.path / "checkpoints").iterdir()
    for path in folder.iterdir():
        if path.name != "progress.json":  # as carry_weights leaves it
            path.unlink()
    assert run.load_checkpoint() == finished


def test_folder_of_another_run_is_refused(options, trained):
    changed = replace(options, learning_rate=0.5, num_workers=1)
    with pytest.raises(CheckpointError, match=r"holds another run \(learning_rate was 0.003\)"):
        train.training_function(changed)


def test_a_run_that_has_come_to_no_checkpoint_may_be_another(options, tmp_path):
    wrong = replace(options, output_dir=str(tmp_path / "run"), initial_model=str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="option 'initial_model'"):
        train.training_function(wrong)
    mended = replace(wrong, initial_model=None, steps=1, evaluate_every=1, save_every=1)
    assert train.training_function(mended).finished
    with pytest.raises(CheckpointError, match="holds another run"):
        train.training_function(replace(mended, steps=2))


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


@pytest.mark.parametrize("also", [None, "output_dir: elsewhere", "a: b"])
def test_folder_with_foreign_files_is_refused(options, tmp_path, also):
    (tmp_path / "thesis.tex").write_text("years of work")
    if also:
        (tmp_path / "options.yaml").write_text(also)
    with pytest.raises(CheckpointError, match="holds files that are no run's .*thesis.tex"):
        train.training_function(replace(options, output_dir=str(tmp_path)))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert also is None or (tmp_path / "options.yaml").read_text() == also
