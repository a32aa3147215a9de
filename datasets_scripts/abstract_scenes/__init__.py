"""Abstract Scenes (Zitnick and Parikh 2013): pictures of children at play, composed of 126 pieces of clip art."""

from .abstract_scenes import AbstractScenes as Builder
from .data_folder import data_files, find_data_dir
from .language import LANGUAGE
from .renderer import render, render_batch
from .renderers import RENDERERS
from .sampler import sample_scene
from .splits import read_scenes
from .svg import to_svg
from .tikz import to_tikz_document


WEIGHTS_LICENSE = "cc-by-nc-4.0"  # of the clip art, as it came with other data sets
EXPORTERS = {"svg": to_svg, "tikz": to_tikz_document}

__all__ = [
    "EXPORTERS", "LANGUAGE", "RENDERERS", "WEIGHTS_LICENSE", "Builder", "data_files", "find_data_dir", "read_scenes",
    "render", "render_batch", "sample_scene",
]  # fmt: skip
