"""The tables in the repository are what their records give."""

import json
import shutil
from pathlib import Path

import pytest

from experiments import paper_rows, reproduction
from experiments.paper_runs import REAL_PICTURES
from experiments.paper_table import as_markdown


RESULTS = Path(__file__).parents[1] / "experiments" / "results"
TABLES = [("cpu", path) for path in sorted(RESULTS.rglob("table_*_cpu.json"))] + [
    ("paper", RESULTS / "table_2_paper.json")
]


@pytest.mark.parametrize("scale, path", TABLES, ids=lambda item: getattr(item, "stem", item))
def test_a_table_is_made_again_from_its_records(scale, path, tmp_path, monkeypatch):
    monkeypatch.setattr(reproduction, "execute_runs", refuse_to_run)
    monkeypatch.setattr(reproduction, "write_readings", lambda *_: None)  # of runs that may be here
    real, results, table = tmp_path / "real", tmp_path / "results", json.loads(path.read_text())
    for name in REAL_PICTURES:
        (real / name).mkdir(parents=True)
        (real / name / "metadata.jsonl").touch()
    shutil.copytree(path.parent / "records", results / "records")
    done = [row["key"] for row in table["rows"] if "scores" in row]
    seeds = max(len(row["runs"]["steps"]) for row in table["rows"] if "runs" in row)
    which = ["--table", table["table"], "--scale", scale, "--seeds", str(seeds), "--rows", *done]
    where = {"results": results, "real_pictures": real, "data_dir": tmp_path}
    reproduction.main([*which, *(text for name, folder in where.items() for text in (f"--{name}", str(folder)))])
    made = json.loads((results / path.name).read_text())
    assert_alike(made | {"results": None}, table | {"results": None})
    assert path.with_suffix(".md").read_text().startswith(as_markdown(paper_rows.TABLES[table["table"]], table))


def refuse_to_run(runs, *_):
    assert not runs, f"{[run.name for run in runs]}: their records do not count"


def assert_alike(made, kept):
    """Equal but for what another processor's sums move."""
    if isinstance(kept, dict):
        assert made.keys() == kept.keys()
        for name in kept:
            assert_alike(made[name], kept[name])
    elif isinstance(kept, list):
        assert len(made) == len(kept)
        for pair in zip(made, kept, strict=True):
            assert_alike(*pair)
    elif isinstance(kept, float):
        assert made == pytest.approx(kept, abs=1e-3)
    else:
        assert made == kept
