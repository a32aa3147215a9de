"""What half an hour of one large GPU is spent on: python -m experiments.stretch NAME --data_dir AbstractScenes_v1.1

Carries out rows of the paper's tables side by side, by commands of experiments/reproduce.py, from data to table, and
leaves in runs/stretch/NAME their logs, results.tgz (records and tables) and the weights of Transformers, by
experiments.carry_weights, in pieces under 16 MiB. The same command goes on where it was stopped. Scale "tiny" is to
rehearse it all on a CPU. Processes share a GPU well only under NVIDIA's MPS (`nvidia-cuda-mps-control -d`), and the
pictures of each need some 8 GB of /dev/shm. Where a shell on the GPU's machine ends before the half hour does, begin
it by setsid: one process from beginning to end.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from shutil import copytree

from tqdm.auto import tqdm

from derender_training.result_file import write_bytes
from experiments.carry_weights import find_size, pack_these
from experiments.paper_rows import SEEDS, SIZE, TABLES
from experiments.paper_runs import find_runs
from experiments.paper_scales import find_setting
from experiments.reproduction import RESULTS
from experiments.runs import LOG, ROOT, Run


@dataclass(frozen=True)
class Part:
    """Rows of a table, all at a time, with so many `seeds`.

    The weights of the `kept` rows are carried away, as many as fit into MOST. `later`: it begins when the row that
    the first part begins with has had the GPU for itself for the share ALONE of its time.
    """

    table: str
    rows: tuple[str, ...]
    seeds: int = 1
    kept: tuple[str, ...] = ()
    later: bool = False


ALONE = 0.75
MOST = 60 << 20  # bytes of pieces: what a machine gives back may be 64 MiB in all
OFTEN = 120  # seconds from one time to the next that what there is so far is left
HEADLINE, KEPT = ("transformer", "longer", "iou_image"), ("transformer",)
STRETCHES = {
    "table_1": (
        Part("1", ("transformer", "longer", "iou", "image", "iou_image"), kept=KEPT),
        Part("2", ("lstm", "cnn_lstm"), later=True),
    ),
    "table_3": (Part("3", ("lstm", "lstm_random", "transformer_random")), Part("2", HEADLINE, SEEDS, KEPT)),
    "seeds": (Part("1", HEADLINE, SEEDS, KEPT),),
    "size": (Part("size", tuple(row.key for row in SIZE.rows if row.share < 100)),),
}  # the other rows of Table 2 have been run


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    parts, folder = STRETCHES[options.name], Path(options.folder, options.name)
    results = folder / "results"
    try:
        prepare(results, options.scale)
        try:
            failed = carry_out(parts, options, folder, results)
        finally:
            leave(parts, options, folder, results)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    if failed:
        sys.exit("\n".join(f"error: {log}: the command did not come to its end" for log in failed))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=STRETCHES)
    parser.add_argument("--scale", choices=("paper", "tiny"), default="paper")
    parser.add_argument("--data_dir", help="the folder of the Abstract Scenes files")
    parser.add_argument("--real_pictures", default="../shared/data", help="as of experiments/reproduce.py")
    parser.add_argument("--output_dir", default="runs/reproduce", help="where the runs are")
    parser.add_argument("--folder", default="runs/stretch", help="where what is left is")
    parser.add_argument("--stop_after", type=float, metavar="MINUTES", help="stop then, to go on another time")
    return parser.parse_args(arguments)


def prepare(results: Path, scale: str) -> None:
    """Copy the records, which count as done: new ones beside them do not change the commit that runs tell."""
    known = Path(RESULTS, "records", scale)
    if known.is_dir() and not results.exists():
        copytree(known, results / "records" / scale)
    results.mkdir(parents=True, exist_ok=True)


def carry_out(parts: Sequence[Part], options: argparse.Namespace, folder: Path, results: Path) -> list[Path]:
    """Carry out the parts, each with a log in `folder`; the logs of those that failed or were stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    begin, first_over = time.monotonic(), threading.Event()

    def execute(part: Part) -> Path | None:
        if part.later:
            first_over.wait(_find_delay(parts[0], options))
        command = find_command(part, options, results)
        if options.stop_after is not None:
            command += ["--stop_after", str(max(0.0, options.stop_after - (time.monotonic() - begin) / 60))]
        log = folder / f"table_{part.table}.log"
        with log.open("a") as output:
            print("$", *command, file=output, flush=True)
            ended = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, stdout=output, stderr=output)
        if part is parts[0]:
            first_over.set()
        return log if ended.returncode else None

    with ThreadPoolExecutor(len(parts)) as pool, tqdm(total=len(parts), desc="tables", unit=" tables") as bar:
        begun = [pool.submit(execute, part) for part in parts]
        waiting, packed = set(begun), []
        while waiting:
            try:
                packed = leave(parts, options, folder, results, packed)
            except OSError as error:  # what is just being written may be read whole the next time
                tqdm.write(f"nothing is left for now: {error}")
            over, waiting = wait(waiting, OFTEN, FIRST_COMPLETED)
            bar.update(len(over))
    return [log for log in (future.result() for future in begun) if log is not None]


def _find_delay(first: Part, options: argparse.Namespace) -> float:
    """The seconds that the run which `first` begins with is to be alone from now on: none where it is done."""
    run = _find_runs(first, options)[first.rows[0], 0]
    if run.is_done():
        return 0.0
    progress = run.read_progress()
    elapsed = 0.0 if progress is None else progress["elapsed"]
    return max(0.0, 60 * ALONE * find_setting(options.scale, TABLES[first.table]).budget[0] - elapsed)


def _find_runs(part: Part, options: argparse.Namespace) -> dict[tuple[str, int], Run]:
    places = (options.data_dir, options.real_pictures)
    return find_runs(TABLES[part.table], options.scale, options.output_dir, part.seeds, *places)


def find_command(part: Part, options: argparse.Namespace, results: Path) -> list[str]:
    """The command that carries out the part's rows."""
    places = {
        "data_dir": options.data_dir, "real_pictures": options.real_pictures, "output_dir": options.output_dir,
        "results": results,
    }  # fmt: skip
    return [
        *("python", "experiments/reproduce.py", "--table", part.table, "--scale", options.scale),
        *("--seeds", str(part.seeds), "--jobs", str(part.seeds * len(part.rows)), "--rows", *part.rows),
        *(text for name, place in places.items() if place is not None for text in (f"--{name}", str(place))),
    ]


def leave(
    parts: Sequence[Part], options: argparse.Namespace, folder: Path, results: Path, packed: Sequence[Path] = ()
) -> list[Path]:
    """Write results.tgz, the runs' logs in it, and the pieces of those runs that are done of the kept rows.

    Returns these; nothing is packed where they are those that are `packed` already. Where they are more than MOST,
    the last are left out.
    """
    runs = [(part, row, run) for part in parts for (row, _), run in _find_runs(part, options).items()]
    content, place = io.BytesIO(), Path(options.output_dir, options.scale)
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(results, arcname="results")
        for log in {run.folder / LOG for part, row, run in runs if row in part.rows}:
            if log.is_file():
                archive.add(log, arcname=str("logs" / log.relative_to(place)))
    write_bytes(folder / "results.tgz", content.getvalue())
    done = [run.folder for part, row, run in runs if row in part.kept and run.is_done()]
    if done != list(packed):
        sizes = accumulate(map(find_size, done))
        fitting = [run for run, size in zip(done, sizes, strict=True) if size <= MOST]
        for run in done[len(fitting) :]:
            tqdm.write(f"{run}: its weights are not left, they do not fit into {MOST >> 20} MiB with the others")
        pack_these(fitting, place, folder)
    return done


if __name__ == "__main__":
    main()
