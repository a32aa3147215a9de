"""The page's table: objects as rows and back, with what people may type into it."""

import numpy as np
import pytest

from datasets_scripts import abstract_scenes, noisy_shapes
from derender.overlay import lay_over
from derender.table import from_rows, headers, to_rows
from modeling_derender.specification import SpecificationError


SHAPES = noisy_shapes.LANGUAGE
OBJECTS = [
    {"category": "circle", "x": 3, "y": 4},
    {"category": "line", "x1": 2, "y1": 3, "x2": 6, "y2": 3, "arrow": True, "solid": False},
]


def test_objects_come_back_from_their_rows(clip_art_dir):
    scene = next(iter(abstract_scenes.read_scenes("test", data_dir=clip_art_dir).values()))
    for language, objects in ((SHAPES, OBJECTS), (abstract_scenes.LANGUAGE, scene)):
        confidences = [0.25] * (len(objects) - 1) + [None]
        rows = to_rows(language, objects, confidences)
        assert {len(row) for row in rows} == {len(headers(language))}
        assert from_rows(language, rows) == (objects, confidences)


def test_a_row_can_be_changed_dropped_and_added():
    first, second = to_rows(SHAPES, OBJECTS, [0.5, 0.75])
    first[0] = False  # not to be kept
    second[headers(SHAPES).index("x2")] = 7.0  # as tables hand numbers on
    second[headers(SHAPES).index("arrow")] = "False"
    new = [True, "circle", "9", "9", *[""] * 7]
    empty = [True, *[""] * 10]
    objects, confidences = from_rows(SHAPES, [first, second, new, empty])
    assert objects == [{**OBJECTS[1], "x2": 7, "arrow": False}, {"category": "circle", "x": 9, "y": 9}]
    assert confidences == [0.75, None]


def test_a_row_of_another_length_is_named():
    rows = to_rows(SHAPES, OBJECTS, [0.5, 0.75])
    for bad in ([], rows[1][:-1], [*rows[1], ""]):
        with pytest.raises(SpecificationError, match="row 2: .* cells, not 11"):
            from_rows(SHAPES, [rows[0], bad])
    assert from_rows(SHAPES, [rows[0], [None] * len(rows[0])]) == (OBJECTS[:1], [0.5])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("category", "star", "row 1: unknown category 'star'"),
        ("x", "99", "row 1: circle: x: "),
        ("x", "", "row 1: circle: property 'x' is missing"),
        ("x", "three", "row 1: circle: x: "),
        ("x1", "4", "row 1: circle: has no property 'x1'"),
    ],
)
def test_a_bad_row_is_named(column, value, message):
    rows = to_rows(SHAPES, OBJECTS, [0.5, 0.75])
    rows[0][headers(SHAPES).index(column)] = value
    with pytest.raises(SpecificationError, match=message):
        from_rows(SHAPES, rows)


def test_what_was_read_lies_over_the_picture():
    picture, drawn = np.full((4, 4), 255, np.uint8), np.full((4, 4), 255, np.uint8)
    picture[0], drawn[1] = 0, 0
    laid = lay_over(picture, drawn)
    assert laid.shape == (4, 4, 3) and (laid[2:] == 255).all()
    assert (laid[0] > 150).all() and laid[1, 0, 0] > 2 * laid[1, 0, 2]  # pale below, red above
    colour = np.zeros((2, 2, 3), np.uint8)
    assert (lay_over(colour, colour + 100) == 50).all()
