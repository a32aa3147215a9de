"""PyTorch's threads, shared out among the processes of a machine."""

import os
import warnings

import torch


def set_threads(threads: int | None) -> None:
    """Let this process compute by `threads` threads; None leaves them as they are.

    A warning tells where the processes that `accelerate launch` or `torchrun` started on this machine have more
    threads than it has cores: they wait for each other, and training is several times as slow.
    """
    if threads:
        torch.set_num_threads(threads)
    threads, cores = torch.get_num_threads(), os.cpu_count()
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    share = max(1, cores // processes)
    if processes > 1 and threads > share and os.environ.get("LOCAL_RANK") == "0":
        warnings.warn(
            f"{processes} processes of {threads} threads each share {cores} cores, which is slow: "
            f"set num_threads to {share}",
            stacklevel=2,
        )
