"""Throws hostile pictures at the command, one after the other in this one process: python tests/fuzz.py COUNT MODEL

Prints a line of JSON: how each ended, the longest time and the most memory. Fails where one ends in a traceback, or
takes too long or too much.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hostile_pictures import make_pictures
from memory import peak_memory
from tqdm.auto import tqdm

from derender.cli import EXIT_STATUS, main


MOST_SECONDS, MOST_GIGABYTES = 30, 2
ENDINGS = {0: "read", **{status: name for name, status in EXIT_STATUS.items()}}
NAMED = {"read", "unreadable", "blank", "photograph", "crowded"}


def fuzz(count: int, model: str) -> dict:
    """What came of `count` pictures."""
    endings, problems, slowest = Counter(), [], 0.0
    with TemporaryDirectory() as folder:
        for name, content in tqdm(make_pictures(count), total=count, unit=" pictures"):
            path = Path(folder, name)
            path.write_bytes(content)
            began = time.monotonic()
            try:
                ending, told = read(path, model)
            except (Exception, SystemExit) as error:
                ending, told = "traceback", repr(error)
            slowest = max(slowest, time.monotonic() - began)
            endings[ending] += 1
            if ending not in NAMED or (ending != "read" and name not in told):
                problems.append(f"{name}: {ending}: {told.strip()[-300:]}")
            path.unlink()
    gigabytes = peak_memory() / (1 << 30)
    if slowest > MOST_SECONDS or gigabytes > MOST_GIGABYTES:
        problems.append(f"{slowest:.1f} seconds, {gigabytes:.2f} GB")
    return {"endings": dict(endings), "problems": problems, "seconds": slowest, "gigabytes": gigabytes}


def read(path: Path, model: str) -> tuple[str, str]:
    """How the command ended, and what it told on standard error."""
    output, told = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(told):
        status = main([str(path), "--model", model])
        output.flush()
    if status == 0:
        json.loads(output.buffer.getvalue())["objects"]
    return ENDINGS[status], told.getvalue()


if __name__ == "__main__":
    result = fuzz(int(sys.argv[1]), sys.argv[2])
    print(json.dumps(result))
    sys.exit(1 if result["problems"] else 0)
