"""SVG and TikZ: read by real programs, both are the renderer's picture again."""

import shutil
import subprocess
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from served_page import needs_chromium, open_browser

from datasets_scripts import abstract_scenes, load_language_folder, noisy_shapes


SVG = "{http://www.w3.org/2000/svg}"
LINE = {"category": "line", "x1": 2, "y1": 3, "x2": 6, "y2": 3}
needs_tikz = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("pdftoppm")), reason="pdflatex or pdftoppm is not installed"
)


def shapes(seed: int) -> list[dict]:
    return noisy_shapes.sample_scene(np.random.default_rng(seed), 8, 12)


def take_picture(svg: str, folder: Path, width: int, height: int) -> np.ndarray:
    """What Chromium shows of an SVG file, uint8 (H, W, 3)."""
    file, picture = folder / "drawing.svg", folder / "drawing.png"
    file.write_text(svg)
    with open_browser() as page:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(file.as_uri())
        page.screenshot(path=picture)
    return np.asarray(Image.open(picture).convert("RGB"))


def compile_document(source: str, folder: Path, dots_per_inch: float) -> np.ndarray:
    """The page of a LaTeX document, uint8 (H, W, 3)."""
    (folder / "drawing.tex").write_text(source)
    for command in (
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "drawing.tex"],
        ["pdftoppm", "-r", str(dots_per_inch), "-singlefile", "drawing.pdf", "drawing"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return np.asarray(Image.open(folder / "drawing.ppm").convert("RGB"))


def differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    assert first.shape == second.shape
    return np.abs(first.astype(int) - second)


def assert_every_object_is_there(shown: np.ndarray, objects: list[dict], draw) -> None:
    """Where an object changes the drawing, what is shown is like the drawing with it, not like the one without."""
    drawn = draw(objects)
    for number, item in enumerate(objects):
        without = differences(draw(objects[:number] + objects[number + 1 :]), drawn)
        there = without.max(axis=-1) > 60
        assert there.any() and differences(shown, drawn)[there].mean() < 0.5 * without[there].mean(), item


def draw_shapes(objects: list[dict]) -> np.ndarray:
    return in_colour(noisy_shapes.render(objects))


def in_colour(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_every_object_is_an_element_of_its_category():
    objects = [
        {"category": "circle", "x": 3, "y": 4},
        {"category": "rectangle", "x1": 5, "y1": 6, "x2": 9, "y2": 8},
        {**LINE, "arrow": False, "solid": False},
        {**LINE, "arrow": True, "solid": True},
    ]
    root = ElementTree.fromstring(noisy_shapes.EXPORTERS["svg"](objects))
    assert root.get("viewBox") == "0 0 16 16"
    elements = list(root.find(f"{SVG}g"))
    assert [element.get("class") for element in elements] == [item["category"] for item in objects]
    circle, rectangle, dashed, arrow = elements
    assert (circle.tag, circle.get("cx"), circle.get("cy"), circle.get("r")) == (f"{SVG}circle", "3", "12", "1")
    assert [rectangle.get(name) for name in ("x", "y", "width", "height")] == ["5", "8", "4", "2"]
    assert dashed.get("stroke-dasharray") and [dashed.get(name) for name in ("x1", "y1")] == ["2", "13"]
    assert [part.tag for part in arrow] == [f"{SVG}line", f"{SVG}polygon"]


@pytest.mark.parametrize("form", ["svg", "tikz"])
def test_a_bad_object_is_refused(form):
    with pytest.raises(ValueError, match="circle, rectangle or line"):
        noisy_shapes.EXPORTERS[form]([{"category": "star"}])


@needs_chromium
@pytest.mark.parametrize("seed", [5, 6])
def test_shapes_in_svg_are_the_renderers_picture(seed, tmp_path):
    """Chromium smooths edges by area; the renderer as poppler does, which is darker: no stroke is elsewhere."""
    drawn = draw_shapes(shapes(seed))
    shown = take_picture(noisy_shapes.EXPORTERS["svg"](shapes(seed)), tmp_path, 256, 256)
    found = differences(shown, drawn)
    assert found.mean() < 4 and found.max() < 110
    assert differences(shown, draw_shapes(shapes(seed + 7))).max() > 200
    assert_every_object_is_there(shown, shapes(seed), draw_shapes)


@needs_tikz
@pytest.mark.parametrize("seed", [5, 6])
def test_shapes_in_tikz_are_the_renderers_picture(seed, tmp_path):
    shown = compile_document(noisy_shapes.EXPORTERS["tikz"](shapes(seed)), tmp_path, 2.54 * 256 / 16)
    assert differences(shown, draw_shapes(shapes(seed))).mean() < 0.5
    assert_every_object_is_there(shown, shapes(seed), draw_shapes)


@pytest.fixture(scope="module")
def scene(clip_art_dir) -> list[dict]:
    return next(iter(abstract_scenes.read_scenes("test", data_dir=clip_art_dir).values()))


def test_a_scene_needs_its_pictures(scene, monkeypatch):
    monkeypatch.delenv("ABSTRACT_SCENES_DIR", raising=False)
    for form in ("svg", "tikz"):
        with pytest.raises(ValueError, match="AbstractScenes_v1.1"):
            abstract_scenes.EXPORTERS[form](scene)


@needs_chromium
def test_a_scene_in_svg_is_the_renderers_picture(scene, clip_art_dir, tmp_path):
    svg = abstract_scenes.EXPORTERS["svg"](scene, data_dir=clip_art_dir)
    assert str(clip_art_dir) not in svg  # it needs no other file
    draw = partial(abstract_scenes.render, data_dir=clip_art_dir)
    shown = take_picture(svg, tmp_path, 500, 400)
    assert differences(shown, draw(scene)).mean() < 2
    assert_every_object_is_there(shown, scene, draw)


@needs_tikz
def test_a_scene_in_tikz_is_the_renderers_picture(scene, clip_art_dir, tmp_path):
    source = abstract_scenes.EXPORTERS["tikz"](scene, data_dir=clip_art_dir)
    draw = partial(abstract_scenes.render, data_dir=clip_art_dir)
    shown = compile_document(source, tmp_path, 72)
    assert differences(shown, draw(scene)).mean() < 3
    assert_every_object_is_there(shown, scene, draw)


@pytest.mark.parametrize("name", ["noisy_shapes", "abstract_scenes"])
def test_every_exporter_writes_text_for_no_objects(name, clip_art_dir):
    folder = load_language_folder(name)
    data = {"data_dir": clip_art_dir} if hasattr(folder, "find_data_dir") else {}
    for export in folder.EXPORTERS.values():
        assert partial(export, **data)([]).endswith("\n")
