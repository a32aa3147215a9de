"""Abstract Scenes (Zitnick and Parikh 2013): pictures of children at play, composed of 126 pieces of clip art."""

from .abstract_scenes import AbstractScenes as Builder
from .data_folder import data_files, find_data_dir
from .language import LANGUAGE
from .renderer import render, render_batch
from .renderers import RENDERERS
from .sampler import sample_scene
from .splits import read_scenes


__all__ = [
    "LANGUAGE", "RENDERERS", "Builder", "data_files", "find_data_dir", "read_scenes", "render", "render_batch",
    "sample_scene",
]  # fmt: skip
