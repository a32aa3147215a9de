"""The splits of Abstract Scenes: 90% of the scenes for training and the rest for test, by scene or by sentence."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

import numpy as np

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
        split_seed: of the random choice. Where a scene goes depends on its number and on the number of scenes that the
            file tells of, not on which are empty: copies of the data that lack some scenes are split alike.
        validation_share: the share of the training split that becomes the validation split.

    Raises:
        ValueError: an unknown split, or an option or data that do not fit; the message says which.
    """
    if split not in ("train", "test", "validation"):
        raise ValueError(f"unknown split {split!r}; known: train, test, validation")
    if split_by not in UNITS:
        raise ValueError(f"split_by must be one of {', '.join(UNITS)}, not {split_by!r}")
    if not 0 <= validation_share < 1:
        raise ValueError(f"validation_share must be at least 0 and below 1, not {validation_share!r}")
    file = _read_once(find_data_dir(data_dir))
    return _split(file, split_by, split_seed, validation_share)[split]


@lru_cache(maxsize=1)
def _read_once(data_dir: Path) -> ScenesFile:
    file = read_scenes_file(data_dir)
    if file.num_empty:
        _logger.warning("%s: %d of %d scenes are empty, and left out", SCENES_FILE, file.num_empty, file.total)
    return file


def _split(file: ScenesFile, by: str, seed: int, validation_share: float) -> dict[str, dict[str, list[dict]]]:
    size = SCENES_PER_SENTENCE if by == "sentence" else 1
    units = np.random.default_rng(seed).permutation(-(-file.total // size))
    num_test = round(TEST_SHARE * len(units))
    num_validation = round(validation_share * (len(units) - num_test))
    bounds = {
        "test": (0, num_test),
        "validation": (num_test, num_test + num_validation),
        "train": (num_test + num_validation, len(units)),
    }
    return {split: _take(file, set(units[low:high].tolist()), size) for split, (low, high) in bounds.items()}


def _take(file: ScenesFile, units: set[int], size: int) -> dict[str, list[dict]]:
    return {str(number): objects for number, objects in file.scenes.items() if number // size in units}
