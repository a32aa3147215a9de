"""Open the data that a model is scored on: an imagefolder, a built folder, or a language's given or fresh scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType

import datasets

from modeling_derender.language import Language

from . import load_language_folder, our_languages
from .imagefolder import METADATA, read_imagefolder
from .scene_builder import SceneConfig
from .scene_options import check_scene_options
from .scenes import FreshScenes, GivenScenes, Scenes, check_split
from .table_examples import TableExamples


@dataclass(frozen=True)
class EvaluationData:
    """Which pictures: plain data, which an evaluation's JSON carries so that a report finds the same pictures again.

    `data` is an imagefolder, a folder written by `datasets_scripts.build` (`split` of it), or a language's folder. Of
    the last, these are the given scenes of `split`, where its scenes are given and `size` is None; else `size` fresh
    scenes, by default as many as the folder's Builder puts into that split. Both are drawn with `seed` and the
    renderer `render`; `scene` are the options of the folder's `read_scenes` or `sample_scene`. `limit` takes the first
    pictures only. `data_dir` is the folder of the language's own files, where it needs such to draw, and
    `language_folder` the language's own, where neither `data` nor the language's name tells it.
    """

    data: str
    split: str | None = None
    size: int | None = None
    limit: int | None = None
    seed: int = 0
    render: str | None = None
    scene: dict = field(default_factory=dict)
    data_dir: str | None = None
    language_folder: str | None = None

    def open(self, language: Language) -> Sequence:
        """Examples {"image", "objects"} by index, to be had with `take`; ValueError names what does not fit."""
        folder = Path(self.data)
        if (folder / METADATA).is_file():
            self._refuse("an imagefolder", "split", "size", "render", "scene")
            return read_imagefolder(folder, language, self.limit)
        if folder.is_dir() and any(folder.rglob("*.parquet")):
            self._refuse("a built data set", "size", "render", "scene")
            return _open_built(folder, self.split or "test", language, self.limit)
        if folder.is_dir() and not (folder / "__init__.py").is_file():
            raise ValueError(f"{folder}: holds neither {METADATA} nor parquet files, and is no language's folder")
        return self._open_scenes(language)

    def find_language_folder(self, name: str) -> ModuleType:
        """The folder of the language `name`: `language_folder`, the one `data` is, or the one of that name.

        Raises ValueError where there is none.
        """
        is_language = (Path(self.data) / "__init__.py").is_file()
        folder = self.language_folder or (self.data if is_language else None)
        if folder is None and name not in our_languages():
            raise ValueError(f"no language {name!r} here: name its folder by --language")
        return load_language_folder(folder or name)

    def _open_scenes(self, language: Language) -> Scenes:
        if not Path(self.data).exists() and self.data not in our_languages():
            raise ValueError(f"{self.data}: no such folder, nor a language: {', '.join(our_languages())}")
        folder = load_language_folder(self.data)
        if language != folder.LANGUAGE:
            raise ValueError(
                f"{self.data}: its language {folder.LANGUAGE.name} {folder.LANGUAGE.version} is not the model's, "
                f"{language.name} {language.version}"
            )
        given = self.size is None and hasattr(folder, "read_scenes")
        check_scene_options(self.scene, folder.read_scenes if given else folder.sample_scene)
        pixels, split = folder.LANGUAGE.canvas.pixels, self.split or "test"
        check_split(split)
        common = {"seed": self.seed, "render": self.render, "data_dir": self.data_dir, **self.scene}
        if given:
            return GivenScenes(folder, pixels, split, self.limit, **common)
        sizes = [size for size in (self.size, self.limit) if size is not None]
        size = min(sizes) if sizes else _builders_size(folder, split)
        if not size:
            raise ValueError(f"{self.data}: fresh scenes have no end: give --size, how many to score")
        return FreshScenes(folder, pixels, split=split, length=size, **common)

    def _refuse(self, kind: str, *names: str) -> None:
        given = [name for name in names if getattr(self, name)]
        if given:
            raise ValueError(f"{self.data}: is {kind}, which takes no --{given[0]}")

    def options(self) -> dict:
        """Every field but `data`: EvaluationData(data, **options) is this again."""
        return {name: value for name, value in asdict(self).items() if name != "data"}


def _builders_size(folder: ModuleType, split: str) -> int | None:
    config = folder.Builder.BUILDER_CONFIG_CLASS() if hasattr(folder, "Builder") else None
    return config.sizes.get(split) if isinstance(config, SceneConfig) else None


def take(examples: Sequence, indices: Sequence[int]) -> list[dict]:
    """Several examples at once, which is quicker where they are yet to be drawn."""
    return examples.__getitems__(list(indices))


def _open_built(folder: Path, split: str, language: Language, limit: int | None) -> TableExamples:
    """One split of a folder of parquet files; ValueError naming the folder for what cannot be used."""
    try:
        rows = datasets.load_dataset(str(folder), split=split)
    except Exception as error:  # whatever Datasets raises, the folder is what the user can mend
        raise ValueError(f"{folder}: Datasets cannot open it: {error.__cause__ or error}") from error
    for name in ("image", "objects"):
        if name not in rows.column_names:
            raise ValueError(f"{folder}, {split}: has no column {name!r}")
    rows = rows if limit is None else rows.select(range(min(limit, len(rows))))
    return TableExamples(rows, f"{folder}, {split}, row", language)
