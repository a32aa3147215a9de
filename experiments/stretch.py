"""What half an hour of one large GPU is spent on: python -m experiments.stretch NAME --data_dir AbstractScenes_v1.1

Carries out rows of the paper's tables side by side, by commands of experiments/reproduce.py, from data to table, and
leaves in runs/stretch/NAME their logs, results.tgz (records and tables) and the weights of Transformers, by
experiments.carry_weights, in pieces under 16 MiB. The same command goes on where it was stopped. Scale "tiny" is to
rehearse it all on a CPU. Processes share a GPU well only under NVIDIA's MPS (`nvidia-cuda-mps-control -d`), and the
pictures of each need some 8 GB of /dev/shm.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

from tqdm.auto import tqdm

from derender_training.result_file import write_bytes
from experiments.carry_weights import pack_these
from experiments.paper_rows import NOISY, SCENES, SEEDS, SIZE
from experiments.paper_scales import SCALES
from experiments.reproduction import RESULTS
from experiments.runs import COMMANDS, ROOT


@dataclass(frozen=True)
class Part:
    """Rows of a table, all at a time, with so many `seeds`.

    `after` is a run that has the GPU for itself: the part begins when its time is over. `kept` are runs whose weights
    are carried away, 64 MiB of all at most.
    """

    table: str
    rows: tuple[str, ...]
    seeds: int = 1
    after: str | None = None
    kept: tuple[str, ...] = ()


HEADLINE = ("transformer", "longer", "iou_image")
FIRST, *OTHERS = (f"{NOISY}/transformer_{seed}" for seed in range(SEEDS))
OTHER_SCENES = tuple(f"{SCENES}/transformer_{seed}" for seed in range(1, SEEDS))
STRETCHES = {
    "table_1": (
        Part("1", ("transformer", "longer", "iou", "image", "iou_image"), kept=(FIRST,)),
        Part("2", ("lstm", "cnn_lstm"), after=FIRST),
    ),
    "table_3": (
        Part("3", ("lstm", "lstm_random", "transformer_random")),
        Part("2", HEADLINE, SEEDS, kept=OTHER_SCENES),
    ),
    "seeds": (Part("1", HEADLINE, SEEDS, kept=tuple(OTHERS)),),
    "size": (Part("size", tuple(row.key for row in SIZE.rows if row.share < 100)),),
}  # the other rows of Table 2 have been run


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    parts, folder = STRETCHES[options.name], Path(options.folder, options.name)
    results, runs = folder / "results", Path(options.output_dir, options.scale)
    try:
        prepare(results, options.scale)
        failed = carry_out(parts, options, folder, results)
        leave(folder, results, runs, [runs / name for part in parts for name in part.kept])
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    if failed:
        sys.exit("\n".join(f"error: {log}: the command did not come to its end" for log in failed))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=STRETCHES)
    parser.add_argument("--scale", choices=("paper", "tiny"), default="paper")
    parser.add_argument("--data_dir", required=True, help="the folder of the Abstract Scenes files")
    parser.add_argument("--real_pictures", default="../shared/data", help="as of experiments/reproduce.py")
    parser.add_argument("--output_dir", default="runs/reproduce", help="where the runs are")
    parser.add_argument("--folder", default="runs/stretch", help="where what is left is")
    parser.add_argument("--stop_after", type=float, metavar="MINUTES", help="stop then, to go on another time")
    return parser.parse_args(arguments)


def prepare(results: Path, scale: str) -> None:
    """The records that are there count as done; they are added to beside, so that the commit that is told stays."""
    known = Path(RESULTS, "records", scale)
    if known.is_dir() and not results.exists():
        copytree(known, results / "records" / scale)
    results.mkdir(parents=True, exist_ok=True)


def carry_out(parts: Sequence[Part], options: argparse.Namespace, folder: Path, results: Path) -> list[Path]:
    """Carry out the parts, each with a log in `folder`; the logs of those that failed or were stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    minutes = SCALES[options.scale][NOISY].budget[0]

    def execute(part: Part) -> Path | None:
        if part.after is not None:
            _wait(Path(options.output_dir, options.scale, part.after, COMMANDS), begin + 60 * minutes)
        command = find_command(part, options, results)
        if options.stop_after is not None:
            command += ["--stop_after", str(max(0.0, options.stop_after - (time.monotonic() - begin) / 60))]
        log = folder / f"table_{part.table}.log"
        with log.open("a") as output:
            print("$", *command, file=output, flush=True)
            ended = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, stdout=output, stderr=output)
        return log if ended.returncode else None

    with ThreadPoolExecutor(len(parts)) as pool:
        return [log for log in tqdm(pool.map(execute, parts), "tables", len(parts), unit=" tables") if log is not None]


def _wait(done: Path, latest: float) -> None:
    while not done.is_file() and time.monotonic() < latest:
        time.sleep(0.5)


def find_command(part: Part, options: argparse.Namespace, results: Path) -> list[str]:
    """The command that carries out the part's rows."""
    places = {
        "data_dir": options.data_dir, "real_pictures": options.real_pictures, "output_dir": options.output_dir,
        "results": results,
    }  # fmt: skip
    return [
        *("python", "experiments/reproduce.py", "--table", part.table, "--scale", options.scale),
        *("--seeds", str(part.seeds), "--jobs", str(part.seeds * len(part.rows)), "--rows", *part.rows),
        *(text for name, place in places.items() for text in (f"--{name}", str(place))),
    ]


def leave(folder: Path, results: Path, runs: Path, kept: Sequence[Path]) -> None:
    """Write results.tgz and the pieces of those runs that are done of the `kept` ones."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(results, arcname="results")
    write_bytes(folder / "results.tgz", content.getvalue())
    pack_these([run for run in kept if (run / COMMANDS).is_file()], runs, folder)


if __name__ == "__main__":
    main()
