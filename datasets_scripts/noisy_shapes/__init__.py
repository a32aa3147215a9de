"""Noisy Shapes (Ellis et al. 2018): pencil drawings of circles, rectangles and lines on a 16 x 16 grid."""

from .image_noise import add_image_noise
from .language import LANGUAGE
from .noisy_shapes import NoisyShapes as Builder
from .renderer import render, render_batch
from .renderers import RENDERERS, WITHOUT_IMAGE_NOISE
from .sampler import sample_scene
from .svg import to_svg
from .tikz import to_tikz_document


IMAGE_REWARD = "blurred"  # its pictures are drawn with noise, which no specification draws again
PICTURES = "lines"
EXPORTERS = {"svg": to_svg, "tikz": to_tikz_document}

__all__ = [
    "EXPORTERS", "IMAGE_REWARD", "LANGUAGE", "PICTURES", "RENDERERS", "WITHOUT_IMAGE_NOISE", "Builder",
    "add_image_noise", "render", "render_batch", "sample_scene",
]  # fmt: skip
