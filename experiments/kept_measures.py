"""Long measurements, picture by picture: what is done of one lies beside its result, and the same command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from derender_training.result_file import write_json


class KeptMeasures:
    """What is done of a measurement whose table is to be `table`.

    `how` tells, as JSON, what decides what comes out, its `commit` among it: what was done otherwise is done again,
    and so is what was done by files that differ from their commit. `remove` when the result is written.
    """

    def __init__(self, table: Path, how: dict):
        self.path, self.how, self._done = table.with_name(f".{table.stem}.unfinished.json"), how, {}
        if self.path.is_file():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["how"] == how and not str(how["commit"]).endswith("-dirty"):
                self._done = kept["done"]

    def measure(self, title: str, pictures: Sequence, function: Callable) -> list:
        """`function` of each picture, as JSON."""
        done = self._done.setdefault(title, [])
        left = range(len(done), len(pictures))
        for number in tqdm(left, desc=title, unit=" pictures", initial=len(done), total=len(pictures)):
            done.append(function(pictures[number]))
            write_json(self.path, {"how": self.how, "done": self._done})
        return done

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
