"""Carries runs from one machine to the next: python -m experiments.carry_weights pack|unpack RUNS FOLDER

`pack` writes what counts of the runs that are done under RUNS, with their weights in bfloat16 and without the
optimiser's state, as pieces under 16 MiB into FOLDER; `unpack` puts them back, and experiments/reproduce.py takes them
as done.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from tqdm.auto import tqdm

from derender_training.checkpoints import CHECKPOINTS, PROGRESS
from derender_training.result_file import write_bytes
from experiments.runs import COMMANDS


PIECE = 15 << 20  # bytes
PIECES = "runs-*-of-*.part"
WEIGHTS = "model.safetensors"


def pack(runs: Path, folder: Path) -> list[Path]:
    """Write the pieces; ValueError where no run is done."""
    done = sorted(path.parent for path in runs.rglob(COMMANDS))
    if not done:
        raise ValueError(f"{runs}: holds no run that is done")
    return pack_these(done, runs, folder)


def pack_these(done: Sequence[Path], runs: Path, folder: Path) -> list[Path]:
    """Write the pieces of the runs `done`, which lie under `runs`, in place of others; none of no run."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for run in tqdm(done, desc="pack", unit=" runs"):
            for path in _files(run):
                data = halve(path) if path.name == WEIGHTS else path.read_bytes()
                entry = tarfile.TarInfo(str(path.relative_to(runs)))
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    data = content.getvalue() if done else b""
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
    paths = [folder / f"runs-{number:03d}-of-{len(pieces):03d}.part" for number in range(1, len(pieces) + 1)]
    for old in set(folder.glob(PIECES)) - set(paths):
        old.unlink()
    for path, piece in zip(paths, pieces, strict=True):
        write_bytes(path, piece)
    return paths


def _files(run: Path) -> Iterator[Path]:
    """A run's files but for the states in its checkpoints."""
    for path in sorted(run.rglob("*")):
        if path.is_file() and (CHECKPOINTS not in path.parts or path.name == PROGRESS):
            yield path


def find_size(run: Path) -> int:
    """About how many bytes of pieces a run takes; its weights are float32."""
    return sum(path.stat().st_size // (2 if path.name == WEIGHTS else 1) for path in _files(run))


def halve(path: Path) -> bytes:
    """The content of a file of weights with its numbers in bfloat16."""
    return _save({name: tensor.bfloat16() if tensor.is_floating_point() else tensor for name, tensor in _load(path)})


def unpack(folder: Path, runs: Path) -> None:
    """Put the runs back under `runs`; ValueError where pieces are missing or of different sets."""
    paths = sorted(folder.glob(PIECES))
    if not paths or len(paths) != int(paths[0].stem.rsplit("-", 1)[1]):
        raise ValueError(f"{folder}: holds {len(paths)} pieces, which are not all of one set")
    content = b"".join(path.read_bytes() for path in paths)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(runs, filter="data")
        weights = [runs / name for name in archive.getnames() if Path(name).name == WEIGHTS]
    for path in tqdm(weights, desc="unpack", unit=" models"):
        tensors = {name: tensor.float() if tensor.dtype == torch.bfloat16 else tensor for name, tensor in _load(path)}
        write_bytes(path, _save(tensors))


def _load(path: Path) -> Iterable[tuple[str, torch.Tensor]]:
    return load_file(path).items()


def _save(tensors: dict[str, torch.Tensor]) -> bytes:
    return save(tensors, metadata={"format": "pt"})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pack", "unpack"))
    parser.add_argument("runs", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.what == "pack":
            print(*pack(options.runs, options.folder), sep="\n")
        else:
            unpack(options.folder, options.runs)
    except (OSError, ValueError, tarfile.TarError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
