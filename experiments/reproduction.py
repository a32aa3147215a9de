"""Makes the tables of the paper, or ours: python experiments/reproduce.py --table 1|2|3|size --scale cpu|paper

Trains and scores what the rows need and writes table_TABLE_SCALE.json, .md and the figures. The same command again
goes on where it was stopped, and nothing is done twice: tables share their runs, and a run whose record lies in the
results counts as done. With --rows only these are carried out; the table has what is done. Scale "tiny" is to see that
all of it works.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from datasets_scripts.scenes import RenderError
from derender.cli import positive
from derender_training.result_file import write_bytes, write_json
from experiments.paper_figures import plot_curves, plot_sizes
from experiments.paper_rows import NOISY, SCENES, SEEDS, TABLES, Table
from experiments.paper_runs import REAL_PICTURES, find_runs, list_starts
from experiments.paper_scales import SCALES
from experiments.paper_statistics import compare, describe_scores
from experiments.paper_table import as_markdown
from experiments.reading_figure import draw_for, find_different
from experiments.run_records import INSTEAD, make_record, read_record, write_record
from experiments.runs import Run, RunError, Stopped, execute_runs


RESULTS = "experiments/results"
READ = ("transformer", "iou_image")  # whose readings are drawn
FIGURES = {  # by the end of a file's name
    "": "Share of exact pictures by the percent of the training data",
    "_curves": "Validation scores by step, from the start and from the checkpoint",
    "_readings": "Test pictures drawn again from what was true, what cross-entropy read and what reinforcement read",
}


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    table = TABLES[options.table]
    deadline = None if options.stop_after is None else time.monotonic() + 60 * options.stop_after
    place = Path(options.scale, table.setting_name)
    folder, records = Path(options.output_dir, place), Path(options.results, "records", place)
    try:
        places = (options.data_dir, options.real_pictures)
        runs = find_runs(table, options.scale, options.output_dir, options.seeds, *places)
        if table.data_set == NOISY:
            check_real_pictures(options.real_pictures)
        found = carry_out(table, runs, records, options.jobs, deadline, options.rows)
    except Stopped as stop:
        sys.exit(f"stopped: {stop}")
    except (OSError, RunError, ValueError) as error:
        sys.exit(f"error: {error}")
    result = summarize(table, found) | {"scale": options.scale, "table": options.table}
    if options.results != RESULTS:
        result["results"] = options.results
    result["instead"] = describe_instead(records / f"{INSTEAD}.json", table, found)
    write_result(Path(options.results), table, result, found)
    try:
        write_readings(options, table, runs, folder)
    except (OSError, RenderError, ValueError) as error:
        sys.exit(f"error: the figure of readings: {error}")
    finally:
        write_table(Path(options.results), table, result)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=TABLES, required=True)
    parser.add_argument("--scale", choices=SCALES, required=True)
    parser.add_argument("--data_dir", help="the folder of the Abstract Scenes files")
    parser.add_argument(
        "--real_pictures", default="../shared/data", help=f"the folder of {' and '.join(REAL_PICTURES)}"
    )
    parser.add_argument("--output_dir", default="runs/reproduce", help="where the runs are")
    parser.add_argument("--results", default=RESULTS, help="where tables, figures and records are")
    parser.add_argument("--seeds", type=positive, default=SEEDS, help="of the headline rows; the others have one")
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="only these, by their keys; else all")
    parser.add_argument("--jobs", type=positive, default=2, help="runs at a time")
    parser.add_argument("--stop_after", type=float, metavar="MINUTES", help="stop then, to go on another time")
    return parser.parse_args(arguments)


def check_real_pictures(folder: str) -> None:
    """ValueError where the folder lacks REAL_PICTURES."""
    missing = [name for name in REAL_PICTURES if not Path(folder, name, "metadata.jsonl").is_file()]
    if missing:
        raise ValueError(f"--real_pictures {folder}: has no {' and no '.join(missing)}")


def carry_out(
    table: Table,
    runs: dict,
    records: Path,
    jobs: int,
    deadline: float | None,
    rows: Sequence[str] | None = None,
) -> dict:
    """The records of `runs` (by row and seed), made where they are not there, and asked for by `rows` if given.

    Those that are not done are left out. Raises RunError, once what begins from runs that are done is over, Stopped,
    and ValueError for a row that the table has not.
    """
    known = [row.key for row in table.rows if row.recipe is not None]
    unknown = [key for key in rows or () if key not in known]
    if unknown:
        raise ValueError(f"--rows {unknown[0]}: the table has {', '.join(known)}")
    found = {key: read_record(_record_path(records, run), run) for key, run in runs.items()}
    wanted = [key for key, record in found.items() if record is None and (rows is None or key[0] in rows)]
    # A run that is begun from has to be here itself, its record alone does not do.
    needed, errors = {*wanted, *list_starts(table, wanted)}, []
    keys = {run.name: key for key, run in runs.items()}

    def keep(run: Run) -> None:
        found[keys[run.name]] = record = make_record(run)
        write_record(_record_path(records, run), record)

    for title, begins in (("from the start", False), ("from these", True)):
        now = [key for key in runs if key in needed and bool(list_starts(table, [key])) == begins]
        now = [key for key in now if all(runs[start].is_done() for start in list_starts(table, [key]))]
        try:
            execute_runs([runs[key] for key in now], jobs, f"{table.title}, {title}", deadline, keep)
        except RunError as error:
            errors.append(str(error))
        except Stopped as stop:
            raise Stopped("\n".join([*errors, str(stop)])) from None
    if errors:
        raise RunError("\n".join(errors))
    return {key: record for key, record in found.items() if record is not None}


def _record_path(records: Path, run: Run) -> Path:
    return records / f"{run.name}.json"


def summarize(table: Table, records: dict[tuple[str, int], dict]) -> dict:
    """Scores of every row, with what the paper has and how much is between, and the tests against the bases."""
    own = {row.key: {seed: record for (key, seed), record in records.items() if key == row.key} for row in table.rows}
    rows = []
    for row in table.rows:
        paper = {name: value for name, value in row.paper.items() if name in table.measures}
        item = {"key": row.key, "label": row.label, "paper": paper, "share": row.share, "note": row.note}
        seeds = list(own[row.key].values())
        if seeds:
            item["scores"] = describe_scores(seeds, table.measures)
            item["lacks"] = {name: 100 * item["scores"][name]["mean"] - value for name, value in paper.items()}
            item["real"] = _describe_real(seeds)
            item["runs"] = {name: [record[name] for record in seeds] for name in ("minutes", "steps", "best_step")}
            item["hardware"] = sorted({record["hardware"] for record in seeds})
        item["against"] = {
            base: _compare_same_seeds(own[row.key], own[base], table.measures)
            for base in (*(table.bases if row.is_compared else ()), *row.over)
            if own[row.key].keys() & own[base].keys()
        }
        rows.append(item)
    every = list(records.values())
    return {
        "rows": rows,
        "commits": sorted({str(record["commit"]) for record in every}),
        "hardware": sorted({record["hardware"] for record in every}),
        "minutes": sum(record["minutes"] for record in every),
        "pictures": len(every[0]["pictures"]["true"]),
        "image_size": next(record["training"]["image_size"] for record in every if record["training"]["image_size"]),
        "batch_size": every[0]["training"]["batch_size"],
    }


def _compare_same_seeds(ours: dict[int, dict], theirs: dict[int, dict], measures: Sequence[str]) -> dict:
    seeds = sorted(ours.keys() & theirs.keys())
    return compare([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds], measures)


def describe_instead(path: Path, table: Table, records: dict[tuple[str, int], dict]) -> list[dict]:
    """The rows of what one would pick instead, where its record is there, and of our Transformer in the same time."""
    if not path.is_file() or ("transformer", 0) not in records:
        return []
    rows = {"VisionEncoderDecoderModel": json.loads(path.read_text()), "ours": records["transformer", 0]}
    return [
        {
            "label": label,
            "scores": {name: record["scores"][name] for name in table.measures},
            "images_per_second": record["images_per_second"],
            "minutes": record["minutes"],
            "hardware": record["hardware"],
            "commit": record["commit"],
        }
        for label, record in rows.items()
    ]


def write_readings(options: argparse.Namespace, table: Table, runs: dict, folder: Path) -> None:
    """The paper's Fig. 4, where both models are here and read differently.

    Scenes are drawn with clip art whose licence keeps it out of the repository: their figure lies with the runs.
    """
    both = [runs.get((key, 0)) for key in READ]
    if not all(run is not None and run.is_done() for run in both):
        return
    place = Path(options.results) if table.data_set == NOISY else folder
    path = place / f"table_{options.table}_{options.scale}_readings.png"
    evaluations = [run.read() for run in both]
    data_dir = options.data_dir if table.data_set == SCENES else None
    if find_different(evaluations):
        write_bytes(path, draw_for(table.data_set, evaluations, data_dir))
    else:
        path.unlink(missing_ok=True)  # of other runs
        print("no figure of readings: reinforcement's best model is the one that it began with", file=sys.stderr)


def _describe_real(records: Sequence[dict]) -> dict:
    return {
        name: describe_scores([{"scores": record["more"][name]} for record in records], ("iou", "iou_1.0"))
        | {"pictures": records[0]["more"][name]["pictures"]}
        for name in records[0]["more"]
    }


def write_result(folder: Path, table: Table, result: dict, records: dict) -> None:
    name = f"table_{result['table']}_{result['scale']}"
    write_json(folder / f"{name}.json", result)
    write_bytes(folder / f"{name}_curves.png", plot_curves(table, records))
    if result["table"] == "size":
        write_bytes(folder / f"{name}.png", plot_sizes(result["rows"]))


def write_table(folder: Path, table: Table, result: dict) -> None:
    """In Markdown, with the figures that are there."""
    name, text = f"table_{result['table']}_{result['scale']}", as_markdown(table, result)
    figures = [
        f"\n![{title}]({name}{end}.png)\n" for end, title in FIGURES.items() if (folder / f"{name}{end}.png").is_file()
    ]
    write_bytes(folder / f"{name}.md", "".join([text, *figures]).encode())
    print(text)
