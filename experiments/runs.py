"""Trains and scores many models, several at a time; what is done is not done twice, what was stopped goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from tqdm.auto import tqdm

from derender_training.checkpoints import HOW, OPTIONS
from derender_training.options import read_options
from derender_training.result_file import read_evaluation, write_json
from derender_training.rl_options import RLOptions
from derender_training.training_options import TrainingOptions


ROOT = Path(__file__).resolve().parent.parent
COMMANDS, EVALUATION, LOG = "commands.json", "evaluation.json", "log.txt"
OPTIONS_OF = {"train.py": TrainingOptions, "rl_train.py": RLOptions}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}  # a run has one core to itself


class RunError(RuntimeError):
    """A training or an evaluation failed; the message tells its command and the end of what it said."""


@dataclass(frozen=True)
class Run:
    """A model to train and score in `folder`: the arguments of `script` and of eval.py beyond where they write."""

    name: str
    folder: Path
    train: tuple[str, ...]
    evaluate: tuple[str, ...]
    script: str = "train.py"

    @property
    def output_dir(self) -> Path:
        """Where the script works."""
        return self.folder / "training"

    @property
    def commands(self) -> list[list[str]]:
        """The two commands, to be given in the repository's root."""
        output, evaluation = str(self.output_dir), str(self.folder / EVALUATION)
        return [
            ["python", self.script, *self.train, "--output_dir", output],
            ["python", "eval.py", "--model", f"{output}/model", *self.evaluate, "--json", evaluation],
        ]

    def is_done(self) -> bool:
        """Whether these very commands have been carried out here, with what the recipe says now."""
        try:
            commands = json.loads((self.folder / COMMANDS).read_text())
            saved = yaml.safe_load((self.output_dir / OPTIONS).read_text())
        except FileNotFoundError:
            return False
        options = asdict(read_options(OPTIONS_OF[self.script], self.commands[0][2:]))
        # The data's folder is found when the run begins, and so is the size of pictures that none asks for.
        found = ("data_dir",) if options["image_size"] else ("data_dir", "image_size")
        return commands == self.commands and all(
            saved.get(name) == value for name, value in options.items() if name not in (*HOW, *found)
        )

    def execute(self) -> None:
        """Train and score; raises RunError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for command in self.commands:
            self._call(command)
        write_json(self.folder / COMMANDS, self.commands)

    def _call(self, command: list[str]) -> None:
        log = self.folder / LOG
        with log.open("a") as output:
            print("$", *command, file=output, flush=True)
            arguments = [sys.executable, *command[1:]]
            status = subprocess.run(arguments, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output).returncode
        if status:
            last = log.read_text(errors="replace").replace("\r", "\n").strip().splitlines()[-5:]
            told = f"{self.name}: {' '.join(command)} ended with status {status} ({log}):"
            raise RunError("\n".join([told, *last]))

    def read(self) -> dict:
        """The evaluation, with the `training`'s options, `minutes` and `steps`; RunError where it is not done."""
        if not self.is_done():
            raise RunError(f"{self.name}: is not trained and scored yet, or was by other options ({self.folder})")
        progress = max(self.output_dir.glob("checkpoints/step_*")) / "progress.json"
        progress = json.loads(progress.read_text())
        return {
            **read_evaluation(self.folder / EVALUATION),
            "training": yaml.safe_load((self.output_dir / OPTIONS).read_text()),
            "minutes": progress["elapsed"] / 60,
            "steps": progress["step"],
        }


def execute_runs(runs: Sequence[Run], jobs: int, title: str) -> None:
    """Carry out the runs that are not done, `jobs` at a time, in their order.

    Raises RunError of those that fail, once those that have begun are over; the others stay to be done.
    """
    left = [run for run in runs if not run.is_done()]
    failures, lock = [], threading.Lock()
    with tqdm(total=len(runs), initial=len(runs) - len(left), desc=title, unit=" runs") as bar:

        def execute(run: Run) -> None:
            if failures:
                return
            try:
                run.execute()
            except RunError as error:
                failures.append(str(error))
            with lock:
                bar.update()

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(execute, left))
    if failures:
        raise RunError("\n".join(failures))
