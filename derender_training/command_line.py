"""The command line of a training script: its help, and how it ends where something is wrong or it is stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from datasets_scripts.scenes import RenderError
from derender_training.checkpoints import CheckpointError
from derender_training.options import describe_options, read_options


INTERRUPTED = 130  # the exit status of what Ctrl-C stopped


def run_training(about: str, kind: type, train: Callable, arguments: list[str]) -> None:
    """`train` with the options, of the dataclass `kind`, that the arguments are; `about` is told by --help."""
    if {"-h", "--help"} & set(arguments):
        return print(about, describe_options(kind), sep="\n")
    try:
        train(read_options(kind, arguments))
    except (ValueError, RenderError, CheckpointError, FloatingPointError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") == "0":  # of several processes one tells
            print("\nstopped; the same command goes on from the last checkpoint, if there is one", file=sys.stderr)
        sys.exit(INTERRUPTED)
