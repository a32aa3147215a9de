"""Trains and scores many models, several at a time; what is done is not done twice, what was stopped goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from tqdm.auto import tqdm

from derender_training.checkpoints import CHECKPOINTS, HOW, OPTIONS, PROGRESS
from derender_training.options import read_options
from derender_training.result_file import read_evaluation, write_json
from derender_training.rl_options import RLOptions
from derender_training.training_options import TrainingOptions


ROOT = Path(__file__).resolve().parent.parent
COMMANDS, EVALUATION, LOG = "commands.json", "evaluation.json", "log.txt"
PLACES = ("--data_dir",)
SPEED = tuple(f"--{name}" for name in HOW if name != "output_dir")
PATIENCE = 20  # seconds until a process that is asked to end is killed
OPTIONS_OF = {"train.py": TrainingOptions, "rl_train.py": RLOptions}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}  # a run has one core to itself


class RunError(RuntimeError):
    """A training or an evaluation failed; the message tells its command and the end of what it said."""


class Stopped(RuntimeError):
    """The time was over; the same command goes on from the last checkpoint."""


@dataclass(frozen=True)
class Run:
    """A model to train and score in `folder`: the arguments of `script` and of eval.py beyond where they write.

    `more` are further evaluations, by their names.
    """

    name: str
    folder: Path
    train: tuple[str, ...]
    evaluate: tuple[str, ...]
    script: str = "train.py"
    more: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def output_dir(self) -> Path:
        """Where the script works."""
        return self.folder / "training"

    @property
    def commands(self) -> list[list[str]]:
        """The command that trains and those that score, to be given in the repository's root."""
        output = str(self.output_dir)
        evaluations = [(EVALUATION, self.evaluate), *((f"{name}.json", arguments) for name, arguments in self.more)]
        return [
            ["python", self.script, *self.train, "--output_dir", output],
            *(
                ["python", "eval.py", "--model", f"{output}/model", *arguments, "--json", str(self.folder / file)]
                for file, arguments in evaluations
            ),
        ]

    def is_done(self) -> bool:
        """Whether these very commands have been carried out here, with what the recipe says now."""
        try:
            commands = json.loads((self.folder / COMMANDS).read_text())
            saved = yaml.safe_load((self.output_dir / OPTIONS).read_text())
        except FileNotFoundError:
            return False
        return are_alike(commands, self.commands) and self.has_options(saved)

    def has_options(self, saved: dict) -> bool:
        """Whether a run with the `saved` options is what the recipe and the arguments now say."""
        options = asdict(read_options(OPTIONS_OF[self.script], self.commands[0][2:]))
        # The data's folder is found when the run begins, and so is the size of pictures that none asks for.
        found = ("data_dir",) if options["image_size"] else ("data_dir", "image_size")
        return all(saved.get(name) == value for name, value in options.items() if name not in (*HOW, *found))

    def execute(self, deadline: float | None = None) -> None:
        """Train and score; raises RunError, and Stopped where `deadline`, on time.monotonic()'s clock, is passed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for command in self.commands:
            self._call(command, deadline)
        write_json(self.folder / COMMANDS, self.commands)

    def _call(self, command: list[str], deadline: float | None) -> None:
        log, stopped = self.folder / LOG, Stopped(f"{self.name}: stopped, the time is over; the same command goes on")
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise stopped
        with log.open("a") as output:
            print("$", *command, file=output, flush=True)
            arguments = [sys.executable, *command[1:]]
            with subprocess.Popen(arguments, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output) as process:
                try:
                    status = process.wait(left)
                except subprocess.TimeoutExpired:
                    _end(process)
                    raise stopped from None
        if status:
            last = log.read_text(errors="replace").replace("\r", "\n").strip().splitlines()[-5:]
            told = f"{self.name}: {' '.join(command)} ended with status {status} ({log}):"
            raise RunError("\n".join([told, *last]))

    def read(self) -> dict:
        """The evaluation, with the `training`'s options, `minutes`, `steps` and the model's `best_step`.

        RunError where it is not done.
        """
        if not self.is_done():
            raise RunError(f"{self.name}: is not trained and scored yet, or was by other options ({self.folder})")
        progress = self.read_progress()
        return {
            **read_evaluation(self.folder / EVALUATION),
            "training": yaml.safe_load((self.output_dir / OPTIONS).read_text()),
            "minutes": progress["elapsed"] / 60,
            "steps": progress["step"],
            "best_step": progress["best_step"],
        }

    def read_progress(self) -> dict | None:
        """That of the last checkpoint; None before the first."""
        paths = sorted(self.output_dir.glob(f"{CHECKPOINTS}/step_*/{PROGRESS}"))
        return json.loads(paths[-1].read_text()) if paths else None


def _end(process: subprocess.Popen) -> None:
    """As Ctrl+C does: who shares a GPU with a process that is killed at its work can be lost with it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def are_alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> bool:
    """Whether commands make the same, wherever their data are and however fast they go."""
    return portable(one, PLACES + SPEED) == portable(other, PLACES + SPEED)


def portable(commands: Sequence[Sequence[str]], without: Sequence[str] = PLACES) -> list[list[str]]:
    """Commands without the places of data, which every machine has elsewhere; folders of pictures keep their names."""
    return [list(without_options(command, without)) for command in commands]


def without_options(command: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """A command's words but for these options and their values; folders of pictures by their names alone."""
    for option, part in zip([None, *command], command, strict=False):
        if option not in options and part not in options:
            yield Path(part).name if option == "--data" else part


def execute_runs(
    runs: Sequence[Run],
    jobs: int,
    title: str,
    deadline: float | None = None,
    keep: Callable[[Run], None] = lambda run: None,
) -> None:
    """Carry out the runs that are not done, `jobs` at a time, in their order.

    `keep` is called with each that is done, before or now. Raises RunError of those that fail, once those that have
    begun are over; the others stay to be done. Raises Stopped where some are not done when `deadline`, on
    time.monotonic()'s clock, is passed.
    """
    left = [run for run in runs if not run.is_done()]
    for run in runs:
        if run not in left:
            keep(run)
    failures, stopped, lock = [], [], threading.Lock()
    with tqdm(total=len(runs), initial=len(runs) - len(left), desc=title, unit=" runs") as bar:

        def execute(run: Run) -> None:
            if failures or stopped:
                return
            try:
                run.execute(deadline)
            except RunError as error:
                failures.append(str(error))
                return
            except Stopped as error:
                stopped.append(str(error))
                return
            with lock:
                keep(run)
                bar.update()

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(execute, left))
    if failures:
        raise RunError("\n".join(failures))
    if stopped:
        raise Stopped("\n".join(stopped))
