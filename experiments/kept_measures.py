"""Long measurements, picture by picture: what is done of one lies beside its result, and the same command goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from derender_training.result_file import write_bytes, write_json


class KeptMeasures:
    """What is done of a measurement whose table is to be `table`.

    `how` tells, as JSON, what decides what comes out, its `commit` among it: what was done otherwise is done again,
    and so is what was done by files that differ from their commit. `finish` with the result.
    """

    def __init__(self, table: Path, how: dict):
        self.table, self.path = table, table.with_name(f".{table.stem}.unfinished.json")
        self.how, self._done = how, {}
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

    def finish(self, result: dict, text: str) -> None:
        """Write the table and its numbers beside it, forget what was kept, and print the table."""
        write_json(self.table.with_suffix(".json"), result)
        write_bytes(self.table, text.encode())
        self.remove()
        print(text)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
