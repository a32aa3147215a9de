"""Tests of the stand-in clip art: that it has every picture of Abstract Scenes, and scenes in the original format."""

import re
from itertools import chain

import pytest
from clip_art import draw_clip_art, write_scenes_file
from PIL import Image

from datasets_scripts.abstract_scenes.language import PICTURES, TYPES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip_art")
    draw_clip_art(folder)
    return folder


def _pixels(folder):
    return {path.name: Image.open(path) for path in (folder / "Pngs").iterdir() if path.name != "background.png"}


def _scenes(path):
    """The count that the file declares, and its scenes as (sentence, rows of seven strings)."""
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    declared, scenes = int(next(lines)), []
    for line in lines:
        sentence, count = map(int, line.split("\t"))
        scenes.append((sentence, [next(lines).split("\t") for _ in range(count)]))
    return declared, scenes


def test_the_pictures_are_those_of_the_language(folder):
    names = {f"{name}s.png" for name in chain(*PICTURES.values())}
    assert {path.name for path in (folder / "Pngs").iterdir()} == names | {"background.png"}


def test_the_background_is_opaque_and_fills_the_canvas(folder):
    with Image.open(folder / "Pngs" / "background.png") as image:
        assert (image.mode, image.size, image.getextrema()[3]) == ("RGBA", (500, 400), (255, 255))


def test_every_picture_is_rgba_with_transparent_and_opaque_pixels(folder):
    wrong = [n for n, i in _pixels(folder).items() if i.mode != "RGBA" or i.getchannel("A").getextrema() != (0, 255)]
    assert not wrong


def test_every_picture_is_cut_to_what_is_drawn(folder):
    assert [name for name, image in _pixels(folder).items() if image.getbbox() != (0, 0, *image.size)] == []


def test_no_two_pictures_are_equal(folder):
    pictures = _pixels(folder).values()
    assert len({(image.size, image.tobytes()) for image in pictures}) == len(pictures)


def test_drawing_twice_gives_the_same_bytes(folder, tmp_path):
    draw_clip_art(tmp_path)
    first, second = ({p.name: p.read_bytes() for p in (where / "Pngs").iterdir()} for where in (folder, tmp_path))
    assert first == second


def test_the_scenes_file_holds_the_scenes_asked_for_ten_a_sentence(folder):
    declared, scenes = _scenes(write_scenes_file(folder, 23))
    assert (declared, [sentence for sentence, _ in scenes]) == (23, [0] * 10 + [1] * 10 + [2] * 3)


def test_the_rows_of_the_scenes_agree_with_the_language(folder):
    for _, rows in _scenes(write_scenes_file(folder, 40))[1]:
        for name, kind, number, *rest in rows:
            assert name == f"{TYPES[int(kind)][2]}_{number}s.png" and int(number) < TYPES[int(kind)][3]
            assert re.fullmatch(r"-?\d+ -?\d+ [012] [01]", " ".join(rest))


def test_the_centres_of_the_objects_lie_on_the_canvas(folder):
    rows = chain(*(rows for _, rows in _scenes(write_scenes_file(folder, 40))[1]))
    assert [row for row in rows if not (0 <= int(row[3]) < 500 and 0 <= int(row[4]) < 400)] == []


def test_no_scene_repeats_a_picture_or_has_two_boys_or_girls(folder):
    for _, rows in _scenes(write_scenes_file(folder, 40))[1]:
        names = [row[0] for row in rows]
        assert len(set(names)) == len(names)
        assert all(sum(name.startswith(child) for name in names) <= 1 for child in ("hb0_", "hb1_"))


def test_the_scenes_asked_to_be_empty_alone_are(folder):
    _, scenes = _scenes(write_scenes_file(folder, 12, empty=(3, 11)))
    assert [number for number, (_, rows) in enumerate(scenes) if not rows] == [3, 11]


def test_the_scenes_depend_on_the_seed_alone(folder):
    first, again, other = (write_scenes_file(folder, 5, seed=seed).read_text() for seed in (1, 1, 2))
    assert first == again != other
