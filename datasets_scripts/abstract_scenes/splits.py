"""The splits of Abstract Scenes: 90% of the scenes for training and the rest for test, by scene or by sentence."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from datasets_scripts.scenes import SPLITS

from .data_folder import SCENES_FILE, find_data_dir
from .scenes_file import SCENES_PER_SENTENCE, ScenesFile, read_scenes_file


TEST_SHARE = 0.1
UNITS = ("scene", "sentence")

_logger = logging.getLogger(__name__)


def read_scenes(
    split: str,
    data_dir: str | Path | None = None,
    split_by: str = "scene",
    split_seed: int = 0,
    validation_share: float = 0.0,
) -> dict[str, list[dict]]:
    """The scenes of a split, {number in the data: objects}, the empty ones left out.

    Args:
        split: "train", "test" or "validation".
        data_dir: the folder of the data; None is what the environment variable names (`find_data_dir`).
        split_by: "scene" sends 10% of all scenes at random to the test split (the paper's: a test scene has siblings
            of its sentence in the training split); "sentence" sends 10% of the sentences, with all their scenes.
        split_seed: of the random choice. With the other options it decides, from the scene's number and the number
            of scenes that the file tells of, where a scene goes. Which scenes are empty does not matter: copies of the
            data that lack some are split alike.
        validation_share: the share of the training split that becomes the validation split.

    Raises:
        ValueError: an unknown split, or an option or data that do not fit; the message says which.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    if split_by not in UNITS:
        raise ValueError(f"split_by must be one of {', '.join(UNITS)}, not {split_by!r}")
    check_number("validation_share", validation_share, 0, 0.9)
    if not isinstance(split_seed, int) or isinstance(split_seed, bool) or split_seed < 0:
        raise ValueError(f"split_seed must be a whole number of at least 0, not {split_seed!r}")
    return _split(_read_once(find_scenes(data_dir)), split, split_by, split_seed, validation_share)


def check_number(name: str, value, least: float, most: float) -> None:
    """Raise ValueError, naming the option, for what is no number in that range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least} to {most}, not {value!r}")


@dataclass(frozen=True)
class FileVersion:
    """A scenes file as it is now: what is kept of it in memory does not outlive a change of the file."""

    data_dir: Path
    modified: int
    size: int


def find_scenes(data_dir: str | Path | None) -> FileVersion:
    """The scenes file of a data folder; errors as of `find_data_dir`."""
    folder = find_data_dir(data_dir)
    status = (folder / SCENES_FILE).stat()
    return FileVersion(folder, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _read_once(version: FileVersion) -> ScenesFile:
    file = read_scenes_file(version.data_dir)
    if file.num_empty:
        _logger.warning("%s: %d of %d scenes are empty, and left out", SCENES_FILE, file.num_empty, file.total)
    return file


def _split(file: ScenesFile, split: str, by: str, seed: int, validation_share: float) -> dict[str, list[dict]]:
    size = SCENES_PER_SENTENCE if by == "sentence" else 1
    units = np.random.default_rng(seed).permutation(-(-file.total // size))
    num_test = round(TEST_SHARE * len(units))
    num_validation = round(validation_share * (len(units) - num_test))
    bounds = {
        "test": (0, num_test),
        "validation": (num_test, num_test + num_validation),
        "train": (num_test + num_validation, len(units)),
    }
    taken = set(units[slice(*bounds[split])].tolist())
    return {str(number): objects for number, objects in file.scenes.items() if number // size in taken}
