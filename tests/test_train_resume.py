"""A run stopped by SIGKILL and resumed ends as one never stopped, bit for bit; train.py runs in its own processes."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


ROOT = Path(__file__).parent.parent
STEPS = 24
RECIPE = f"""
language: tests/toy_language
image_size: [16, 16]
max_length: 12
model: {{backbone: test_resnet, backbone_stride: 4, d_model: 32, num_hidden_layers: 2, num_attention_heads: 4}}
train_size: 60     # several epochs
order: random
batch_size: 8
steps: {STEPS}
warmup_steps: 3
schedule: cosine
max_gradient_norm: 1.0
evaluate_every: 7
evaluation_size: 8
save_every: 5
num_workers: 1
num_threads: 1
"""
# Runs train.py and kills its own process at the given call of a function, as a power cut would.
DRIVER = """
import os, runpy, signal, sys
import torch

def kill_at_call(owner, name, number):
    function, calls = getattr(owner, name), 0

    def wrapped(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    setattr(owner, name, wrapped)

what, number = sys.argv.pop(1), int(sys.argv.pop(1))
owner, name = {"optimizer step": (torch.optim.Adam, "step"), "file flush": (os, "fsync")}[what]
kill_at_call(owner, name, number)
sys.argv[0] = "train.py"
runpy.run_path("train.py", run_name="__main__")
"""
NEVER = ("optimizer step", 10**9)


def start(recipe: Path, output_dir: Path, what: str, number: int) -> subprocess.Popen:
    command = [sys.executable, "-c", DRIVER, what, str(number), str(recipe), "--output_dir", str(output_dir)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen) -> int:
    output, _ = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), output.decode()
    return process.returncode


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Path, Path]:
    """The folders of a run never stopped and of one killed at a step, then while it writes a checkpoint."""
    folder = tmp_path_factory.mktemp("runs")
    recipe, whole, stopped = folder / "recipe.yaml", folder / "whole", folder / "stopped"
    recipe.write_text(RECIPE)
    never_stopped = start(recipe, whole, *NEVER)
    draw = random.Random(0)
    assert finish(start(recipe, stopped, "optimizer step", draw.randrange(6, STEPS))) == -signal.SIGKILL
    assert finish(start(recipe, stopped, "file flush", draw.randrange(2, 6))) == -signal.SIGKILL
    assert any(path.name.startswith(".") for path in stopped.rglob("*")), "killed while it wrote nothing"
    assert finish(start(recipe, stopped, *NEVER)) == 0
    assert finish(never_stopped) == 0
    return whole, stopped


def last_checkpoint(run: Path) -> Path:
    (checkpoint,) = (run / "checkpoints").iterdir()
    assert checkpoint.name == f"step_{STEPS:09d}"
    return checkpoint


def test_weights_are_the_same_bit_for_bit(runs):
    whole, stopped = runs
    for folders in ([last_checkpoint(run) for run in runs], [whole / "model", stopped / "model"]):
        first, second = (load_file(folder / "model.safetensors") for folder in folders)
        assert first.keys() == second.keys()
        assert any("running_var" in name for name in first)
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_optimizer_and_random_states_are_the_same(runs):
    first, second = (torch.load(last_checkpoint(run) / "optimizer.bin") for run in runs)
    assert first["param_groups"] == second["param_groups"]
    for index, state in first["state"].items():
        assert all(torch.equal(state[name], second["state"][index][name]) for name in state)
    states = [torch.load(last_checkpoint(run) / "random_states_0.pkl", weights_only=False) for run in runs]
    assert torch.equal(*(state["torch_manual_seed"] for state in states))


def test_progress_is_the_same(runs):
    first, second = (json.loads((last_checkpoint(run) / "progress.json").read_text()) for run in runs)
    assert first.pop("elapsed") > 0 and second.pop("elapsed") > 0
    assert first == second
    assert first["step"] == STEPS and first["finished"]


def test_scalars_are_not_shown_twice(runs):
    for run in runs:
        events = EventAccumulator(str(run / "tensorboard")).Reload()
        assert [event.step for event in events.Scalars("validation/iou")] == [7, 14, 21, STEPS]
        assert [event.step for event in events.Scalars("training/loss")] == [10, 20]
