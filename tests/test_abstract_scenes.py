"""Abstract Scenes: its language, the reader of its files, its splits and its recomposed scenes."""

import logging
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets_scripts.abstract_scenes import LANGUAGE, find_data_dir, read_scenes, sample_scene, splits
from datasets_scripts.abstract_scenes.clip_art_sizes import PICTURE_SIZES
from datasets_scripts.abstract_scenes.data_folder import VARIABLE, DataFolderError
from datasets_scripts.abstract_scenes.language import PICTURES, TYPES
from datasets_scripts.abstract_scenes.scenes_file import ScenesFileError, read_scenes_file
from modeling_derender.grammar import Grammar, State
from modeling_derender.specification import (
    SpecificationError,
    check_object,
    ids_to_objects,
    is_valid,
    objects_to_ids,
    order_objects,
)


REAL_DATA = Path(__file__).parents[2] / "shared" / "data" / "abstract_scenes"
CAT = {"supercategory": "animal", "category": "a_2", "x": 10, "y": 20, "depth": 1, "flip": True}


# The language


def test_every_picture_has_a_token_and_so_has_every_coordinate():
    assert LANGUAGE.vocab_size == 1444
    assert sum(len(pictures) for pictures in PICTURES.values()) == 126
    for x, y in ((-400, -400), (900, 800), (0, 0)):
        item = {**CAT, "x": x, "y": y}
        assert ids_to_objects(LANGUAGE, objects_to_ids(LANGUAGE, [item])) == [item]


def test_an_object_takes_six_tokens_and_seventeen_fit_the_default_length():
    objects = [{**CAT, "supercategory": "boy", "category": f"hb0_{number}"} for number in range(17)]
    assert len(objects_to_ids(LANGUAGE, objects)) == 104 <= 160


def test_a_picture_of_another_kind_is_refused():
    with pytest.raises(SpecificationError, match="animal: category: 'e_2' is not one of a_0, "):
        check_object(LANGUAGE, {**CAT, "category": "e_2"})


def test_the_grammar_offers_the_pictures_of_the_kind_that_are_not_used_yet():
    grammar, state = Grammar(LANGUAGE), State()
    for token in objects_to_ids(LANGUAGE, [CAT])[1:-1]:
        state = grammar.advance(state, token)
    state = grammar.advance(state, LANGUAGE.token_ids["animal"])
    words = [LANGUAGE.vocabulary[token] for token in grammar.allowed(state, 100)]
    assert words == ["a_0", "a_1", "a_3", "a_4", "a_5"]


def test_the_grammar_offers_every_declared_coordinate():
    grammar, state = Grammar(LANGUAGE), State()
    for word in ("animal", "a_2"):
        state = grammar.advance(state, LANGUAGE.token_ids[word])
    assert len(grammar.allowed(state, 100)) == 1301
    state = grammar.advance(state, LANGUAGE.token_ids["-400"])
    assert len(grammar.allowed(state, 100)) == 1201


def test_coordinates_have_the_canvas_as_their_range():
    assert LANGUAGE.coordinate_ranges == {"x": (0, 500), "y": (0, 400)}
    assert LANGUAGE.has_equal_categories


def test_the_order_by_size_is_that_of_the_pictures_at_their_depths():
    big, tree, cloud = (
        {"supercategory": "large", "category": "p_7", "x": 10, "y": 20, "depth": 2, "flip": True},  # 368 x 766 at 0.49
        {"supercategory": "large", "category": "p_6", "x": 10, "y": 90, "depth": 0, "flip": True},  # 270 x 114
        {"supercategory": "sky", "category": "s_7", "x": 10, "y": 50, "depth": 0, "flip": True},  # 230 x 122
    )
    assert order_objects(LANGUAGE, [cloud, CAT, tree, big], "size") == [big, tree, cloud, CAT]
    assert order_objects(LANGUAGE, [cloud, CAT, tree, big], "position") == [big, CAT, cloud, tree]
    assert LANGUAGE.categories["sky"].box(cloud) == (10 - 115, 50 - 61, 10 + 115, 50 + 61)


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real data are not beside the project")
def test_the_declared_sizes_are_those_of_the_published_pictures():
    for name, pictures in PICTURES.items():
        for picture, size in zip(pictures, PICTURE_SIZES[name], strict=True):
            with Image.open(REAL_DATA / "Pngs" / f"{picture}s.png") as image:
                assert list(image.size) == size


# The data's folder


def test_without_data_the_error_says_where_they_come_from(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(DataFolderError, match=f"{VARIABLE}(.|\n)*Zitnick and Parikh(.|\n)*must hold Scenes_10020.txt"):
        find_data_dir()


def test_the_environment_variable_names_the_folder_and_the_option_comes_first(clip_art_dir, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(clip_art_dir))
    assert find_data_dir() == clip_art_dir
    with pytest.raises(DataFolderError, match=f"^option data_dir: {tmp_path}/Scenes_10020.txt is not there"):
        find_data_dir(tmp_path)


@pytest.mark.parametrize("missing", ["Scenes_10020.txt", "Pngs"])
def test_a_folder_that_lacks_something_is_named(clip_art_dir, tmp_path, missing):
    for path in clip_art_dir.iterdir():
        if path.name != missing:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(DataFolderError, match=f"{missing} is not there"):
        find_data_dir(tmp_path)


# The scenes file


def test_scenes_are_those_of_the_file(clip_art_dir):
    file = read_scenes_file(clip_art_dir)
    assert (file.total, file.num_empty, len(file.scenes)) == (60, 2, 58)
    assert not {3, 17} & set(file.scenes)
    _, header, *rows = (clip_art_dir / "Scenes_10020.txt").read_text().split("\n")
    rows = [row.split("\t") for row in rows[: int(header.split("\t")[1])]]
    expected = [
        {
            "supercategory": TYPES[int(kind)][0], "category": png.removesuffix("s.png"), "x": int(x), "y": int(y),
            "depth": int(depth), "flip": flip == "1",
        }
        for png, kind, _, x, y, depth, flip in rows
    ]  # fmt: skip
    assert file.scenes[0] == order_objects(LANGUAGE, expected)
    assert all(is_valid(LANGUAGE, objects) for objects in file.scenes.values())


def write_scenes(clip_art_dir: Path, folder: Path, lines: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Pngs").symlink_to(clip_art_dir / "Pngs")
    (folder / "Scenes_10020.txt").write_text("\n".join(lines) + "\n")
    return folder


GOOD = [
    "2",
    "0\t1",
    "s_3s.png\t0\t3\t400\t40\t0\t0",
    "0\t2",
    "a_1s.png\t4\t1\t5\t6\t2\t1",
    "a_2s.png\t4\t2\t5\t6\t2\t0",
]


def test_the_good_lines_are_good(clip_art_dir, tmp_path):
    assert len(read_scenes_file(write_scenes(clip_art_dir, tmp_path / "data", GOOD)).scenes) == 2


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "many", "line 1: number of scenes 'many' is not a whole number"),
        (1, "1", "line 4: more lines than those of the 1 scenes that line 1 tells of"),
        (1, "3", "line 7: the file ends where the sentence and the count of scene 2 of 3 should follow"),
        (2, "0\t2", r"line 4: 7 tab-separated fields expected \(object 2 of 2 of scene 0\), found 2"),
        (4, "0\t1", "line 6: more lines than those of the 2 scenes that line 1 tells of"),
        (4, "0\t3", "line 7: the file ends where object 3 of 3 of scene 1 should follow"),
        (4, "0\t-1", "line 4: the count -1 is negative"),
        (4, "0\ttwo", "line 4: count 'two' is not a whole number"),
        (4, "1\t2", "line 4: scene 1 is of sentence 0, not 1"),
        (5, "a_7s.png\t4\t7\t5\t6\t2\t1", r"line 5: OBJECT 7 is not one of 0..5, the pictures of type 4 \(animal\)"),
        (5, "b_1s.png\t4\t1\t5\t6\t2\t1", "line 5: the picture 'b_1s.png' should be a_1s.png"),
        (5, "a_1s.png\t8\t1\t5\t6\t2\t1", "line 5: TYPE '8' is not one of 0..7"),
        (5, "a_1s.png\t4\t1\t5\t6\t3\t1", "line 5: animal: depth: 3 is not one of 0..2"),
        (5, "a_1s.png\t4\t1\tleft\t6\t2\t1", "line 5: X 'left' is not a whole number"),
        (5, "a_1s.png\t4\t1\t901\t6\t2\t1", "line 5: animal: x: 901 is not one of -400..900"),
        (5, "a_1s.png\t4\t1\t4_0\t6\t2\t1", "line 5: X '4_0' is not a whole number"),
        (1, "-2", "line 1: the number of scenes -2 is negative"),
        (5, "a_1s.png\t4\t1\t5\t6\t2\t2", "line 5: FLIP '2' is neither 0 nor 1"),
        (5, "a_1s.png 4 1 5 6 2 1", "line 5: 7 tab-separated fields expected"),
        (6, "a_1s.png\t4\t1\t9\t9\t0\t0", "line 6: the picture a_1 is in scene 1 twice"),
    ],
)
def test_a_bad_line_is_named(clip_art_dir, tmp_path, line, text, message):
    lines = [*GOOD[: line - 1], text, *GOOD[line:]]
    folder = write_scenes(clip_art_dir, tmp_path / "data", lines)
    with pytest.raises(ScenesFileError, match=f"Scenes_10020.txt, ({message})"):
        read_scenes_file(folder)


def test_a_picture_that_is_not_there_is_unknown(clip_art_dir, tmp_path):
    shutil.copytree(clip_art_dir, tmp_path / "data")
    (tmp_path / "data" / "Pngs" / "a_1s.png").unlink()
    (tmp_path / "data" / "Scenes_10020.txt").write_text("\n".join(GOOD))
    with pytest.raises(ScenesFileError, match="line 5: the picture 'a_1s.png' is not in Pngs"):
        read_scenes_file(tmp_path / "data")


@pytest.mark.parametrize(("mark", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n")])
def test_a_byte_order_mark_and_other_line_ends_do_no_harm(clip_art_dir, tmp_path, mark, end):
    folder = write_scenes(clip_art_dir, tmp_path / "data", GOOD)
    expected = read_scenes_file(folder).scenes
    (folder / "Scenes_10020.txt").write_bytes(mark + end.join(line.encode() for line in GOOD))
    assert read_scenes_file(folder).scenes == expected


def test_a_file_that_is_no_text_is_named(clip_art_dir, tmp_path):
    folder = write_scenes(clip_art_dir, tmp_path / "data", GOOD)
    (folder / "Scenes_10020.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenesFileError, match="Scenes_10020.txt: cannot be read"):
        read_scenes_file(folder)


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real data are not beside the project")
def test_the_published_scenes_survive_objects_ids_objects():
    file = read_scenes_file(REAL_DATA)
    assert (len(file.scenes), file.num_empty) == (9693, 327)
    lengths = Counter()
    for objects in file.scenes.values():
        ids = objects_to_ids(LANGUAGE, objects)
        assert ids_to_objects(LANGUAGE, ids) == objects
        lengths[len(ids) > 100] += 1
        assert len(ids) <= 160
    assert lengths[True] == 1


# Splits


def numbers(folder, **options) -> dict[str, set[int]]:
    return {split: set(map(int, read_scenes(split, folder, **options))) for split in ("train", "validation", "test")}


@pytest.mark.parametrize("split_by", ["scene", "sentence"])
def test_the_splits_share_the_scenes_out(clip_art_dir, split_by):
    parts = numbers(clip_art_dir, split_by=split_by, validation_share=0.2)
    assert sorted(sum(map(list, parts.values()), [])) == sorted(set(range(60)) - {3, 17})
    assert all(parts.values())


def test_a_tenth_is_the_test_split_and_there_is_no_validation_by_default(clip_art_dir):
    parts = numbers(clip_art_dir)
    assert len(parts["test"] - {3, 17}) in range(4, 7) and not parts["validation"]
    assert parts["test"] != numbers(clip_art_dir, split_seed=1)["test"]


def test_by_sentence_no_sentence_is_in_two_splits(clip_art_dir):
    parts = numbers(clip_art_dir, split_by="sentence", validation_share=0.2)
    sentences = [{number // 10 for number in part} for part in parts.values()]
    assert sum(map(len, sentences)) == 6
    assert len(parts["test"]) >= 8


def test_a_copy_with_more_empty_scenes_is_split_alike(clip_art_dir, tmp_path):
    lines = (clip_art_dir / "Scenes_10020.txt").read_text().splitlines()
    count = int(lines[1].split("\t")[1])
    emptied = [lines[0], "0\t0", *lines[2 + count :]]
    other = write_scenes(clip_art_dir, tmp_path / "data", emptied)
    for split, part in numbers(clip_art_dir).items():
        assert numbers(other)[split] == part - {0}


def test_the_empty_scenes_are_told(clip_art_dir, caplog):
    splits._read_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        read_scenes("train", clip_art_dir)
    assert "2 of 60 scenes are empty" in caplog.text


def test_scenes_are_read_again_when_the_file_has_changed(clip_art_dir, tmp_path):
    folder = write_scenes(clip_art_dir, tmp_path / "data", GOOD)
    assert len(read_scenes("train", folder)) == 2
    (folder / "Scenes_10020.txt").write_text("\n".join(["1", *GOOD[1:3]]))
    assert len(read_scenes("train", folder)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split_by": "page"}, "split_by must be one of scene, sentence, not 'page'"),
        ({"validation_share": 1}, "validation_share must be a number from 0 to 0.9, not 1"),
        ({"validation_share": "some"}, "validation_share must be a number from 0 to 0.9, not 'some'"),
        ({"split_seed": -1}, "split_seed must be a whole number of at least 0, not -1"),
        ({"split_seed": 1.5}, "split_seed must be a whole number"),
        ({"split": "dev"}, "unknown split 'dev'"),
    ],
)
def test_wrong_split_options_are_named(clip_art_dir, options, message):
    with pytest.raises(ValueError, match=message):
        read_scenes(**{"split": "train", "data_dir": clip_art_dir, **options})


# Recomposed scenes


def draw(folder, count: int, **options) -> list[list[dict]]:
    return [sample_scene(np.random.default_rng(seed), folder, **options) for seed in range(count)]


def test_recomposed_scenes_are_specifications(clip_art_dir):
    scenes = draw(clip_art_dir, 300, shift=200)
    assert all(is_valid(LANGUAGE, scene) for scene in scenes)
    for scene in scenes:
        kinds = Counter(item["supercategory"] for item in scene)
        assert kinds["boy"] <= 1 and kinds["girl"] <= 1 and scene
    assert scenes == draw(clip_art_dir, 300, shift=200)


def test_without_any_change_they_are_training_scenes(clip_art_dir):
    still = {"exchanged": 0, "redrawn": 0, "shift": 0, "jitter": 0, "validation_share": 0.2}
    scenes = draw(clip_art_dir, 200, **still)
    training = list(read_scenes("train", clip_art_dir, validation_share=0.2).values())
    assert all(scene in training for scene in scenes)
    assert len({str(scene) for scene in scenes}) > len(training) / 2


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ({"shift": 30}, {"x", "y"}),
        ({"jitter": 30}, {"x", "y"}),
        ({"redrawn": 1}, {"category", "depth", "flip"}),
        ({"exchanged": 1}, {"supercategory", "category", "x", "y", "depth", "flip"}),
    ],
)
def test_each_option_changes_its_part(clip_art_dir, option, changes):
    still = {"exchanged": 0, "redrawn": 0, "shift": 0, "jitter": 0}
    pairs = zip(draw(clip_art_dir, 60, **still), draw(clip_art_dir, 60, **{**still, **option}), strict=True)
    pairs = [pair for pair in pairs if len(pair[0]) == len(pair[1])]  # what would double a picture is left out

    def differs(name):
        return any(sorted(one[name] for one in base) != sorted(one[name] for one in new) for base, new in pairs)

    assert len(pairs) > 30
    assert {name for name in CAT if differs(name)} == changes


@pytest.mark.parametrize(
    "option",
    [{"exchanged": 1.5}, {"redrawn": -1}, {"shift": float("inf")}, {"jitter": float("nan")}, {"shift": "far"}],
)
def test_wrong_sampler_options_are_named(clip_art_dir, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        draw(clip_art_dir, 1, **option)
