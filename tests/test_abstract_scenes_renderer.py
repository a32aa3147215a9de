"""The renderers of Abstract Scenes, on stand-in clip art: batched against plain, order, place, errors."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from PIL import Image

from datasets_scripts.abstract_scenes.batch_renderer import BatchRenderer
from datasets_scripts.abstract_scenes.clip_art import PICTURE_NAMES, ClipArtError, load_clip_art
from datasets_scripts.abstract_scenes.language import PICTURES
from datasets_scripts.abstract_scenes.patch_painter import PatchPainter
from datasets_scripts.abstract_scenes.placing import to_tensors
from datasets_scripts.abstract_scenes.plain_renderer import render_plain
from datasets_scripts.abstract_scenes.renderer import render, render_batch
from datasets_scripts.abstract_scenes.renderers import RENDERERS
from datasets_scripts.abstract_scenes.word_painter import WordPainter


TYPE_OF = {name: supercategory for supercategory, names in PICTURES.items() for name in names}
WHITE, LEFT, RIGHT = (255, 255, 255), (255, 0, 0), (0, 0, 255)  # background and halves of the flat pictures


def place(category: str, x: int, y: int, depth: int = 0, flip: bool = False) -> dict:
    return {
        "supercategory": TYPE_OF[category], "category": category, "x": x, "y": y, "depth": depth, "flip": flip,
    }  # fmt: skip


def random_scenes(count: int, seed: int) -> list[list[dict]]:
    """Scenes of 0 to 12 objects, many partly off the canvas and some wholly, a picture sometimes there twice."""
    rng = np.random.default_rng(seed)
    return [
        [
            place(
                PICTURE_NAMES[rng.integers(126)], int(rng.integers(-60, 600)), int(rng.integers(-130, 710)),
                int(rng.integers(3)), bool(rng.integers(2)),
            )
            for _ in range(rng.integers(13))
        ]
        for _ in range(count)
    ]  # fmt: skip


def draw_patches(scenes, folder: Path) -> np.ndarray:
    return BatchRenderer(folder, painter=PatchPainter)(scenes).permute(0, 2, 3, 1).numpy()


def draw_words(scenes, folder: Path) -> np.ndarray:
    return BatchRenderer(folder, painter=WordPainter)(scenes).permute(0, 2, 3, 1).numpy()


def draw_plain(scenes, folder: Path) -> np.ndarray:
    return np.stack([np.asarray(render_plain(objects, folder)) for objects in scenes])


DRAW = {"patches": draw_patches, "words": draw_words, "plain": draw_plain}


@pytest.fixture(scope="module")
def flat_dir(tmp_path_factory) -> Path:
    """Opaque pictures of 40 x 20 pixels on white: the left half red, the right one blue, the green of its number."""
    folder = tmp_path_factory.mktemp("flat")
    (folder / "Pngs").mkdir()
    Image.new("RGBA", (500, 400), (*WHITE, 255)).save(folder / "Pngs" / "background.png")
    for number, name in enumerate(PICTURE_NAMES):
        pixels = np.empty((20, 40, 4), np.uint8)
        pixels[:, :20], pixels[:, 20:] = (*LEFT, 255), (*RIGHT, 255)
        pixels[..., 1] = number
        Image.fromarray(pixels).save(folder / "Pngs" / f"{name}s.png")
    return folder


@pytest.fixture(scope="module", params=[PatchPainter, WordPainter])
def full_size(clip_art_dir, request) -> BatchRenderer:
    return BatchRenderer(clip_art_dir, painter=request.param)


@pytest.fixture(scope="module", params=[PatchPainter, WordPainter])
def small(clip_art_dir, request) -> BatchRenderer:
    return BatchRenderer(clip_art_dir, (64, 80), painter=request.param)


def test_batched_pictures_are_the_plain_ones_bit_by_bit(full_size, clip_art_dir):
    scenes = random_scenes(40, seed=1)
    assert (full_size(scenes).permute(0, 2, 3, 1).numpy() == draw_plain(scenes, clip_art_dir)).all()


@pytest.mark.parametrize("size", [(128, 160), (99, 124)])
def test_low_resolution_is_nearer_to_the_shrunk_plain_picture_than_half_a_pixel(clip_art_dir, size):
    scenes = random_scenes(20, seed=2)
    moved = [[{**obj, "x": obj["x"] + 1, "y": obj["y"] + 1} for obj in objects] for objects in scenes]
    ours = RENDERERS["batched"](scenes, size, data_dir=clip_art_dir).astype(float)
    shrunk, shrunk_moved = (RENDERERS["plain"](some, size, data_dir=clip_art_dir) for some in (scenes, moved))
    assert ours.shape == shrunk.shape == (20, *size, 3)
    assert np.abs(ours - shrunk).mean() < 0.5 * np.abs(shrunk_moved.astype(float) - shrunk).mean()


def test_a_batch_is_its_scenes_one_by_one(full_size, small):
    scenes = random_scenes(14, seed=3)
    for renderer in (full_size, small):
        assert (renderer(scenes) == torch.cat([renderer([objects]) for objects in scenes])).all()


def test_both_painters_draw_the_same_at_low_resolution(clip_art_dir):
    scenes = random_scenes(20, seed=7)
    patches, words = (BatchRenderer(clip_art_dir, (96, 120), painter=each) for each in (PatchPainter, WordPainter))
    difference = (patches(scenes).int() - words(scenes)).abs()
    assert difference.max() <= 1 and (difference > 0).float().mean() < 0.001


@pytest.mark.parametrize("form", DRAW)
def test_order_of_the_list_does_not_matter(clip_art_dir, form):
    scenes = random_scenes(6, seed=4)
    for objects in scenes:
        objects.append({**objects[0], "x": objects[0]["x"] + 9} if objects else place("a_0", 3, 4))
    backward = [objects[::-1] for objects in scenes]
    assert (DRAW[form](scenes, clip_art_dir) == DRAW[form](backward, clip_art_dir)).all()


@pytest.mark.parametrize("form", DRAW)
@pytest.mark.parametrize(
    ("below", "above"),
    [
        pytest.param(("s_3", 0), ("s_0", 2), id="the sun below the sky"),
        pytest.param(("s_7", 0), ("p_0", 2), id="the sky below all else"),
        pytest.param(("t_0", 2), ("p_0", 0), id="depth 2 below depth 0"),
        pytest.param(("t_0", 2), ("p_0", 1), id="depth 2 below depth 1"),
        pytest.param(("hb0_34", 1), ("hb1_0", 1), id="type 2 below type 3"),
        pytest.param(("t_2", 0), ("t_10", 0), id="object 2 below object 10"),
    ],
)
def test_drawing_order(flat_dir, form, below, above):
    scene = [place(name, 250, 200, depth) for name, depth in (above, below)]
    assert DRAW[form]([scene], flat_dir)[0, 200, 250, 1] == PICTURE_NAMES.index(above[0])


@pytest.mark.parametrize("form", DRAW)
@pytest.mark.parametrize(("depth", "width", "height"), [(0, 40, 20), (1, 28, 14), (2, 20, 10)])
def test_an_object_is_centred_at_its_x_and_y_in_the_size_of_its_depth(flat_dir, form, depth, width, height):
    picture = DRAW[form]([[place("a_0", 101, 57, depth)]], flat_dir)[0]
    rows, columns = np.nonzero((picture != WHITE).any(-1))
    assert (columns.min(), columns.max() + 1) == (101 - width // 2, 101 + width // 2)
    assert (rows.min(), rows.max() + 1) == (57 - height // 2, 57 + height // 2)


@pytest.mark.parametrize("form", DRAW)
def test_flip_mirrors_a_picture(flat_dir, form):
    for flip, left, right in ((False, LEFT, RIGHT), (True, RIGHT, LEFT)):
        picture = DRAW[form]([[place("s_0", 250, 200, flip=flip)]], flat_dir)[0]
        assert tuple(picture[200, 235]) == left
        assert tuple(picture[200, 265]) == right


def test_objects_off_the_canvas_leave_the_background(full_size, clip_art_dir):
    objects = [place("a_0", -2000, 100), place("p_1", 3000, 100), place("t_0", 200, -2000), place("e_1", 200, 9000)]
    background = np.asarray(load_clip_art(clip_art_dir).background)
    assert (full_size([objects])[0].permute(1, 2, 0).numpy() == background).all()


@pytest.mark.parametrize("form", RENDERERS)
def test_an_empty_scene_is_the_background(clip_art_dir, form):
    background = np.asarray(load_clip_art(clip_art_dir).background)
    assert (RENDERERS[form]([[], []], data_dir=clip_art_dir) == background).all()


@pytest.mark.parametrize("form", RENDERERS)
def test_an_empty_batch_has_no_pictures(clip_art_dir, form):
    assert RENDERERS[form]([], (64, 80), data_dir=clip_art_dir).shape == (0, 64, 80, 3)


def test_render_is_the_first_of_render_batch_whatever_the_generators(clip_art_dir):
    scenes = random_scenes(2, seed=5)
    batch = render_batch(scenes, (64, 80), [np.random.default_rng(0)] * 2, clip_art_dir)
    assert batch.dtype == np.uint8
    assert (render(scenes[0], (64, 80), np.random.default_rng(1), clip_art_dir) == batch[0]).all()


def test_objects_may_be_given_as_tensors_in_any_order(small):
    scenes = random_scenes(8, seed=6)
    objects = to_tensors(scenes, "cpu")
    shuffled = torch.randperm(len(objects.scene), generator=torch.Generator().manual_seed(0))
    mixed = type(objects)(**{name: values[shuffled] for name, values in vars(objects).items()})
    assert (small.draw(mixed, 8) == small(scenes)).all()


def test_threads_do_not_draw_into_one_another(full_size):
    scenes = [random_scenes(12, seed) for seed in (8, 9)]
    expected = [full_size(some) for some in scenes]
    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(full_size, scenes * 4))
    assert all(torch.equal(pictures, expected[index % 2]) for index, pictures in enumerate(drawn))


def test_an_unknown_device_is_refused(flat_dir):
    with pytest.raises(RuntimeError, match="no_such_device"):
        BatchRenderer(flat_dir, (40, 50), "no_such_device")


@pytest.mark.parametrize("form", RENDERERS)
@pytest.mark.parametrize("size", [(128, 128), (160, 128), (0, 0), (401, 501), (800, 1000)])
def test_a_size_of_another_aspect_or_above_the_canvas_is_refused(clip_art_dir, form, size):
    with pytest.raises(ValueError, match="size"):
        RENDERERS[form]([[]], size, data_dir=clip_art_dir)


@pytest.mark.parametrize("form", RENDERERS)
@pytest.mark.parametrize(
    ("change", "message"), [({"category": "a_6"}, "'a_6'"), ({"depth": 3}, "depth 3"), ({"depth": -1}, "depth -1")]
)
def test_an_object_that_cannot_be_drawn_is_named(clip_art_dir, form, change, message):
    with pytest.raises(ValueError, match=message):
        RENDERERS[form]([[place("a_0", 9, 9) | change]], data_dir=clip_art_dir)


@pytest.mark.parametrize("name", ["background", "hb1_7s"])
def test_a_missing_picture_is_named(flat_dir, tmp_path, name):
    copytree(flat_dir, tmp_path / "data")
    (tmp_path / "data" / "Pngs" / f"{name}.png").unlink()
    with pytest.raises(ClipArtError, match=f"{name}.png: no such picture"):
        load_clip_art(tmp_path / "data")


@pytest.mark.parametrize("keep", [0, 30, 90])
def test_an_unreadable_picture_is_named(flat_dir, tmp_path, keep):
    copytree(flat_dir, tmp_path / "data")
    path = tmp_path / "data" / "Pngs" / "t_14s.png"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ClipArtError, match="t_14s.png: not a readable picture"):
        load_clip_art(tmp_path / "data")


def test_a_background_of_another_size_is_named(flat_dir, tmp_path):
    copytree(flat_dir, tmp_path / "data")
    Image.new("RGBA", (400, 500)).save(tmp_path / "data" / "Pngs" / "background.png")
    with pytest.raises(ClipArtError, match="background.png: the background is 500 x 400 pixels, not 400 x 500"):
        load_clip_art(tmp_path / "data")


def test_clip_art_is_read_once_for_a_folder_however_it_is_written(flat_dir):
    assert load_clip_art(flat_dir) is load_clip_art(flat_dir / ".." / flat_dir.name)
