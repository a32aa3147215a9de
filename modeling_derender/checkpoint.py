"""Open a checkpoint strictly: a missing, unexpected or misshapen weight is an error, not a printed report."""

from __future__ import annotations

import json
from pathlib import Path

from transformers.utils import CONFIG_NAME, SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from .configuration_derender import DerenderConfig
from .modeling_derender import DerenderForConditionalGeneration


# What Transformers writes into the config of some models, beyond what it writes into every config.
OPTIONAL_KEYS = {"auto_map", "custom_pipelines", "quantization_config", "torch_dtype"}


def load_checkpoint(path: str | Path) -> DerenderForConditionalGeneration:
    """The model that `save_pretrained` wrote to the folder `path`, in evaluation mode.

    Raises ValueError that names the folder and what is wrong: no folder, no config or weights in it, a config with a
    wrong or unknown option, weights cut short, or weights that are missing, unexpected or of another shape.
    """
    folder = Path(path)
    _require_files(folder)
    config = _load_config(folder)
    model, report = DerenderForConditionalGeneration.from_pretrained(
        folder, config=config, local_files_only=True, ignore_mismatched_sizes=True, output_loading_info=True
    )
    _require_exact_weights(folder, report)
    return model


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; a checkpoint is a folder written by save_pretrained")
    if not (folder / CONFIG_NAME).is_file():
        raise ValueError(f"{folder}: holds no {CONFIG_NAME}, so it is no checkpoint of a model")
    if not any((folder / name).is_file() for name in (SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME)):
        raise ValueError(f"{folder}: holds no weights ({SAFE_WEIGHTS_NAME})")


def _load_config(folder: Path) -> DerenderConfig:
    path = folder / CONFIG_NAME
    try:
        config = DerenderConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    unknown = json.loads(path.read_text(encoding="utf-8")).keys() - DerenderConfig().to_dict().keys() - OPTIONAL_KEYS
    if unknown:
        raise ValueError(f"{path}: unknown option {sorted(unknown)[0]!r}")
    return config


def _require_exact_weights(folder: Path, report: dict) -> None:
    found = {
        "missing": sorted(report["missing_keys"]),
        "unexpected": sorted(report["unexpected_keys"]),
        "of another shape": sorted(name for name, *_ in report["mismatched_keys"]),
    }
    problems = [f"{len(names)} {problem} ({', '.join(names)})" for problem, names in found.items() if names]
    if problems:
        raise ValueError(f"{folder}: its weights do not fit its config: {'; '.join(problems)}")
