"""Finds the folder AbstractScenes_v1.1, which a user downloads: the option `data_dir`, or an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

from .language import LANGUAGE


VARIABLE = "ABSTRACT_SCENES_DIR"
SCENES_FILE = "Scenes_10020.txt"
PICTURES_FOLDER = "Pngs"

_EXPLANATION = f"""\
The data are AbstractScenes_v1.1 of Zitnick and Parikh (2013), "Bringing Semantics Into Focus Using Visual
Abstraction". Download the folder from its makers, or take it from a release that includes it, such as CoDraw's, and
name it by the option data_dir or the environment variable {VARIABLE}. It must hold {SCENES_FILE} and
{PICTURES_FOLDER}/ with background.png and the 126 pictures a_0s.png ... t_14s.png."""


class DataFolderError(ValueError):
    """There is no folder of the data, or it lacks something; the message says which and where the data come from."""


def data_files(data_dir: Path) -> list[Path]:
    """The files of the data that matter, whatever else lies in the folder."""
    names = ["background", *(f"{name}s" for name in LANGUAGE.domains["picture"].values)]
    return [data_dir / SCENES_FILE, *(data_dir / PICTURES_FOLDER / f"{name}.png" for name in names)]


def find_data_dir(data_dir: str | Path | None = None) -> Path:
    """The data's folder: the one given, or the environment variable's. Raises DataFolderError where it is not whole.

    That the scenes file and the pictures' folder are there is seen here; each is checked when it is read.
    """
    origin = "option data_dir" if data_dir is not None else f"environment variable {VARIABLE}"
    given = data_dir if data_dir is not None else os.environ.get(VARIABLE)
    if not given:
        raise DataFolderError(
            f"abstract_scenes: neither the option data_dir nor the environment variable {VARIABLE} names its data.\n"
            f"{_EXPLANATION}"
        )
    folder = Path(given).resolve()
    for path, there in (
        (folder, folder.is_dir()),
        (folder / SCENES_FILE, (folder / SCENES_FILE).is_file()),
        (folder / PICTURES_FOLDER, (folder / PICTURES_FOLDER).is_dir()),
    ):
        if not there:
            raise DataFolderError(f"{origin}: {path} is not there.\n{_EXPLANATION}")
    return folder
