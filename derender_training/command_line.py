"""The command line of a training script: its help, and how it ends where something is wrong or it is stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from datasets_scripts.scenes import RenderError
from derender_training.checkpoints import CheckpointError
from derender_training.options import OptionError, describe_options, find_origins, locate, read_options


INTERRUPTED = 130  # the exit status of what Ctrl-C stopped


def run_training(about: str, kind: type, train: Callable, arguments: list[str]) -> None:
    """`train` with the options, of the dataclass `kind`, that the arguments are; `about` is told by --help."""
    if {"-h", "--help"} & set(arguments):
        return print(about, describe_options(kind), sep="\n")
    origins = {}
    try:
        options = read_options(kind, arguments)
        origins = find_origins(arguments)
        train(options)
    except OptionError as error:
        sys.exit(f"error: {locate(error, origins)}")
    except (ValueError, RenderError, CheckpointError, FloatingPointError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        end_stopped("the same command goes on from the last checkpoint, if there is one")


def end_stopped(what_now: str) -> NoReturn:
    """End as what Ctrl-C stopped does, telling of it; of several processes one tells."""
    if os.environ.get("RANK", "0") == "0":
        print(f"\nstopped; {what_now}", file=sys.stderr)
    sys.exit(INTERRUPTED)
