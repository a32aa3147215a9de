"""The option of a table's file, whose numbers come beside it."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def table_file(text: str) -> Path:
    """A path that ends in .md."""
    path = Path(text)
    if path.suffix != ".md":
        raise ArgumentTypeError(f"{text}: must end in .md; the .json comes beside it")
    return path
