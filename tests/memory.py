"""The most memory that this process has held, in bytes."""

from pathlib import Path


STATUS = Path("/proc/self/status")


def peak_memory() -> int:
    """Since the process began, in bytes; Linux only.

    `resource.getrusage` would count what the process that started this one held.
    """
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def forget_peak() -> None:
    """The most is from now on what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
