"""The Datasets builder of Abstract Scenes: the scenes of the published data, split by scene or by sentence."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_scripts.scene_builder import GivenSceneBuilder, PictureConfig


@dataclass
class AbstractScenesConfig(PictureConfig):
    """`split_by`, `split_seed`, `validation_share`: which scene is in which split; see `read_scenes`."""

    split_by: str = "scene"
    split_seed: int = 0
    validation_share: float = 0.0


class AbstractScenes(GivenSceneBuilder):
    """`AbstractScenes("sentence", data_dir="AbstractScenes_v1.1").download_and_prepare()`; see README.md.

    The configs are "scene" (the paper's split, the default) and "sentence".
    """

    BUILDER_CONFIG_CLASS = AbstractScenesConfig
    BUILDER_CONFIGS = [AbstractScenesConfig(name=unit, split_by=unit) for unit in ("scene", "sentence")]
    DEFAULT_CONFIG_NAME = "scene"

    def __init__(self, config_name: str | None = None, split_by: str | None = None, **options):
        """`split_by` is another name of the config's name. Raises ValueError where the two differ."""
        if None not in (config_name, split_by) and config_name != split_by:
            raise ValueError(f"split_by {split_by!r} does not fit the config {config_name!r}: give one of them")
        super().__init__(config_name or split_by, **options)
