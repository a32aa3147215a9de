"""What a run shows of itself: a progress bar and TensorBoard scalars, on the main process."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm.auto import tqdm

from derender_training.checkpoints import CheckpointError


LOG_EVERY = 10


class TrainingLog:
    """Progress bar and TensorBoard of a run that stands at `step`.

    The loss is read from its device only every LOG_EVERY steps, and shown as the mean over them (in the main process's
    share of the batches). TensorBoard hides what a run killed after its last checkpoint logged beyond it. Raises
    CheckpointError where TensorBoard's file cannot be written.
    """

    def __init__(self, folder: Path, step: int, main_process: bool = True):
        self.folder, self.main_process = folder, main_process
        self.bar = tqdm(total=1.0, bar_format="{percentage:3.0f}%|{bar:20}| {desc}", disable=not main_process)
        self.writer = None
        if main_process:
            with self._guard():
                self.writer = SummaryWriter(str(folder), purge_step=step + 1)
        self._begin = self._first_progress = None
        self._losses = []
        self.restart_clock()

    def restart_clock(self) -> None:
        """Begin measuring the speed anew, after something that is no training step."""
        self._images, self._mark = 0, time.monotonic()

    def record_step(self, step: int, progress: float, loss: torch.Tensor, num_images: int, **scalars) -> None:
        """Take note of one step; `scalars` (numbers or tensors) are written as they are.

        `progress` is the share of the run that is done, `num_images` the pictures of the step on all processes.
        Raises FloatingPointError for a loss of nan or infinity.
        """
        if self._begin is None:
            self._begin, self._first_progress = self._mark, progress
        self._losses.append(loss)
        self._images += num_images
        if step % LOG_EVERY:
            return
        loss = torch.stack(self._losses).mean().item()
        self._losses = []
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {step}: lower the learning rate or clip the gradient"
            )
        speed = self._images / (time.monotonic() - self._mark)
        self.restart_clock()
        if self.main_process:
            self._write(step, {"loss": loss, "images_per_second": speed, **scalars}, "training")
            self._show(step, progress, loss, speed)

    def record_scores(self, step: int, scores: dict[str, float]) -> None:
        if self.main_process:
            self._write(step, scores, "validation")
            with self._guard():
                self.writer.flush()

    def say(self, text: str) -> None:
        """Print a line above the progress bar."""
        if self.main_process:
            self.bar.write(text)

    def close(self) -> None:
        self.bar.close()
        if self.writer is not None:
            with self._guard():
                self.writer.close()

    def _write(self, step: int, scalars: dict, group: str) -> None:
        with self._guard():
            for name, value in scalars.items():
                self.writer.add_scalar(f"{group}/{name}", value, step)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CheckpointError(
                f"{self.folder}: cannot be written: {error.strerror or error}. "
                "Make room and give the same command again to resume"
            ) from error

    def _show(self, step: int, progress: float, loss: float, speed: float) -> None:
        self.bar.n = min(1.0, progress)
        done = progress - self._first_progress
        left = (time.monotonic() - self._begin) * (1 - progress) / done if done else None
        left = "" if left is None else f", {tqdm.format_interval(left)} left"
        self.bar.set_description_str(f"step {step}, loss {loss:.4f}, {speed:.0f} images/s{left}")
