"""Build a language's data set as parquet: `python -m datasets_scripts.build noisy_shapes --output DIR`.

The folder written opens with `datasets.load_dataset(DIR)`; it holds the language's data-set card and `build.json`, the
options it was built with. The same options give the same bytes, whatever the number of processes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset
from datasets.exceptions import DatasetGenerationError

from . import load_language_folder
from .scene_builder import PictureBuilder
from .scene_options import check_scene_options, parse_with_scene_options
from .scenes import RenderError


ROWS_PER_FILE = 10_000


def build(builder_class: type[PictureBuilder], output: str | Path, num_proc: int = 1, **options) -> Path:
    """Draw the scenes and write them to the new folder `output`; `options` are the fields of the builder's config.

    All is written beside the folder and then renamed, so it is complete once it is there. Raises ValueError where
    `output` is a file or a folder that holds anything, and for options that are unknown or out of range; OSError where
    it cannot be written, or an empty folder cannot be replaced; RenderError where the renderer fails.
    """
    output = Path(output).resolve()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"{output}: is there already; name a new or an empty folder")
    if output == Path.cwd():
        raise ValueError(f"{output}: is the working folder; name a new one")
    if num_proc < 1:
        raise ValueError(f"num_proc must be at least 1, not {num_proc}")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        builder = builder_class(cache_dir=str(Path(scratch, "cache")), **options)
        for scenes in builder.scenes.values():
            scenes[0]  # what fails in one of Datasets' processes comes out as nested tracebacks
        if output.exists():  # what cannot be replaced, as a volume, is told before all the work
            output.rmdir()
            output.mkdir()
        builder.download_and_prepare(num_proc=num_proc)
        finished = Path(scratch, "finished")
        for split in builder.scenes:
            _write_parquet(builder.as_dataset(split), finished / "data", split)
        _describe(builder, finished)
        if output.exists():
            output.rmdir()
        finished.rename(output)
    return output


def _write_parquet(dataset: Dataset, folder: Path, split: str) -> None:
    """Files of a fixed number of rows: their bytes do not depend on how the builder's processes shared the work."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(dataset), ROWS_PER_FILE)
    for number, start in enumerate(starts):
        rows = dataset.select(range(start, min(start + ROWS_PER_FILE, len(dataset))))
        rows.to_parquet(folder / f"{split}-{number:05d}-of-{len(starts):05d}.parquet")


def _describe(builder: PictureBuilder, folder: Path) -> None:
    language_folder = builder.language_folder()
    card = Path(language_folder.__file__).with_name("README.md")
    if card.is_file():
        shutil.copy(card, folder)
    description = {"language": language_folder.LANGUAGE.to_dict(), "options": builder.config.options()}
    (folder / "build.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build; a mistake in it ends the program with one line on what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m datasets_scripts.build",
        description="Write a language's data set as parquet. Any --scene.NAME VALUE goes to its sampler or reader.",
    )
    parser.add_argument("language", help="a language folder's name, or a path to one")
    parser.add_argument("--output", required=True, help="the folder to write: new or empty")
    parser.add_argument("--train_size", type=int, help="scenes in the training split, where scenes are sampled")
    parser.add_argument("--test_size", type=int, help="scenes in the test split")
    parser.add_argument("--validation_size", type=int, help="scenes in the validation split")
    parser.add_argument("--seed", type=int, help="seed of scenes and noise")
    parser.add_argument("--image_size", type=int, nargs=2, metavar=("H", "W"), help="pixels")
    parser.add_argument("--render", help="one of the folder's renderers; by default the one with all noise")
    parser.add_argument("--data_dir", help="the folder of the language's own files, where it needs such")
    parser.add_argument("--num_proc", type=int, default=1, help="processes")
    options = vars(parse_with_scene_options(parser, arguments))
    name, output, num_proc, scene = (options.pop(key) for key in ("language", "output", "num_proc", "scene"))
    given = {key: value for key, value in options.items() if value is not None}
    try:
        folder = load_language_folder(name)
        if not hasattr(folder, "Builder"):
            raise ValueError(f"language folder {name!r}: its __init__.py exports no Builder")
        check_scene_options(scene, folder.Builder.scene_source())
        build(folder.Builder, output, num_proc, **{**given, **scene})
    except (OSError, ValueError, RenderError) as error:
        sys.exit(f"error: {error}")
    except DatasetGenerationError as error:
        sys.exit(f"error: {error.__cause__ or error}")
    print(f"written to {output}")


if __name__ == "__main__":
    main()
