"""Many runs: each is carried out once, what failed is told with its log, what is done is read."""

import json
import signal
import time
from dataclasses import replace

import pytest

from experiments import runs
from experiments.runs import COMMANDS, EVALUATION, LOG, Run, RunError, Stopped, execute_runs


TRAIN = """
import dataclasses, json, pathlib, sys, time
if "long" in sys.argv:  # at once, before what takes seconds to import
    folder = pathlib.Path(sys.argv[sys.argv.index("--output_dir") + 1])
    if not (folder / "begun").exists():
        folder.mkdir(parents=True)
        (folder / "begun").touch()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            (folder / "put away").touch()
            raise
import yaml
from derender_training.options import read_options
from derender_training.training_options import TrainingOptions
options = read_options(TrainingOptions, sys.argv[1:])
folder = pathlib.Path(options.output_dir)
if options.language == "fail":
    sys.exit("error: it failed on purpose")
(folder / "checkpoints" / "step_000000007").mkdir(parents=True, exist_ok=True)
progress = {"elapsed": 90, "best_step": 5, "step": 7}
(folder / "checkpoints" / "step_000000007" / "progress.json").write_text(json.dumps(progress))
(folder / "options.yaml").write_text(yaml.safe_dump(dataclasses.asdict(options)))
print("trained")
"""
EVALUATE = """
import json, pathlib, sys
path = pathlib.Path(sys.argv[sys.argv.index("--json") + 1])
path.write_text(json.dumps({"predictions": [], "data_options": {}, "arguments": sys.argv[1:]}))
"""


@pytest.fixture(autouse=True)
def scripts(tmp_path, monkeypatch):
    """Stands in for train.py and eval.py."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "eval.py").write_text(EVALUATE)
    (tmp_path / "recipe.yaml").write_text("batch_size: 3\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "ROOT", tmp_path)


def make_runs(folder, names, train=(), language="toy"):
    arguments = ("recipe.yaml", "--language", language, *train)
    return [Run(name, folder / name, arguments, ("--data", "here")) for name in names]


def count_trainings(run) -> int:
    return (run.folder / LOG).read_text().splitlines().count("trained")


def test_runs_are_carried_out_once(tmp_path):
    made = make_runs(tmp_path / "runs", "abc")
    execute_runs(made[:2], 2, "test")
    assert [run.is_done() for run in made] == [True, True, False]
    execute_runs(made, 2, "test")
    assert [count_trainings(run) for run in made] == [1, 1, 1]
    result = made[0].read()
    assert (result["steps"], result["minutes"], result["training"]["batch_size"]) == (7, 1.5, 3)
    assert result["arguments"][:4] == ["--model", str(made[0].output_dir / "model"), "--data", "here"]


def test_other_options_are_another_run(tmp_path):
    (before,), (after,) = make_runs(tmp_path, "a"), make_runs(tmp_path, "a", ("--steps", "3"))
    execute_runs([before], 1, "test")
    assert not after.is_done()
    execute_runs([after], 1, "test")
    assert count_trainings(after) == 2 and after.is_done() and not before.is_done()
    assert json.loads((after.folder / COMMANDS).read_text())[0][-4:-2] == ["--steps", "3"]


def test_another_recipe_is_another_run(tmp_path):
    (run,) = make_runs(tmp_path, "a")
    execute_runs([run], 1, "test")
    for changed in ("batch_size: 3\nimage_size: [8, 8]\n", "batch_size: 4\n"):
        (tmp_path / "recipe.yaml").write_text(changed)
        assert not run.is_done()
    with pytest.raises(RunError, match="a: is not trained and scored yet, or was by other options"):
        run.read()


def test_data_that_lie_elsewhere_are_the_same_run(tmp_path):
    def make(place, language="toy"):
        (run,) = make_runs(tmp_path, "a", ("--data_dir", f"/{place}/clips"), language)
        scored = ("--data", "here", "--data_dir", f"/{place}/clips")
        return replace(run, evaluate=scored, more=(("drawings", ("--data", f"/{place}/drawings")),))

    execute_runs([make("first")], 1, "test")
    assert make("second").is_done() and not make("second", "another").is_done()
    other = replace(make("second"), more=(("drawings", ("--data", "/second/sketches")),))
    assert not other.is_done()


def test_how_fast_a_run_goes_makes_it_no_other(tmp_path):
    (run,) = make_runs(tmp_path, "a", ("--num_workers", "1", "--batch_size", "4"))
    execute_runs([run], 1, "test")
    assert make_runs(tmp_path, "a", ("--save_every", "7", "--num_workers", "3", "--batch_size", "4"))[0].is_done()
    assert not make_runs(tmp_path, "a", ("--num_workers", "1", "--batch_size", "5"))[0].is_done()


def test_a_failure_is_told_and_the_rest_waits(tmp_path):
    made = make_runs(tmp_path, "a") + make_runs(tmp_path, "b", language="fail") + make_runs(tmp_path, "cd")
    kept = []
    with pytest.raises(RunError, match="b: python train.py recipe.yaml .*status 1(.|\n)*failed on purpose"):
        execute_runs(made, 1, "test", keep=lambda run: kept.append(run.name))
    assert [run.is_done() for run in made] == [True, False, False, False]
    assert kept == ["a"]
    with pytest.raises(RunError, match="failed on purpose"):
        execute_runs(made[:2], 1, "test", keep=lambda run: kept.append(run.name))
    assert kept == ["a", "a"]  # what was done before is told again, what failed is not


@pytest.fixture
def interruptible():
    """As in a terminal; a shell that begins a command in the background may have Ctrl+C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_runs_stop_when_the_time_is_over_and_go_on(tmp_path, interruptible):
    first, second = make_runs(tmp_path / "runs", "ab", language="long")
    with pytest.raises(Stopped, match="^a: stopped, the time is over; the same command goes on$"):
        execute_runs([first, second], 1, "test", time.monotonic() + 8)
    assert (first.output_dir / "put away").exists()  # it was asked to end, not killed
    assert not first.is_done() and not second.folder.exists()
    with pytest.raises(Stopped, match="^a: stopped"):
        execute_runs([first], 1, "test", time.monotonic())
    assert (first.folder / LOG).read_text().count("$ python train.py") == 1  # not begun again
    execute_runs([first], 1, "test", time.monotonic() + 600)
    assert first.is_done() and count_trainings(first) == 1


def test_a_run_is_scored_on_more_than_one_folder(tmp_path):
    run = replace(make_runs(tmp_path / "runs", "a")[0], more=(("drawings", ("--data", "there")),))
    execute_runs([run], 1, "test")
    for name, data in ((EVALUATION, "here"), ("drawings.json", "there")):
        assert json.loads((run.folder / name).read_text())["arguments"][2:4] == ["--data", data]
    assert run.is_done() and not replace(run, more=()).is_done()
