"""A folder of training pictures by splits: an imagefolder, or whatever else Datasets opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets import DatasetDict, load_dataset, load_from_disk

from datasets_scripts.imagefolder import METADATA, ImageFolderError, read_imagefolder
from datasets_scripts.table_examples import TableExamples
from derender_training.options import OptionError
from modeling_derender.language import Language


SPLITS = ("train", "validation")


def open_data_folder(path: str, language: Language) -> dict[str, Sequence[dict]]:
    """The splits of a folder, each a sequence of {"image", "objects"} with canonical objects; OptionError for
    what cannot be opened.

    All lines of an imagefolder are checked here, the examples of other data when they are taken.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise OptionError(f"option 'data': {path!r} is neither 'fresh' nor 'given' nor a folder")
    parts = {"train": folder} if (folder / METADATA).is_file() else {name: folder / name for name in SPLITS}
    parts = {name: part for name, part in parts.items() if (part / METADATA).is_file()}
    if not parts:
        return _open_tables(folder, language)
    try:
        return {name: read_imagefolder(part, language) for name, part in parts.items()}
    except ImageFolderError as error:
        raise OptionError(f"option 'data': {error}") from None


def _open_tables(folder: Path, language: Language) -> dict[str, TableExamples]:
    saved = any((folder / name).is_file() for name in ("dataset_dict.json", "state.json"))
    try:
        splits = load_from_disk(str(folder)) if saved else load_dataset(str(folder))
    except Exception as error:  # whatever Datasets raises, the folder is what the user can mend
        raise OptionError(f"option 'data': Datasets cannot open {folder}: {error}") from error
    splits = splits if isinstance(splits, DatasetDict) else {"train": splits}
    for name, split in splits.items():
        missing = {"image", "objects"} - set(split.column_names)
        if missing:
            raise OptionError(f"option 'data': {folder}, split {name}: has no column {sorted(missing)[0]!r}")
    return {name: TableExamples(split, f"{folder}, split {name}, example", language) for name, split in splits.items()}
