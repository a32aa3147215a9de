"""Base of the Datasets builders of languages whose scenes are sampled: sizes, seed and renderer are config fields."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType

import datasets
import pyarrow

from modeling_derender.language import Language

from .scenes import SPLITS, FreshScenes


SCENES_PER_SHARD = 200
SCENES_AT_ONCE = 50
COMMON_CODE = [Path(__file__).with_name(name) for name in ("scene_builder.py", "scenes.py")]


@dataclass
class SceneConfig(datasets.BuilderConfig):
    """What a builder draws. A language's own config adds the options of its `sample_scene` as fields.

    - `train_size`, `test_size`, `validation_size`: scenes in each split; one of size 0 is left out.
    - `seed`: scene i of a split depends on the seed, the split and i alone, and is `FreshScenes`' scene i.
    - `image_size`: [height, width] in pixels; None is the canvas's own.
    - `render`: one of the language folder's RENDERERS; None is its `render_batch`, with all noise.
    """

    version: str = "1.0.0"
    train_size: int = 99_000
    test_size: int = 1_000
    validation_size: int = 0
    seed: int = 0
    image_size: list[int] | None = None
    render: str | None = None

    def __post_init__(self):
        super().__post_init__()
        for name in ("train_size", "test_size", "validation_size", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"{name} must be a whole number of at least 0, not {value!r}")
        if not self.train_size + self.test_size + self.validation_size:
            raise ValueError("train_size, test_size and validation_size are all 0: there is nothing to build")

    @property
    def sizes(self) -> dict[str, int]:
        """The scenes of each split that has any."""
        sizes = {split: getattr(self, f"{split}_size") for split in SPLITS}
        return {split: size for split, size in sizes.items() if size}

    @property
    def scene_options(self) -> dict:
        """The fields that a language's own config adds: the options of its `sample_scene`."""
        common = {field.name for field in fields(SceneConfig)}
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in common}

    def options(self) -> dict:
        """Every field that says what is drawn, as plain data."""
        inherited = {field.name for field in fields(datasets.BuilderConfig)} - {"version"}
        return {name: value for name, value in asdict(self).items() if name not in inherited}

    def create_config_id(self, config_kwargs: dict, custom_features=None) -> str:
        """The name of the config's cache folder: Datasets hashes the arguments given, this every field."""
        return super().create_config_id(self.options(), custom_features)


class SceneBuilder(datasets.GeneratorBasedBuilder):
    """Draws the scenes of the language folder (Python package) that its subclass is defined in.

    A language's folder gets its builder by subclassing this and, where its sampler has options, SceneConfig. Features:
    `image` and `objects`, dicts of every property of the language, null where an object has none. The cache folder
    depends on all options and on the folder's code, so it never returns another config's or another version's data.
    """

    BUILDER_CONFIG_CLASS = SceneConfig

    def __init__(self, **options):
        folder = self.language_folder()
        known = {field.name for field in fields(self.BUILDER_CONFIG_CLASS)}
        builder_options = {"cache_dir", "config_name", "base_path", "writer_batch_size"}
        unknown = sorted(set(options) - known - builder_options)
        if unknown:
            own = sorted(known - {field.name for field in fields(datasets.BuilderConfig)})
            raise ValueError(f"{folder.LANGUAGE.name}: unknown option {unknown[0]!r}; known: {', '.join(own)}")
        super().__init__(dataset_name=folder.LANGUAGE.name, hash=_hash_code(folder), **options)
        # The scenes refuse options that do not fit here, before any process or folder is made.
        for split in self.config.sizes:
            self.scenes(split)

    @classmethod
    def language_folder(cls) -> ModuleType:
        """The package that the subclass is defined in."""
        return sys.modules[sys.modules[cls.__module__].__package__]

    def scenes(self, split: str) -> FreshScenes:
        """The scenes of one split, drawn when asked for."""
        folder, config = self.language_folder(), self.config
        size = config.image_size or folder.LANGUAGE.canvas.pixels
        options = {"render": config.render, **config.scene_options}
        return FreshScenes(folder, size, config.seed, split, config.sizes[split], **options)

    def _info(self):
        language = self.language_folder().LANGUAGE
        return datasets.DatasetInfo(
            description=f"Pictures and specifications of the language {language.name}.",
            features=language_features(language),
        )

    def _split_generators(self, dl_manager):
        return [_generator(split, size) for split, size in self.config.sizes.items()]

    def _generate_examples(self, split: str, shards: list[range]) -> Iterator[tuple[int, dict]]:
        source = self.scenes(split)
        names = _object_fields(source.folder.LANGUAGE)
        for shard in shards:
            for low in range(0, len(shard), SCENES_AT_ONCE):
                indices = shard[low : low + SCENES_AT_ONCE]
                for index, example in zip(indices, source.__getitems__(indices), strict=True):
                    objects = [{name: item.get(name) for name in names} for item in example["objects"]]
                    yield index, {"image": example["image"], "objects": objects}


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


def _hash_code(folder: ModuleType) -> str:
    """A digest of the code that the pictures and scenes come from: the language's folder and what draws from it."""
    files = [*sorted(Path(folder.__file__).parent.glob("*.py")), *COMMON_CODE]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
