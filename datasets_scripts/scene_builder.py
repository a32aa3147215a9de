"""Bases of the Datasets builders of languages: pictures drawn from sampled scenes, or from scenes of given data."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType

import datasets
import multiprocess
import pyarrow
import torch

from modeling_derender.language import Language

from .scenes import SPLITS, FreshScenes, GivenScenes, Scenes, data_options, read_given


SCENES_PER_SHARD = 200
SCENES_AT_ONCE = 50
COMMON_CODE = [Path(__file__).with_name(name) for name in ("scene_builder.py", "scenes.py")]


@dataclass
class PictureConfig(datasets.BuilderConfig):
    """What any builder of pictures is told.

    - `image_size`: [height, width] in pixels; None is the canvas's own.
    - `render`: one of the language folder's RENDERERS; None is its `render_batch`, with all noise.
    - `seed`: of what is drawn at random.
    - `data_dir`: the folder of the language's own files, for one that needs such.
    """

    version: str = "1.0.0"
    seed: int = 0
    image_size: list[int] | None = None
    render: str | None = None

    def __post_init__(self):
        super().__post_init__()
        self.check()

    def check(self) -> None:
        """Raise ValueError, naming it, for an option out of range."""
        self._check_counts("seed")
        size = self.image_size
        if size is not None and not (isinstance(size, Sequence) and len(size) == 2):
            raise ValueError(f"image_size must be [height, width], not {size!r}")

    def _check_counts(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"{name} must be a whole number of at least 0, not {value!r}")

    @classmethod
    def common_fields(cls) -> set[str]:
        """The fields that are not options of the language's own `sample_scene` or `read_scenes`."""
        return {field.name for field in fields(PictureConfig)}

    @property
    def scene_options(self) -> dict:
        """The fields that a language's own config adds: the options of its `sample_scene` or `read_scenes`."""
        common = self.common_fields()
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in common}

    def options(self) -> dict:
        """Every field that says what is drawn, as plain data; where the language's own files lie is not among them."""
        inherited = {field.name for field in fields(datasets.BuilderConfig)} - {"version"}
        return {name: value for name, value in asdict(self).items() if name not in inherited}

    def create_config_id(self, config_kwargs: dict, custom_features=None) -> str:
        """The name of the config's cache folder: Datasets hashes the arguments given, this every field."""
        return super().create_config_id(self.options(), custom_features)


@dataclass
class SceneConfig(PictureConfig):
    """What a builder of sampled scenes draws. A language's own config adds the options of its `sample_scene`.

    - `train_size`, `test_size`, `validation_size`: scenes in each split; one of size 0 is left out.
    - `seed`: scene i of a split depends on the seed, the split and i alone, and is `FreshScenes`' scene i.
    """

    train_size: int = 99_000
    test_size: int = 1_000
    validation_size: int = 0

    def check(self) -> None:
        super().check()
        self._check_counts("train_size", "test_size", "validation_size")
        if not self.train_size + self.test_size + self.validation_size:
            raise ValueError("train_size, test_size and validation_size are all 0: there is nothing to build")

    @classmethod
    def common_fields(cls) -> set[str]:
        return {field.name for field in fields(SceneConfig)}

    @property
    def sizes(self) -> dict[str, int]:
        """The scenes of each split that has any."""
        sizes = {split: getattr(self, f"{split}_size") for split in SPLITS}
        return {split: size for split, size in sizes.items() if size}


class PictureBuilder(datasets.GeneratorBasedBuilder):
    """Draws the scenes of the language folder (Python package) that its subclass is defined in.

    Features: `image` and `objects`, dicts of every property of the language, null where an object has none. The cache
    folder depends on all options, on the folder's code and on the language's own files, so it never returns another
    config's or another version's data. `scenes` are those of each split, to be drawn when taken.
    """

    def __init__(self, config_name: str | None = None, **options):
        folder = self.language_folder()
        known = {field.name for field in fields(self.BUILDER_CONFIG_CLASS)}
        builder_options = {"cache_dir", "base_path", "writer_batch_size"}
        unknown = sorted(set(options) - known - builder_options)
        if unknown:
            own = sorted(known - {field.name for field in fields(datasets.BuilderConfig)})
            raise ValueError(f"{folder.LANGUAGE.name}: unknown option {unknown[0]!r}; known: {', '.join(own)}")
        data = data_options(folder, options.get("data_dir"))
        super().__init__(
            config_name=config_name, dataset_name=folder.LANGUAGE.name, hash=_hash_sources(folder, **data), **options
        )
        self.config.check()  # Datasets sets the options of a named config without its __post_init__
        # The scenes refuse options that do not fit here, before any process or folder is made.
        self.scenes = self._open_scenes()

    @classmethod
    def language_folder(cls) -> ModuleType:
        """The package that the subclass is defined in."""
        return sys.modules[sys.modules[cls.__module__].__package__]

    @classmethod
    def scene_source(cls) -> Callable:
        """The folder's function that the scenes come from, whose options are options of the builder."""
        raise NotImplementedError

    def _open_scenes(self) -> dict[str, Scenes]:
        raise NotImplementedError

    def _drawing_options(self) -> dict:
        """The keywords that both kinds of scenes take."""
        folder, config = self.language_folder(), self.config
        size = tuple(config.image_size or folder.LANGUAGE.canvas.pixels)
        return {"size": size, "seed": config.seed, "render": config.render, "data_dir": config.data_dir}

    def _info(self):
        language = self.language_folder().LANGUAGE
        return datasets.DatasetInfo(
            description=f"Pictures and specifications of the language {language.name}.",
            features=language_features(language),
        )

    def _split_generators(self, dl_manager):
        return [_generator(split, len(scenes)) for split, scenes in self.scenes.items()]

    def _generate_examples(self, split: str, shards: list[range]) -> Iterator[tuple[int, dict]]:
        if multiprocess.parent_process() is not None:
            # One of Datasets' processes, which is forked: it would wait for ever for threads that only its parent has.
            torch.set_num_threads(1)
        source = self.scenes[split]
        names = _object_fields(source.folder.LANGUAGE)
        for shard in shards:
            for low in range(0, len(shard), SCENES_AT_ONCE):
                indices = shard[low : low + SCENES_AT_ONCE]
                for index, example in zip(indices, source.__getitems__(list(indices)), strict=True):
                    objects = [{name: item.get(name) for name in names} for item in example["objects"]]
                    yield index, {"image": example["image"], "objects": objects}


class SceneBuilder(PictureBuilder):
    """Base of the builder of a language whose scenes are sampled; its config may add its sampler's options."""

    BUILDER_CONFIG_CLASS = SceneConfig

    @classmethod
    def scene_source(cls) -> Callable:
        return cls.language_folder().sample_scene

    def _open_scenes(self) -> dict[str, FreshScenes]:
        common = {**self._drawing_options(), **self.config.scene_options}
        return {
            split: FreshScenes(self.language_folder(), split=split, length=size, **common)
            for split, size in self.config.sizes.items()
        }


class GivenSceneBuilder(PictureBuilder):
    """Base of the builder of a language whose scenes are given; its config may add the options of `read_scenes`."""

    BUILDER_CONFIG_CLASS = PictureConfig

    @classmethod
    def scene_source(cls) -> Callable:
        return cls.language_folder().read_scenes

    def _open_scenes(self) -> dict[str, GivenScenes]:
        folder, options = self.language_folder(), self.config.scene_options
        data = data_options(folder, self.config.data_dir)
        present = [split for split in SPLITS if read_given(folder, split, **data, **options)]
        if not present:
            raise ValueError(f"{folder.LANGUAGE.name}: no split has a scene; are all of them empty?")
        return {split: GivenScenes(folder, split=split, **self._drawing_options(), **options) for split in present}


def language_features(language: Language) -> datasets.Features:
    """The columns of a language's data: `image`, and `objects` with every property of every category."""
    values = {language.category_property: list(language.categories)}
    for category in language.categories.values():
        for name, declared in category.properties.items():
            values.setdefault(name, []).extend(declared.domain.values)
    columns = pyarrow.schema([(name, pyarrow.array(values[name]).type) for name in _object_fields(language)])
    return datasets.Features(
        {"image": datasets.Image(), "objects": datasets.List(dict(datasets.Features.from_arrow_schema(columns)))}
    )


def _object_fields(language: Language) -> tuple[str, ...]:
    return (language.category_property, *language.property_names)


def _generator(split: str, size: int) -> datasets.SplitGenerator:
    """Datasets deals the list of shards out to its processes, in order."""
    shards = [range(low, min(low + SCENES_PER_SHARD, size)) for low in range(0, size, SCENES_PER_SHARD)]
    generator = datasets.SplitGenerator(name=split, gen_kwargs={"split": split, "shards": shards})
    generator.split_info.num_examples = size  # the progress bar's total
    return generator


def _hash_sources(folder: ModuleType, data_dir: str | None = None) -> str:
    """A digest of the code that the pictures and scenes come from, and of the language's own files."""
    files = [*sorted(Path(folder.__file__).parent.glob("*.py")), *COMMON_CODE]
    digest = hashlib.sha256()
    for file in files + (folder.data_files(Path(data_dir)) if data_dir else []):
        content = file.read_bytes() if file.is_file() else b""  # what is missing is told of when it is drawn
        digest.update(f"{file.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]
