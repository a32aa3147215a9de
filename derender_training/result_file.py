"""Result files, written whole or not at all, and where results come from: the command, the commit, the hardware."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

import torch


def describe_origin(device: torch.device) -> dict:
    """The running command, the commit of this code (None outside a git checkout) and the hardware."""
    # Where Python lies is a matter of one machine.
    command = shlex.join(["python", *sys.orig_argv[1:]])
    return {"command": command, "commit": find_commit(), "hardware": describe_hardware(device)}


def find_commit() -> str | None:
    """The commit of the checkout this file lies in, with "-dirty" where tracked files differ from it."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True).returncode
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}-dirty" if changed else commit


def describe_hardware(device: torch.device) -> str:
    """One line: the accelerator, or the processor with the threads PyTorch uses of those there are."""
    versions = f"PyTorch {torch.__version__}"
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {versions}"
    return f"{_processor_name()}, {torch.get_num_threads()} of {os.cpu_count()} threads, {versions}"


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def read_evaluation(path: str | Path) -> dict:
    """The content of a file that eval.py wrote; ValueError names a file that is not there or is none of its."""
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(result, dict) or "predictions" not in result or "data_options" not in result:
        raise ValueError(f"{path}: is not an evaluation written by eval.py --json")
    return result


def write_json(path: str | Path, result: dict) -> None:
    write_bytes(path, (json.dumps(result, indent=1) + "\n").encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write beside the file, then rename: the file is whole or as it was before.

    A link is followed to its file; a pipe or a device, as all in /dev, is written to.
    """
    path = Path(path)
    if path.parent == Path("/dev") or (path.exists() and not path.is_file() and not path.is_dir()):
        with path.open("ab") as stream:
            stream.write(content)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that is no longer than the file's own may be, whatever that is.
    unfinished = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
