"""A run's folder: whose it is, checkpoints that a kill or a full disk cannot spoil, and the best model."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from accelerate import Accelerator
from safetensors import SafetensorError


OPTIONS, CHECKPOINTS, MODEL, TENSORBOARD = "options.yaml", "checkpoints", "model", "tensorboard"
PROGRESS, LOCK = "progress.json", ".lock"
# Begins the name of what is being written or about to be deleted; what has another name is whole.
INCOMPLETE, OLD = ".incomplete-", ".old-"
FULL_BELOW = 1 << 20  # bytes
# Options that may change when a run is resumed: they say how it is run, not what it learns from. (With cuda_graphs
# other units are dropped out, so a change of that is not resumed bit for bit.)
HOW = ("output_dir", "num_workers", "num_threads", "save_every", "keep_pictures", "cuda_graphs")

logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)  # it tells at each save that tied weights are one


class CheckpointError(RuntimeError):
    """An output folder that cannot be used, or a checkpoint that cannot be written; the message says what to do."""


@dataclasses.dataclass
class Progress:
    """Where a run stands: steps done, the best validation score, its step, seconds taken, whether it ended.

    The score is the IOU in bins for cross-entropy, and the chosen metric, the negative of an error, for reinforcement
    learning, which keeps the score that it began with as well.
    `num_processes` and `mixed_precision` (no or bf16) are those that it was trained by so far.
    """

    step: int = 0
    best_score: float = -2.0
    best_step: int = 0
    start_score: float | None = None
    elapsed: float = 0.0
    finished: bool = False
    num_processes: int = 1
    mixed_precision: str = "no"


class RunFolder:
    """The output folder of the run with these `options` (a dataclass with `output_dir`).

    Opening it raises CheckpointError where it holds another run that has come to a checkpoint, or files that are no
    run's, or where another process trains in it. All processes of a run make one; the main process writes.
    """

    def __init__(self, options, accelerator: Accelerator):
        self.path, self.accelerator = Path(options.output_dir), accelerator
        self._options = dataclasses.asdict(options)
        try:
            self._check_owner()
            accelerator.wait_for_everyone()
            if accelerator.is_main_process:
                self._prepare()
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be used: {error}") from error
        accelerator.wait_for_everyone()

    @property
    def tensorboard(self) -> Path:
        return self.path / TENSORBOARD

    def _check_owner(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise CheckpointError(f"{self.path}: is a file; option 'output_dir' wants a folder")
        saved = self._read_options()
        if saved is not None and self._has_begun():
            return self._check_options(saved)
        own = (INCOMPLETE, LOCK, *((OPTIONS, CHECKPOINTS, TENSORBOARD) if saved is not None else ()))
        entries = list(self.path.iterdir()) if self.path.exists() else []
        foreign = sorted(entry.name for entry in entries if not entry.name.startswith(own))
        if foreign:
            raise CheckpointError(
                f"{self.path}: holds files that are no run's ({', '.join(foreign[:3])}); choose another output_dir"
            )

    def _read_options(self) -> dict | None:
        """Those of the run that the folder is of; None where it is no run's."""
        if not (self.path / OPTIONS).is_file():
            return None
        saved = yaml.safe_load((self.path / OPTIONS).read_text())
        return saved if isinstance(saved, dict) and "output_dir" in saved else None

    def _has_begun(self) -> bool:
        """Whether there is something to go on from, or to lose."""
        models = (self.path / MODEL, self.path / (OLD + MODEL))
        return self._last_checkpoint() is not None or any(path.exists() for path in models)

    def _check_options(self, saved: dict) -> None:
        names = [name for name in {**self._options, **saved} if name not in HOW]
        differing = [name for name in names if saved.get(name) != self._options.get(name)]
        if differing:
            changes = ", ".join(f"{name} was {saved.get(name)!r}" for name in differing)
            raise CheckpointError(
                f"{self.path}: holds another run ({changes}); choose another output_dir or delete it"
            )

    def _prepare(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        old = self.path / (OLD + MODEL)
        if old.exists() and not (self.path / MODEL).exists():  # killed between the two renames of `replace_folder`
            old.rename(self.path / MODEL)
        for folder in (self.path, self.path / CHECKPOINTS):
            for leftover in (*folder.glob(INCOMPLETE + "*"), *folder.glob(OLD + "*")):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        if not self._has_begun():
            for events in self.tensorboard.glob("events.out.tfevents.*"):  # maybe of one with other options
                events.unlink()
            incomplete = self.path / (INCOMPLETE + OPTIONS)
            incomplete.write_text(yaml.safe_dump(self._options, sort_keys=False))
            _flush(incomplete)
            _rename(incomplete, self.path / OPTIONS)

    def _take_lock(self) -> None:
        """Hold the folder until this process ends, however it ends."""
        self._lock = (self.path / LOCK).open("w")
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # flock's would stay with forked data workers
        except (BlockingIOError, PermissionError):
            raise CheckpointError(f"{self.path}: another process trains here at this moment") from None

    def read_progress(self) -> Progress:
        """Where the last checkpoint stands; the beginning where there is none."""
        last = self._last_checkpoint()
        if last is None:
            return Progress()
        try:
            return Progress(**json.loads((last / PROGRESS).read_text()))
        except (OSError, TypeError, ValueError) as error:
            raise CheckpointError(f"{last / PROGRESS}: is damaged: {error}") from None

    def _last_checkpoint(self) -> Path | None:
        return max((self.path / CHECKPOINTS).glob("step_*"), default=None)

    def load_checkpoint(self) -> Progress:
        """Fill the prepared model, optimizer and random states from the last checkpoint, if there is one.

        A run that is finished stays as it is.
        """
        progress, last = self.read_progress(), self._last_checkpoint()
        if last is None:
            return progress
        if progress.num_processes != self.accelerator.num_processes:
            raise CheckpointError(
                f"{last}: was written by {progress.num_processes} processes and cannot be resumed by "
                f"{self.accelerator.num_processes}"
            )
        if progress.mixed_precision != self.accelerator.mixed_precision:
            raise CheckpointError(
                f"{last}: was trained with mixed_precision {progress.mixed_precision!r} and cannot be resumed here, "
                f"where 'auto' is {self.accelerator.mixed_precision!r}"
            )
        if not progress.finished:  # of a run carried from elsewhere the states are not there
            self.accelerator.load_state(str(last))
        return progress

    def save_checkpoint(self, progress: Progress) -> None:
        """Write model, optimizer, random states and progress, and only then remove the checkpoint before.

        Raises CheckpointError where they cannot be written; the last good checkpoint stays.
        """
        previous = self._last_checkpoint()
        target = self.path / CHECKPOINTS / f"step_{progress.step:09d}"
        incomplete = target.with_name(INCOMPLETE + target.name)
        main_process = self.accelerator.is_main_process
        progress = dataclasses.replace(
            progress,
            num_processes=self.accelerator.num_processes,
            mixed_precision=self.accelerator.mixed_precision,
        )

        def write() -> None:
            self.accelerator.save_state(str(incomplete))
            if main_process:
                (incomplete / PROGRESS).write_text(json.dumps(dataclasses.asdict(progress)))
            self.accelerator.wait_for_everyone()
            if main_process:
                _flush(incomplete)
                _rename(incomplete, target)

        self._guard(write, incomplete, previous)
        if main_process and previous is not None and previous != target:
            old = previous.with_name(OLD + previous.name)
            previous.rename(old)
            shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def save_model(self, model, processor, describe: Callable[[], dict[str, bytes]] = dict) -> None:
        """Write the model, its processor and the files that `describe` makes to `model/`, in place of those before.

        Raises CheckpointError as above.
        """
        if not self.accelerator.is_main_process:
            return
        target, incomplete = self.path / MODEL, self.path / (INCOMPLETE + MODEL)
        files = describe()

        def write() -> None:
            self.accelerator.unwrap_model(model).save_pretrained(incomplete)
            processor.save_pretrained(incomplete)
            for name, content in files.items():
                (incomplete / name).write_bytes(content)
            _flush(incomplete)
            replace_folder(incomplete, target)

        self._guard(write, incomplete, target if target.exists() else None)

    def _guard(self, write: Callable[[], None], incomplete: Path, previous: Path | None) -> None:
        """Call `write`; where it fails, clear away what it wrote and say what stays."""
        try:
            write()
        # Safetensors and PyTorch's zip writer report a failed write by errors of their own.
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = "no space left on the disk" if _is_disk_full(error, self.path) else str(error)
            shutil.rmtree(incomplete, ignore_errors=True)
            stays = f"{previous} is as it was" if previous else "nothing was written before"
            raise CheckpointError(
                f"{incomplete.parent}: cannot be written: {reason}; {stays}. "
                "Make room and give the same command again to resume"
            ) from error


def _is_disk_full(error: Exception, folder: Path) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # PyTorch's writer does not tell the reason, so ask before what was written is cleared away.
    return os.strerror(errno.ENOSPC) in str(error) or shutil.disk_usage(folder).free < FULL_BELOW


def _flush(path: Path) -> None:
    """Have a file, or a folder and all in it, on the disk before it gets its final name."""
    for entry in (*path.rglob("*"), path):
        _flush_entry(entry)


def _flush_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    _flush_entry(target.parent)


def replace_folder(source: Path, target: Path) -> None:
    """Put folder `source` in place of folder `target`; at every moment one of old and new is there whole."""
    old = target.with_name(OLD + target.name)
    if target.exists():
        target.rename(old)
    _rename(source, target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Where to make the folder that takes the place of `target`, which stays as it is if that fails."""
    with TemporaryDirectory(dir=target.parent, prefix=INCOMPLETE) as folder:
        new = Path(folder, target.name)
        yield new
        replace_folder(new, target)
