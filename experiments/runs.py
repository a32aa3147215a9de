"""Trains and scores many models, several at a time; what is done is not done twice, what was stopped goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import yaml
from tqdm.auto import tqdm

from derender_training.checkpoints import OPTIONS
from derender_training.result_file import read_evaluation, write_json


ROOT = Path(__file__).resolve().parent.parent
COMMANDS, EVALUATION, LOG = "commands.json", "evaluation.json", "log.txt"


class RunError(RuntimeError):
    """A training or an evaluation failed; the message tells its command and the end of what it said."""


@dataclass(frozen=True)
class Run:
    """A model to train and score in `folder`: the arguments of train.py and of eval.py beyond where they write."""

    name: str
    folder: Path
    train: tuple[str, ...]
    evaluate: tuple[str, ...]

    @property
    def output_dir(self) -> Path:
        """Where train.py works."""
        return self.folder / "training"

    @property
    def commands(self) -> list[list[str]]:
        """The two commands, to be given in the repository's root."""
        output, evaluation = str(self.output_dir), str(self.folder / EVALUATION)
        return [
            ["python", "train.py", *self.train, "--output_dir", output],
            ["python", "eval.py", "--model", f"{output}/model", *self.evaluate, "--json", evaluation],
        ]

    def is_done(self) -> bool:
        """Whether these very commands have been carried out here."""
        commands = self.folder / COMMANDS
        return commands.is_file() and json.loads(commands.read_text()) == self.commands

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
            status = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, stdout=output, stderr=output).returncode
        if status:
            last = log.read_text(errors="replace").replace("\r", "\n").strip().splitlines()[-5:]
            raise RunError(f"{self.name}: {' '.join(command)} ended with status {status} ({log}):\n" + "\n".join(last))

    def read(self) -> dict:
        """The evaluation, with the `training`'s options, `minutes` and `steps`."""
        (progress,) = self.output_dir.glob("checkpoints/step_*/progress.json")
        progress = json.loads(progress.read_text())
        return {
            **read_evaluation(self.folder / EVALUATION),
            "training": yaml.safe_load((self.output_dir / OPTIONS).read_text()),
            "minutes": progress["elapsed"] / 60,
            "steps": progress["step"],
        }


def execute_runs(runs: Sequence[Run], jobs: int, title: str) -> None:
    """Carry out the runs that are not done, `jobs` at a time, in their order.

    Raises RunError of the first that fails, once those that have begun are over; the others stay to be done.
    """
    left = [run for run in runs if not run.is_done()]
    with (
        tqdm(total=len(runs), initial=len(runs) - len(left), desc=title, unit=" runs") as bar,
        ThreadPoolExecutor(jobs) as pool,
    ):
        futures = [pool.submit(run.execute) for run in left]
        try:
            for future in as_completed(futures):
                future.result()
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
