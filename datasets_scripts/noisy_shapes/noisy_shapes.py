"""The Datasets builder of Noisy Shapes: 99,000 training and 1,000 test scenes, as in the paper, or other sizes."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_scripts.scene_builder import SceneBuilder, SceneConfig


@dataclass
class NoisyShapesConfig(SceneConfig):
    """`min_objects`, `max_objects`: a scene's number of objects is one of these or between, with equal chance."""

    min_objects: int = 1
    max_objects: int = 12


class NoisyShapes(SceneBuilder):
    """`NoisyShapes(seed=1, train_size=500).download_and_prepare(num_proc=2)`; see README.md for the columns."""

    BUILDER_CONFIG_CLASS = NoisyShapesConfig
