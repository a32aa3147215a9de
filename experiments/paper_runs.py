"""The runs behind a table: what each row trains at a scale, with which seeds, and from which other run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiments.paper_rows import NOISY, SCENES, Table
from experiments.paper_scales import Setting, find_setting
from experiments.runs import Run


REAL_PICTURES = ("noisy_shapes_tikz", "hand_drawings")


def find_runs(
    table: Table, scale: str, output_dir: str, seeds: int, data_dir: str | None, real_pictures: str
) -> dict[tuple[str, int], Run]:
    """`list_runs` at this scale under `output_dir`; ValueError for a scale that the table is not for."""
    setting, folder = find_setting(scale, table), Path(output_dir, scale, table.setting_name)
    data_dir = data_dir if table.data_set == SCENES else None
    return list_runs(table, setting, folder, seeds, data_dir, Path(real_pictures))


def list_runs(
    table: Table, setting: Setting, folder: Path, seeds: int, data_dir: str | None, real_pictures: Path | None
) -> dict[tuple[str, int], Run]:
    """The runs by row and seed, each after the one that it begins from; `seeds` are those of the headline rows.

    `data_dir` is the folder of the data set's own files; `real_pictures` that of the folders REAL_PICTURES, on which
    models of Noisy Shapes are scored too.
    """
    runs = {}
    for row in table.rows:
        if row.recipe is not None:
            for seed in range(seeds if row.headline else 1):
                runs[row.key, seed] = _make_run(row, table, setting, folder, seed, data_dir, real_pictures)
    return runs


def list_starts(table: Table, wanted: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """The runs that those `wanted` begin from."""
    starts = {row.key: row.start for row in table.rows}
    return {(starts[key], seed) for key, seed in wanted if starts[key] is not None}


def _make_run(row, table, setting, folder, seed, data_dir, real_pictures) -> Run:
    data = () if data_dir is None else ("--data_dir", data_dir)
    train = (f"configs/{row.recipe}.yaml", "--seed", str(seed), *setting.data, *setting.running)
    if setting.train_size is not None:
        train += ("--train_size", str(setting.train_size * row.share // 100))
    start = None if row.start is None else str(_folder_of(folder, row.start, seed) / "training" / "model")
    if row.reinforces:
        train += (*setting.reinforce, "--checkpoint", start)
    else:
        train += setting.model
        train += () if start is None else ("--initial_model", start)
    for change in row.changes:
        train += setting.change(change)
    train += row.options
    train += (*setting.ends(row.start is not None), *data)
    more = ()
    if table.data_set == NOISY and real_pictures is not None:
        more = tuple((name, ("--data", str(real_pictures / name))) for name in REAL_PICTURES)
    script = "rl_train.py" if row.reinforces else "train.py"
    path = _folder_of(folder, row.key, seed)
    return Run(path.name, path, train, (*setting.evaluate, *data), script, more)


def _folder_of(folder: Path, key: str, seed: int) -> Path:
    return folder / f"{key}_{seed}"
