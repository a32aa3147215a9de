"""The loop of optimiser steps, and what is to be done to the weights around it, for either kind of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from accelerate import Accelerator
from torch import Tensor

from derender_training.schedule import Schedule
from derender_training.training_log import TrainingLog


def train_steps(
    accelerator: Accelerator,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[dict[str, Tensor]],
    schedule: Schedule,
    log: TrainingLog,
    find_gradient: Callable[[dict[str, Tensor], int], tuple[Tensor, dict]],
    first_step: int = 0,
    max_gradient_norm: float | None = None,
) -> Iterator[tuple[int, bool]]:
    """Train a step on each batch; after each, yield the number of steps done and whether the run ends here.

    `find_gradient` takes a batch, which has `pixel_values`, and the number of steps done, leaves the gradient of the
    loss in the model's parameters, and returns the loss and the scalars to be logged with it. The model's mode (train
    or eval) is the caller's.
    """
    progress = schedule.progress(first_step)
    for step, batch in enumerate(batches, start=first_step + 1):
        batch = {name: tensor.to(accelerator.device, non_blocking=True) for name, tensor in batch.items()}
        learning_rate = schedule.learning_rate(step - 1, progress)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        loss, scalars = find_gradient(batch, step - 1)
        if max_gradient_norm is not None:
            scalars["gradient_norm"] = accelerator.clip_grad_norm_(model.parameters(), max_gradient_norm)
        optimizer.step()
        optimizer.zero_grad()
        progress = schedule.progress(step)
        num_images = len(batch["pixel_values"]) * accelerator.num_processes
        log.record_step(step, progress, loss, num_images, learning_rate=learning_rate, **scalars)
        yield step, progress >= 1
        if progress >= 1:
            return


def check_weights(model: torch.nn.Module, step: int) -> None:
    """Raise FloatingPointError where a weight is no number, which a checkpoint must not hold."""
    if not all(tensor.isfinite().all() for tensor in model.state_dict().values()):
        raise FloatingPointError(
            f"a weight is nan or infinite after step {step}: lower the learning rate or clip the gradient"
        )


def build_optimizer(options, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Adam with the learning rate, betas and weight decay of the options."""
    betas = tuple(options.betas)
    return torch.optim.Adam(
        model.parameters(), options.learning_rate, betas, weight_decay=options.weight_decay, fused=True
    )
