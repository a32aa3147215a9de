"""A run stopped by SIGKILL and resumed ends as one never stopped, bit for bit; train.py runs in its own processes."""

import json
import math
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
model:
  {{backbone: test_resnet, backbone_stride: 4, d_model: 32, num_hidden_layers: 2, num_attention_heads: 4,
    tie_word_embeddings: true, number_embeddings: sinusoidal}}
train_size: 60     # several epochs
order: random
batch_size: 8
steps: {STEPS}
warmup_steps: 3
schedule: cosine
max_gradient_norm: 1.0
evaluate_every: 7
evaluation_size: 8
save_every: 10
averaging: 0.9
num_workers: 1
num_threads: 1
"""
# Forks a process a run, once train.py is imported, and kills it at the given call of a function, as a power cut would.
DRIVER = """
import json, os, pathlib, signal, sys, traceback
import torch
import train

def kill_at_call(owner, name, number):
    function, calls = getattr(owner, name), 0

    def wrapped(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    setattr(owner, name, wrapped)

def run(output_dir, what, number):
    owner, name = {"optimizer step": (torch.optim.Adam, "step"), "file flush": (os, "fsync")}[what]
    kill_at_call(owner, name, number)
    try:
        train.main([sys.argv[1], "--output_dir", output_dir])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

for output_dir, what, number, expected in json.loads(sys.argv[2]):
    process = os.fork() or run(output_dir, what, number)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status != expected:
        sys.exit(f"{output_dir}: {what} {number}: {status}")
    if what == "file flush" and not any(pathlib.Path(output_dir).rglob(".incomplete-*")):
        sys.exit(f"{output_dir}: {what} {number}: killed while it wrote nothing")
"""
NEVER, KILLED = 10**9, -signal.SIGKILL
SEEDS = (0, 5)


def kills(seed: int) -> list[tuple[str, int]]:
    """Where the processes of a run are killed, one after the other."""
    draw = random.Random(seed)
    return [
        ("file flush", 1),  # at start-up
        ("optimizer step", draw.randrange(8, 11)),  # after the checkpoint of the first evaluation
        ("optimizer step", draw.randrange(3, STEPS - 7)),  # counted from that checkpoint on
        ("file flush", draw.randrange(1, 6)),
    ]


@pytest.fixture(scope="module")
def all_runs(tmp_path_factory) -> Path:
    """A folder with the run "whole", never stopped, and one for each seed that was killed again and again."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    plan = [(str(folder / "whole"), "optimizer step", NEVER, 0)]
    for seed in SEEDS:
        plan += [(str(folder / str(seed)), *kill, KILLED) for kill in kills(seed)]
        plan.append((str(folder / str(seed)), "optimizer step", NEVER, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / "output.txt").open("w") as output:  # no pipe: the killed runs' workers would hold it open
        status = subprocess.run(
            [sys.executable, "-c", DRIVER, str(recipe), json.dumps(plan)],
            cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=120,
        ).returncode  # fmt: skip
    assert status == 0, (folder / "output.txt").read_text()
    return folder


@pytest.fixture(params=SEEDS)
def runs(all_runs, request) -> tuple[Path, Path]:
    """The folders of the run never stopped and of one that was."""
    return all_runs / "whole", all_runs / str(request.param)


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
    assert len(first["state"]) > 20 and first["state"].keys() == second["state"].keys()
    for index, state in first["state"].items():
        assert all(torch.equal(state[name], second["state"][index][name]) for name in state)
    states = [torch.load(last_checkpoint(run) / "random_states_0.pkl", weights_only=False) for run in runs]
    assert torch.equal(*(state["torch_manual_seed"] for state in states))


def test_average_is_the_same(runs):
    first, second = (torch.load(last_checkpoint(run) / "custom_checkpoint_0.pkl") for run in runs)
    assert first["updates"] == second["updates"] == STEPS and len(first["average"]) > 20
    assert all(torch.equal(*pair) for pair in zip(first["average"], second["average"], strict=True))
    weights = load_file(last_checkpoint(runs[0]) / "model.safetensors").values()
    assert not all(any(torch.equal(own, tensor) for tensor in weights) for own in first["average"])


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


def test_the_learning_rate_is_the_schedules(runs):
    events = EventAccumulator(str(runs[1] / "tensorboard")).Reload()
    rates = [event.value for event in events.Scalars("training/learning_rate")]
    assert rates == pytest.approx([1e-3 * (1 + math.cos(math.pi * step / STEPS)) / 2 for step in (9, 19)])
