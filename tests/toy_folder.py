"""The toy language as a user's own folder: a copy with a builder and a second renderer, loaded by its path."""

import shutil
from pathlib import Path


BUILDER = '''"""The builder of the toy language."""

from dataclasses import dataclass

from datasets_scripts.scene_builder import SceneBuilder, SceneConfig


@dataclass
class ToyConfig(SceneConfig):
    max_objects: int = 2


class Toy(SceneBuilder):
    BUILDER_CONFIG_CLASS = ToyConfig
'''

MORE_EXPORTS = """

def render_negative(scenes, size, rngs=None):
    return 255 - render_batch(scenes, size)


RENDERERS = {"noisy": render_batch, "negative": render_negative}

from .builder import Toy as Builder  # noqa: E402
"""


def write_toy_folder(parent: Path) -> Path:
    """Write the folder into `parent`."""
    folder = parent / "toy"
    shutil.copytree(Path(__file__).with_name("toy_language"), folder, ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder / "__init__.py", "a", encoding="utf-8") as file:
        file.write(MORE_EXPORTS)
    (folder / "builder.py").write_text(BUILDER, encoding="utf-8")
    (folder / "README.md").write_text("# Toy\n", encoding="utf-8")
    return folder
