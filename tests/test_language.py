"""The language layer: a declaration gives vocabulary, checks, orders and lossless forms, for any language."""

import copy
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_folder import write_toy_folder

from datasets_scripts import load_language_folder
from datasets_scripts.noisy_shapes.language import LANGUAGE as NOISY_SHAPES
from datasets_scripts.scenes import FreshScenes
from modeling_derender.binning import bin_objects
from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.language import Language, LanguageError
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.processing_derender import DerenderProcessor
from modeling_derender.serialization import from_json, from_tagged, from_text, to_json, to_tagged, to_text
from modeling_derender.specification import (
    SpecificationError,
    check_object,
    check_objects,
    ids_to_objects,
    is_valid,
    objects_to_ids,
    order_objects,
)


SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# A language that shares nothing with Noisy Shapes: another category property, prefixed and dependent values, y down.
TOY = {
    "name": "toy",
    "version": "1",
    "canvas": {"width": 8, "height": 8, "y_axis": "down", "pixels": [16, 16], "channels": 1},
    "category_property": "kind",
    "unique": ["shade"],
    "domains": [
        {"name": "shade", "type": "choice", "values": ["light", "dark"]},
        {"name": "x", "type": "integer", "minimum": -1, "maximum": 8, "prefix": "x="},
        {"name": "y", "type": "integer", "minimum": 0, "maximum": 7, "prefix": "y="},
    ],
    "categories": [
        {
            "name": "dot",
            "properties": [
                {"name": "shade", "domain": "shade"},
                {"name": "x", "domain": "x", "minimum": 0, "maximum": 7},
                {"name": "y", "domain": "y"},
            ],
            "points": [["x", "y"]],
        },
        {
            "name": "bar",
            "properties": [
                {"name": "shade", "domain": "shade", "values": ["dark"]},
                {"name": "x", "domain": "x", "minimum": 0, "maximum": 7},
                {"name": "until", "domain": "x", "minimum": 0, "maximum": 7},
            ],
            "rules": [{"less": ["x", "until"]}],
            "points": [["x", "x"], ["until", "until"]],
        },
    ],
}

CIRCLE = {"category": "circle", "x": 3, "y": 12}
RECTANGLE = {"category": "rectangle", "x1": 1, "y1": 2, "x2": 15, "y2": 9}
LINE = {"category": "line", "x1": 9, "y1": 1, "x2": 2, "y2": 2, "arrow": True, "solid": False}


TAGGED_CIRCLE = """<object>
  <category>Circle</category>
  <x-coordinate>3</x-coordinate>
  <y-coordinate>12</y-coordinate>
</object>"""


def changed(**fields):
    return {**copy.deepcopy(TOY), **fields}


def with_bar(**fields):
    dot, bar = copy.deepcopy(TOY["categories"])
    return changed(categories=[dot, {**bar, **fields}])


def test_noisy_shapes_has_the_papers_27_tokens():
    assert NOISY_SHAPES.vocab_size == 27
    assert len(set(NOISY_SHAPES.vocabulary)) == 27
    assert (
        len(objects_to_ids(NOISY_SHAPES, [LINE] * 12)) == 74
    )  # 12 lines of 6 tokens and both ends fit the paper's 80


def test_a_language_is_json_and_survives_it():
    for language in (NOISY_SHAPES, Language.from_dict(TOY)):
        again = Language.from_dict(json.loads(json.dumps(language.to_dict(), sort_keys=True)))
        assert again == language and again.vocabulary == language.vocabulary


def test_a_declaration_may_have_tuples():
    (shade, *others), (dot, bar) = TOY["domains"], TOY["categories"]
    tuples = Language.from_dict(
        changed(
            unique=("shade",),
            canvas={**TOY["canvas"], "pixels": (16, 16)},
            domains=({**shade, "values": ("light", "dark")}, *others),
            categories=({**dot, "points": (("x", "y"),)}, bar),
        )
    )
    assert tuples == Language.from_dict(TOY) and tuples.to_dict() == TOY


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({key: value for key, value in TOY.items() if key != "canvas"}, "declares no 'canvas'"),
        (changed(format=9), "format 9"),
        (changed(domains=[{"name": "x", "type": "complex"}]), "unknown type 'complex'"),
        (changed(canvas={**TOY["canvas"], "y_axis": "left"}), "y_axis"),
        (changed(canvas={**TOY["canvas"], "width": 9}), "points: 'x' is a coordinate of both axes"),
        (changed(category_property="shade"), "'shade'"),
        (changed(domains=TOY["domains"][:1] * 2), "domain 'shade': is declared twice"),
        (changed(unique=["x"]), "must come first"),
        (changed(unique=["shadow"]), r"unique: \['shadow'\] is no list of properties"),
        (changed(unique="shade"), "unique: 'shade' is no list of properties"),
        (changed(categories=[]), "declares no category"),
        (with_bar(label="Dot"), "label 'dot' is of more than one"),
        (
            with_bar(
                properties=[{"name": "x", "domain": "x"}, {"name": "until", "domain": "x", "tag": "x-coordinate"}]
            ),
            "category 'bar': tag 'x-coordinate' is of more than one",
        ),
        (changed(category_property="x-coordinate"), "'x-coordinate' tells the category"),
        (
            changed(domains=[*TOY["domains"][:2], {**TOY["domains"][2], "prefix": "x="}]),
            "x=3",
        ),
        ([], "language: "),
        (changed(version=np.int64(1)), "the declaration is no JSON: .*int64"),
        (changed(domains=5), "language: "),
        (changed(categories=["dot"]), "category 1: "),
        (changed(canvas={"y_axis": "up"}), "canvas: declares no 'pixels'"),
        (changed(canvas={**TOY["canvas"], "pixels": 16}), "canvas: "),
        (changed(domains=[{"type": "flag"}]), "domain 1: declares no 'name'"),
        (changed(domains=[{"name": "x", "type": "integer", "minimum": 0}]), "domain 'x': declares no 'maximum'"),
        (with_bar(name=3), "without white space.*3"),
        (with_bar(name="a bar"), "without white space.*'a bar'"),
        (with_bar(properties=[{"name": "x"}]), "category 'bar': property 'x': unknown domain None"),
        (with_bar(properties=[{"domain": "x"}]), "category 'bar': property 1: declares no 'name'"),
        (with_bar(properties=[{"name": "x", "domain": "x", "values": []}]), "property 'x': its values"),
        (with_bar(properties=[{"name": "x", "domain": "x"}] * 2), "property 'x': is declared twice"),
        (with_bar(points=[["x", "width"]]), "category 'bar': points name unknown properties"),
        (with_bar(extents=[{"name": "width", "scales": [1]}]), "category 'bar': extent 'width': is no property"),
        (with_bar(extents=[{"name": "shade"}]), "extent 'shade': declares either sizes"),
        (with_bar(extents=[{"name": "shade", "scales": [1], "sizes": [[1, 1]]}]), "declares either sizes"),
        (with_bar(extents=[{"name": "shade", "scales": [1, 2]}]), "extent 'shade': 2 sizes or scales for 1 values"),
        (with_bar(extents=[{"name": "shade", "sizes": [[1, 0]]}]), "extent 'shade': sizes are .* above 0"),
        (with_bar(extents=[{"name": "shade", "sizes": []}]), "extent 'shade': 0 sizes or scales for 1 values"),
        (with_bar(extents=[{"name": "shade", "sizes": [3]}]), "extent 'shade': "),
        (with_bar(extents=[{"name": "shade", "scales": [1]}] * 2), "extent 'shade': is declared twice"),
        (with_bar(rules=[{"greater": ["x", "until"]}]), "category 'bar': unknown rule"),
        (with_bar(rules=[{"less": ["x", "width"]}]), "category 'bar': rule .*'width'"),
        (with_bar(rules=[{"less": ["x"]}]), "category 'bar': rule .*takes two properties"),
        (with_bar(rules=[{"differ": ["x", "until"]}]), "category 'bar': rule .*takes two lists of properties"),
        (with_bar(rules=[{"sorted": [["x"], ["until", "shade"]]}]), "category 'bar': rule .*same length"),
        (with_bar(rules=[{"sorted": [["x"], ["until"]], "where": 1}]), "category 'bar': rule "),
    ],
)
def test_a_contradictory_declaration_is_refused(broken, says):
    with pytest.raises(LanguageError, match=says):
        Language.from_dict(broken)


def test_coordinates_are_what_points_name():
    assert NOISY_SHAPES.coordinate_ranges == dict.fromkeys(("x", "x1", "x2", "y", "y1", "y2"), (0, 16))
    assert not NOISY_SHAPES.has_equal_categories
    assert Language.from_dict(TOY).coordinate_ranges == dict.fromkeys(("x", "until", "y"), (0, 8))
    dots = {**TOY, "categories": TOY["categories"][:1], "canvas": {**TOY["canvas"], "height": 9}}
    assert Language.from_dict(dots).coordinate_ranges == {"x": (0, 8), "y": (0, 9)}
    assert Language.from_dict(dots).has_equal_categories


def test_each_coordinate_of_noisy_shapes_has_a_bin_of_its_own():
    dots = [{"x": x} for x in range(16)]
    assert len({item["x"] for item in bin_objects(dots, NOISY_SHAPES.coordinate_ranges)}) == 16


def test_integers_may_be_any_of_their_domain():
    properties = [{"name": "x", "domain": "x", "values": [3, 7, 1]}]
    language = Language.from_dict(with_bar(properties=properties, rules=[], points=[]))
    items = [{"kind": "bar", "x": x} for x in (3, 7, 1)]
    assert check_objects(language, items) == items
    assert ids_to_objects(language, objects_to_ids(language, items)) == items
    with pytest.raises(SpecificationError, match="bar: x: 2 is not one of 3, 7, 1$"):
        check_object(language, {"kind": "bar", "x": 2})


@pytest.mark.parametrize("language", [NOISY_SHAPES, Language.from_dict(TOY)], ids=lambda item: item.name)
def test_a_language_pickles(language):
    again = pickle.loads(pickle.dumps(language))
    assert again == language and again.vocabulary == language.vocabulary


def test_scenes_and_processor_reach_a_process_that_is_not_forked(tmp_path):
    toy = load_language_folder(str(write_toy_folder(tmp_path)))
    scenes, processor = FreshScenes(toy, (32, 32), seed=4), DerenderProcessor.from_language(toy.LANGUAGE)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        scene = pool.submit(scenes.__getitem__, 7).result()
        ids = pool.submit(processor.encode, scene["objects"]).result()
    assert scene["objects"] == scenes[7]["objects"] and np.array_equal(scene["image"], scenes[7]["image"])
    assert ids == processor.encode(scene["objects"])


def test_scenes_find_their_folder_again():
    noisy_shapes = load_language_folder("noisy_shapes")
    assert pickle.loads(pickle.dumps(FreshScenes(noisy_shapes, (8, 8)))).folder is noisy_shapes


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"category": "blob"}, "unknown category 'blob'; known: circle, rectangle, line"),
        ({"category": ["circle"]}, "unknown category"),
        ({"x": 3}, "needs the property 'category'"),
        ({"category": "circle", "x": 3}, "circle: property 'y' is missing"),
        ({**CIRCLE, "x": 1}, "circle: x: 1 is not one of 2..14"),
        ({**CIRCLE, "x": 3.5}, "circle: x: 3.5 is not an integer"),
        ({**CIRCLE, "x": "3"}, "circle: x: '3' is not an integer"),
        ({**CIRCLE, "x": True}, "circle: x: True is not an integer"),
        ({**CIRCLE, "radius": 1}, "circle: has no property 'radius'"),
        ({**RECTANGLE, "x2": 1}, "breaks the rule x1 < x2"),
        ({**LINE, "x2": 9, "y2": 1}, "differs from"),
        ({**LINE, "solid": 1}, "line: solid: 1 is not true or false"),
        ("circle 3 4", "an object is a mapping"),
    ],
)
def test_a_wrong_object_is_refused_by_name(item, says):
    with pytest.raises(SpecificationError, match=says):
        check_object(NOISY_SHAPES, item)
    with pytest.raises(SpecificationError, match="object 2: "):
        check_objects(NOISY_SHAPES, [CIRCLE, item])


def test_checking_drops_nulls_sorts_ends_and_takes_numpy_values():
    item = {**LINE, "arrow": np.bool_(False), "x1": np.int64(9), "radius": None}
    assert check_object(NOISY_SHAPES, item) == {**LINE, "x1": 2, "y1": 2, "x2": 9, "y2": 1, "arrow": False}
    assert check_object(NOISY_SHAPES, LINE) == LINE  # an arrow keeps its direction


def test_validity_counts_duplicates_and_unsorted_ends():
    assert is_valid(NOISY_SHAPES, [CIRCLE, RECTANGLE, LINE])
    assert not is_valid(NOISY_SHAPES, [CIRCLE, CIRCLE])
    assert not is_valid(NOISY_SHAPES, [{**LINE, "arrow": False}])
    toy = Language.from_dict(TOY)
    dots = [{"kind": "dot", "shade": "dark", "x": x, "y": 0} for x in (1, 2)]
    assert is_valid(toy, dots[:1]) and not is_valid(toy, dots)  # one object of a kind and shade


def test_orders():
    objects = [LINE, RECTANGLE, {**CIRCLE, "x": 5}, CIRCLE]
    by_type = order_objects(NOISY_SHAPES, objects, "type")
    assert by_type == [CIRCLE, {**CIRCLE, "x": 5}, RECTANGLE, LINE]
    by_size = order_objects(NOISY_SHAPES, objects, "size")
    assert by_size == [RECTANGLE, LINE, CIRCLE, {**CIRCLE, "x": 5}]  # 14 + 7, 7 + 1, 2 + 2
    by_position = order_objects(NOISY_SHAPES, objects, "position")
    assert by_position == [CIRCLE, {**CIRCLE, "x": 5}, RECTANGLE, LINE]  # centres at y 12, 12, 5.5, 1.5, from the top
    toy = Language.from_dict(TOY)
    dots = [{"kind": "dot", "shade": shade, "x": 0, "y": y} for shade, y in (("light", 5), ("dark", 2))]
    assert order_objects(toy, dots, "position") == dots[::-1]  # y points down here
    shuffles = {str(order_objects(NOISY_SHAPES, objects, "random", np.random.default_rng(seed))) for seed in range(9)}
    assert len(shuffles) > 3
    with pytest.raises(ValueError, match="unknown order 'beauty'; known: type, size, position, random"):
        order_objects(NOISY_SHAPES, objects, "beauty")
    with pytest.raises(ValueError, match="Generator"):
        order_objects(NOISY_SHAPES, objects, "random")


def test_sizes_that_no_coordinate_tells_are_declared():
    sizes, scales = [[6, 2], [3, 3]], [1, 1.5, *[0.5] * 6]
    dot = {**TOY["categories"][0], "margin": 0.5}
    dot["extents"] = [{"name": "shade", "sizes": sizes}, {"name": "y", "scales": scales}]
    toy = Language.from_dict(changed(categories=[dot]))
    light, dark, far = (
        {"kind": "dot", "shade": shade, "x": 4, "y": y} for shade, y in (("light", 0), ("dark", 1), ("light", 7))
    )
    assert toy.categories["dot"].box(light) == (0.5, -1.5, 7.5, 1.5)
    assert toy.categories["dot"].box(dark) == (1.25, -1.75, 6.75, 3.75)
    assert order_objects(toy, [far, light, dark], "size") == [dark, light, far]  # 11, 10 and 6 round
    assert order_objects(toy, [far, dark, light], "position") == [light, dark, far]
    # Equal sizes are equal wherever the objects stand, so the type decides.
    dot["extents"] = [{"name": "shade", "sizes": [[0.1, 0.7], [0.7, 0.1]]}]
    toy = Language.from_dict(changed(categories=[dot]))
    for x in range(8):
        light, dark = ({"kind": "dot", "shade": shade, "x": at, "y": at} for shade, at in (("light", x), ("dark", 3)))
        assert order_objects(toy, [dark, light], "size") == [light, dark]


def random_objects(language, rng, count):
    """Random valid objects, drawn by rejection."""
    objects = []
    while len(objects) < count:
        category = language.categories[rng.choice(list(language.categories))]
        item = {language.category_property: category.name}
        item |= {prop.name: prop.values[rng.integers(len(prop.values))] for prop in category.properties.values()}
        try:
            objects.append(check_object(language, item))
        except SpecificationError:
            continue
    return objects


@pytest.mark.parametrize("language", [NOISY_SHAPES, Language.from_dict(TOY)], ids=lambda item: item.name)
def test_every_form_reads_back_what_it_wrote(language):
    rng = np.random.default_rng(0)
    for _ in range(200):
        objects = random_objects(language, rng, int(rng.integers(0, 9)))
        assert ids_to_objects(language, objects_to_ids(language, objects)) == objects
        assert from_text(language, to_text(language, objects)) == objects
        assert from_json(language, to_json(objects)) == objects
        tagged = to_tagged(language, objects)
        assert from_tagged(language, tagged) == objects
        assert from_tagged(language, tagged.replace("</", "<\\")) == objects  # the slips of the paper's figure


def test_real_specifications_survive_every_form():
    files = sorted(SHARED_DATA.glob("*/metadata.jsonl"))
    if not files:
        pytest.skip("../shared/data is not here")
    lengths = []
    for line in (line for file in files for line in file.read_text().splitlines()):
        objects = check_objects(NOISY_SHAPES, json.loads(line)["objects"])
        ids = objects_to_ids(NOISY_SHAPES, objects)
        lengths.append(len(ids))
        assert is_valid(NOISY_SHAPES, objects) and ids_to_objects(NOISY_SHAPES, ids) == objects
        assert from_tagged(NOISY_SHAPES, to_tagged(NOISY_SHAPES, objects)) == objects
    assert len(lengths) == 230 and max(lengths) == 93


def test_a_category_without_the_unique_properties_may_repeat_but_itself():
    dot, bar = copy.deepcopy(TOY["categories"])
    ring = {**dot, "name": "ring", "label": "Ring", "properties": [{"name": "x", "domain": "x"}], "points": []}
    language = Language.from_dict(changed(categories=[dot, bar, ring], unique=["shade"]))
    assert language.unique_slots == {"dot": 1, "bar": 1, "ring": 1}
    rings = [{"kind": "ring", "x": x} for x in (1, 2)]
    assert is_valid(language, rings) and not is_valid(language, rings[:1] * 2)


def test_a_coordinates_tag_is_that_of_the_papers_figure():
    scenes = load_language_folder("abstract_scenes").LANGUAGE
    figure = """<object> <supercategory>Toy</supercategory> <category>t_3<\\category> <x-coordinate>120</x-coordinate>
    <y-coordinate>240</y-coordinate> <depth>1</depth> <flip>0</flip></object>"""
    objects = [{"supercategory": "toy", "category": "t_3", "x": 120, "y": 240, "depth": 1, "flip": False}]
    assert from_tagged(scenes, figure) == objects
    assert to_tagged(scenes, objects).split() == figure.replace("\\", "/").replace("</object>", " </object>").split()
    assert {prop.tag for item in NOISY_SHAPES.categories.values() for prop in item.properties.values()} == {
        *(f"{name}-coordinate" for name in ("x", "y", "x1", "y1", "x2", "y2")), "arrow", "solid",
    }  # fmt: skip


def test_the_forms_look_as_documented():
    assert to_text(NOISY_SHAPES, [CIRCLE, LINE]) == "circle 3 12\nline 9 1 2 2 arrow-dashed"
    assert to_tagged(NOISY_SHAPES, [CIRCLE]) == TAGGED_CIRCLE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("circle 3 4 5", "word 4 .'5'. begins no object"),
        ("circle 3", "the text ends before y of circle"),
        ("circle 3 99", "word 3 .'99'. is no y of circle"),
        ("rectangle 5 5 4 6", "word 1: .*x1 < x2"),
    ],
)
def test_wrong_text_is_refused_by_word(text, says):
    with pytest.raises(SpecificationError, match=says):
        from_text(NOISY_SHAPES, text)


def test_lenient_reading_keeps_what_parses():
    assert from_text(NOISY_SHAPES, "7 circle circle 3 12 rectangle 5 5 4 6", strict=False) == [CIRCLE]
    with pytest.raises(SpecificationError, match="id 99 is outside"):
        ids_to_objects(NOISY_SHAPES, [1, 99])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<object><category>Circle</category>", "line 1: expected <object>"),
        (TAGGED_CIRCLE + "\nand more", "line 6: expected <object>"),
        ("<object><category>Circle</x></object>", "not of the form"),
        ("<object><category>Blob</category></object>", "object 1: unknown category 'Blob'"),
        ("<object><category>Circle</category><x-coordinate>3</x-coordinate></object>", "'y' is missing"),
        (
            "<object><category>Circle</category><x-coordinate>three</x-coordinate></object>",
            "'three' is not an integer",
        ),
        (TAGGED_CIRCLE.replace("x-coordinate", "x"), "object 1: Circle has no tag 'x'; known: x-coordinate, y-coord"),
        (TAGGED_CIRCLE.replace("</object>", "<x>99</x></object>"), "object 1: Circle has no tag 'x'"),
    ],
)
def test_wrong_tags_are_refused_by_place(text, says):
    with pytest.raises(SpecificationError, match=says):
        from_tagged(NOISY_SHAPES, text)


def test_wrong_json_is_refused_by_place():
    with pytest.raises(SpecificationError, match="line 2"):
        from_json(NOISY_SHAPES, '[\n{"category": }]')
    with pytest.raises(SpecificationError, match="must be a list"):
        from_json(NOISY_SHAPES, '{"category": "circle"}')
    for text in ("[" * 100_000, "9" * 5000):
        with pytest.raises(SpecificationError, match="not JSON that is read here"):
            from_json(NOISY_SHAPES, text)


def draw_toy(objects):
    picture = np.full((16, 16), 255, np.uint8)
    for item in objects:
        column = slice(2 * item["x"], 2 * item["x"] + 2)
        picture[2 * item["y"] : 2 * item["y"] + 2, column] = 0 if item["shade"] == "dark" else 120
    return picture


def test_a_tiny_model_learns_the_toy_language():
    """A language declared here, in a few lines, trains with the package as it stands."""
    torch.manual_seed(0)
    language = Language.from_dict(TOY)
    processor = DerenderProcessor.from_language(language)
    config = DerenderConfig.from_language(
        language, backbone_stride=4, d_model=32, num_hidden_layers=1, ffn_dim=64, dropout=0.0, num_attention_heads=2
    )
    model = DerenderForConditionalGeneration(config)
    scenes = [
        [{"kind": "dot", "shade": shade, "x": x, "y": y}]
        for shade in ("light", "dark")
        for x in range(8)
        for y in (1, 4, 6)
    ]
    inputs = processor(images=[draw_toy(scene) for scene in scenes], objects=scenes)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss = model(**inputs).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    predictions = processor.post_process_objects(model.generate(pixel_values=inputs["pixel_values"]))
    assert sum(prediction == scene for prediction, scene in zip(predictions, scenes, strict=True)) >= 0.9 * len(scenes)
