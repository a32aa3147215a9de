"""Graphics languages, one folder each; `load_language_folder` finds one by name or path.

A language's folder is a Python package that exports

- `LANGUAGE`: its `Language`;
- `sample_scene(rng, **options) -> list[dict]`: one fresh scene's objects, a function of the numpy Generator's state;
- `render(objects, size=(height, width), rng=None) -> uint8 (H, W) or (H, W, 3)`: the picture, clean without `rng`,
  with the language's drawing and image noise with it;
- `render_batch(scenes, size=(height, width), rngs=None) -> uint8 (B, H, W) or (B, H, W, 3)`: the same bytes for many;
- and, optionally, `IMAGE_REWARD`: how reinforcement learning compares pictures, "buckets" (equation 14, where there is
  none) or "blurred" (equation 13, for grey pictures with noise);
- `WEIGHTS_LICENSE`: that of models trained on its pictures, as the Hub names it; apache-2.0 where there is none;
- `PICTURES`: "lines" where they are strokes on paper, to which the command `derender` then brings any picture; for a
  square grey canvas;
- `EXPORTERS`: forms for other programs by name, `(objects) -> str`: "svg", "tikz" (a LaTeX document);
- `add_image_noise(pictures, rngs) -> uint8 (B, H, W)`: image noise for grey pictures that are drawn without, a
  ValueError for a size that it is not for, and `WITHOUT_IMAGE_NOISE`: the names of the renderers that draw such;
- `RENDERERS`: others like `render_batch` by name; `Builder`: its Datasets builder;
- `read_scenes(split, **options) -> dict`: for a language whose scenes are given, the objects of each by its name;
- `find_data_dir(data_dir=None) -> Path`: for a language that needs files which the package does not hold (scenes, clip
  art). It finds their folder or says where they come from; all the functions above then take a keyword `data_dir`;
- `data_files(data_dir) -> list[Path]`: with it, those files.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


EXPORTS = ("LANGUAGE", "sample_scene", "render", "render_batch")
OURS = Path(__file__).resolve().parent


def our_languages() -> list[str]:
    """The names of the folders beside this file."""
    return sorted(item.parent.name for item in OURS.glob("*/__init__.py"))


def load_language_folder(name: str) -> ModuleType:
    """Import a language's folder: the name of one beside this file, or a path to a user's own.

    Raises ValueError naming the folder where there is none, where it lacks an export or has one that does not fit its
    pictures.
    """
    folder = OURS / name if name in our_languages() else Path(name).resolve()
    if not os.path.isfile(folder / "__init__.py"):  # which takes names of any length
        known = ", ".join(our_languages())
        raise ValueError(f"no language folder {name!r}: known are {known}, or a path to a package")
    module = importlib.import_module(f"{__name__}.{folder.name}") if folder.parent == OURS else _import_path(folder)
    required = (*EXPORTS, *(("data_files",) if hasattr(module, "find_data_dir") else ()))
    missing = [export for export in required if not hasattr(module, export)]
    if missing:
        raise ValueError(f"language folder {name!r}: its __init__.py exports no {', '.join(missing)}")
    _refuse_colour(name, module)
    return module


def _refuse_colour(name: str, module: ModuleType) -> None:
    """Raise ValueError where a language with coloured pictures exports what is for grey ones."""
    channels = module.LANGUAGE.canvas.channels
    blurred = getattr(module, "IMAGE_REWARD", None) == "blurred"
    for export, has in (("IMAGE_REWARD 'blurred'", blurred), ("add_image_noise", hasattr(module, "add_image_noise"))):
        if has and channels != 1:
            raise ValueError(
                f"language folder {name!r}: {export} is for grey pictures, and its have {channels} channels"
            )


def _import_path(folder: Path) -> ModuleType:
    name = f"language_folder_{folder.name}"
    if name in sys.modules and Path(sys.modules[name].__file__).parent == folder:
        return sys.modules[name]
    for stale in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[stale]
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # half of it would be found there once it is mended
        raise
    return module
