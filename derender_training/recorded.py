"""What a GPU does at each step, recorded once as a CUDA graph and replayed, without Python's time for each kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor

from derender_training.options import OptionError


WARM_UPS = 3  # runs before the recording, in which libraries choose their kernels


def check_recording(accelerator: Accelerator) -> None:
    """Raise OptionError where steps cannot be recorded."""
    if accelerator.device.type != "cuda":
        raise OptionError(f"option 'cuda_graphs': needs a CUDA GPU, and this run is on {accelerator.device.type}")
    if accelerator.num_processes > 1:
        raise OptionError(f"option 'cuda_graphs': is for one process, not {accelerator.num_processes}")


class Recorded:
    """`function`, of tensors to a tuple of tensors, both of the same shapes at each call; recorded at the first call.

    What it adds to the gradients of `model`'s parameters replaces those that they had. It must not wait for the GPU,
    and what it does on the CPU is done only while it is recorded. To record it changes neither the model's buffers
    (BatchNorm's statistics) nor the random numbers to come. Raises ValueError for arguments of another shape.
    """

    def __init__(self, function: Callable[..., tuple[Tensor, ...]], model: torch.nn.Module):
        self.function, self.model = function, model
        self._graph = None

    def __call__(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        if self._graph is None:
            self._record(arguments)
        for own, given in zip(self._arguments, arguments, strict=True):
            if given.shape != own.shape:
                raise ValueError(f"recorded with {tuple(own.shape)}, not {tuple(given.shape)}")
            own.copy_(given, non_blocking=True)
        self._graph.replay()
        for parameter, gradient in self._gradients:
            parameter.grad = gradient
        return tuple(result.clone() for result in self._results)  # the next replay writes to the same place

    def _record(self, arguments: tuple[Tensor, ...]) -> None:
        self._arguments = [argument.clone() for argument in arguments]
        with _undone(self.model):
            for _ in range(WARM_UPS):
                self.model.zero_grad()
                self.function(*self._arguments)
        self.model.zero_grad()
        graph = torch.cuda.CUDAGraph()
        # The thread that pins batches goes on meanwhile, which "global" does not allow.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._results = self.function(*self._arguments)
        self._gradients = [(item, item.grad) for item in self.model.parameters() if item.grad is not None]
        self._graph = graph


@contextmanager
def _undone(model: torch.nn.Module) -> Iterator[None]:
    """Runs on a stream of its own, as what is to be recorded has to; `model`'s buffers and random numbers stay."""
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.random.fork_rng([torch.cuda.current_device()]), torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)
    with torch.no_grad():
        for buffer, before in buffers:
            buffer.copy_(before)
