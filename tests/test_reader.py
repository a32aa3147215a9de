"""Readings of a model: their order, their likelihoods, and whose code is imported for them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import toy_language
from PIL import Image
from transformers.modeling_outputs import BaseModelOutput

import derender.reader
import derender.registration
from derender.conform import Laid
from derender.errors import UnreadableError
from derender.models import ModelError, load_model
from derender.reader import Reader, Reading, ReadOptions, find_folder, find_kind
from derender.search import Found
from modeling_derender.confidence import score_objects, score_specifications
from modeling_derender.specification import order_objects


TOY = str(Path(__file__).parent / "toy_language")
LANGUAGE = toy_language.LANGUAGE


@pytest.fixture(scope="module")
def model(options, trained) -> str:
    return f"{options.output_dir}/model"


def draw(seed: int, most: int = 1) -> np.ndarray:
    return toy_language.render(toy_language.sample_scene(np.random.default_rng(seed), max_objects=most))


def test_without_what_draws_it_the_likeliest_candidate_is_chosen(model, monkeypatch):
    """Not the surest of objects: nothing is surer than no object at all."""
    reader = Reader(*load_model(model))
    assert reader.draw is None
    objects = toy_language.sample_scene(np.random.default_rng(1), max_objects=1)
    (seen,) = reader.see([toy_language.render(objects)])
    nothing, truth = reader.describe(seen, []), reader.describe(seen, objects)
    assert truth.confidences[0] < 1 and truth.error is None
    monkeypatch.setattr(reader, "_guess", lambda *_: [truth])
    best, found = reader.better(seen, nothing, ReadOptions(candidates=2))
    assert best is truth and found is None
    likelihoods = score_specifications(
        reader.model, None, [[], objects], BaseModelOutput(seen.features.expand(2, -1, -1))
    )
    assert likelihoods[1] > likelihoods[0]


@pytest.mark.parametrize("chosen", [0, 1])
def test_of_two_models_the_more_sensible_reading_is_kept(chosen, model, monkeypatch):
    first = Reader.open(f"{model}, {model}/../model", language=TOY)
    readers = [first, *first.others]
    assert [reader.name for reader in readers] == [model, f"{model}/../model"]
    objects = toy_language.sample_scene(np.random.default_rng(1), max_objects=1)
    bettered = []
    for number, reader in enumerate(readers):
        sure = 0.9 if number == chosen else 0.1
        item = SimpleNamespace(picture=draw(1), likeness=None), Reading(objects, [sure], draw(1), 0.1)
        monkeypatch.setattr(reader, "_read_likeliest", lambda _, item=item: (*item, Laid("canvas", draw(1))))
        monkeypatch.setattr(
            reader, "better", lambda *parts, name=reader.name: bettered.append(name) or (parts[1], None)
        )
    reading = first.read(Image.fromarray(draw(1)), ReadOptions(candidates=2))
    name = readers[chosen].name
    assert reading.confidences == [0.9] and bettered == [name]
    assert reading.steps[-1].told == f"canvas; read by {name}"


def test_models_that_read_together_are_of_one_language(model):
    with pytest.raises(ValueError, match="of one language: .* reads toy, and noisy_shapes noisy_shapes"):
        Reader.open(f"{model},noisy_shapes")


def test_the_folder_of_a_model_may_have_a_comma_in_its_name(model, tmp_path):
    folder = tmp_path / "one,two"
    folder.symlink_to(model)
    assert Reader.open(str(folder), language=TOY).others == []


@pytest.mark.parametrize("chosen", [0, 1])
def test_of_two_looks_at_a_canvas_the_more_sensible_reading_is_kept(chosen, model, monkeypatch):
    reader, told, pictures = Reader.open(model, language=TOY), ["thick", "thin"], [draw(2), draw(1)]
    thin = Laid(told[1], pictures[1], thick=Laid(told[0], pictures[0]))
    plain, seen = Laid("plain", draw(3)), []
    objects = toy_language.sample_scene(np.random.default_rng(1), max_objects=1)

    def read(given):
        seen.extend(given)
        sure = [0.9 if number == chosen else 0.1 for number in range(len(given))]
        return [Reading(objects, [value], item.picture, 0.1) for item, value in zip(given, sure, strict=True)]

    monkeypatch.setattr(reader, "read_likeliest", read)
    (first, reading, look), other = reader._try([thin, plain])
    assert look.told == told[chosen] and reading.confidences == [0.9] and other[2] is plain
    assert all(np.array_equal(item.picture, pictures[1]) for item in (first, reading, *seen[:2]))
    expected = [reader.see([picture])[0].features for picture in (*pictures, plain.picture)]
    assert all(
        torch.allclose(item.features, features, atol=1e-4) for item, features in zip(seen, expected, strict=True)
    )


@pytest.mark.parametrize("form, is_moved", [("blurred", True), ("buckets", False)])
def test_pencil_is_searched_where_it_lies_over_the_reading(form, is_moved, model, monkeypatch):
    reader = Reader.open(model, language=TOY)
    objects = [{"category": "dot", "x": 3, "y": 4}, {"category": "bar", "x1": 1, "x2": 5, "y": 6}]
    drawn = toy_language.render(objects)
    monkeypatch.setattr(derender.reader, "image_form", lambda folder: form)
    monkeypatch.setattr(derender.registration, "NEAR_REACH", 0.5)  # two of these pixels
    (seen,) = reader.see([np.roll(drawn, 2, axis=1)])
    searched = []
    monkeypatch.setattr(derender.reader, "Refiner", lambda *arguments: Recorded(searched, *arguments))
    reading = reader.describe(seen, objects)
    best, found = reader.better(seen, reading, ReadOptions(refine=5))
    ((likeness, error),) = searched
    assert np.array_equal(likeness.picture, drawn if is_moved else seen.picture)
    assert error == likeness.errors([objects])[0] == pytest.approx(0 if is_moved else reading.error, abs=1e-6)
    assert best.objects == found.objects == objects and best.error == reading.error > 0


@pytest.mark.parametrize("log_probability, chosen", [(0.0, 1), (-1000.0, 0)])
def test_what_looks_liker_has_to_be_likely_as_well(log_probability, chosen, model, monkeypatch):
    """Pencil: a candidate that lies better over it, and that the model finds as likely, or much less so."""
    reader = Reader.open(model, language=TOY)
    monkeypatch.setattr(derender.reader, "image_form", lambda folder: "blurred")
    dot, bar = {"category": "dot", "x": 3, "y": 4}, {"category": "bar", "x1": 1, "x2": 5, "y": 6}
    (seen,) = reader.see([toy_language.render([dot, bar])])
    poor, good = reader.describe(seen, [dot]), reader.describe(seen, [dot, bar])
    monkeypatch.setattr(reader, "_guess", lambda *_: [good])
    likelihoods = {1: 0.0, 2: log_probability}
    monkeypatch.setattr(
        reader, "_find_likelihoods", lambda _, scenes: np.array([likelihoods[len(scene)] for scene in scenes])
    )
    assert good.error < poor.error
    best, _ = reader.better(seen, poor, ReadOptions(candidates=2))
    assert best is (poor, good)[chosen]
    searched, doubts = [], []
    monkeypatch.setattr(derender.reader, "Refiner", lambda *arguments: Recorded(searched, *arguments, doubts=doubts))
    reader.better(seen, poor, ReadOptions(candidates=2, refine=5))
    (doubt,) = doubts
    assert doubt([[dot], [dot, bar]]).tolist() == [0, -log_probability / 4]


class Recorded:
    """A search that changes nothing; what it compares with, the error that it begins with and its doubt are kept."""

    def __init__(self, kept: list, _language, likeness, _budget, _extra, _fits, doubt, doubts=None):
        self.kept, self.likeness = kept, likeness
        if doubts is not None:
            doubts.append(doubt)

    def run(self, objects, error):
        self.kept.append((self.likeness, error))
        return Found(objects, error, 0, [])


@pytest.mark.parametrize("order", ["type", "position", "size", "random"])
def test_confidences_are_those_of_the_order_that_the_model_writes_in(order, model):
    reader = Reader.open(model, language=TOY)
    reader.model.config.specification_order = order
    (seen,) = reader.see([draw(3, 3)])
    objects = toy_language.sample_scene(np.random.default_rng(5), max_objects=3)[::-1]
    reading = reader.describe(seen, objects)
    assert reading.objects == (objects if order == "random" else order_objects(LANGUAGE, objects, order))
    (confidences,) = score_objects(reader.model, None, [reading.objects], BaseModelOutput(seen.features))
    assert reading.confidences == pytest.approx(confidences)


def test_another_kind_of_picture_is_refused(model, monkeypatch):
    reader = Reader.open(model, language=TOY)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8))
    with pytest.raises(UnreadableError, match="correlates with the picture by -?0.[0-4]") as error:
        reader.read(noise)
    assert error.value.code == "photograph"
    # A model fills noise with objects: only a picture that looks like what was read in it is a crowd.
    with monkeypatch.context() as patch:
        patch.setattr(reader, "_fits", lambda objects, room=0: False)
        for picture, code in ((noise, "photograph"), (Image.fromarray(draw(1)), "crowded")):
            with pytest.raises(UnreadableError) as error:
                reader.read(picture)
            assert error.value.code == code
    # Another tone is no other kind, though hardly a pixel is what it would be if it were drawn again.
    pale = reader.read(Image.fromarray((0.9 * draw(1)).astype(np.uint8)))
    assert pale.error > 0.5 and pale.objects == reader.read(Image.fromarray(draw(1))).objects
    # Where pencil cannot be drawn again exactly, the model's own word counts.
    monkeypatch.setattr(derender.reader, "image_form", lambda folder: "blurred")
    assert reader.read(Image.fromarray(draw(1))).objects
    monkeypatch.setattr(derender.reader, "LEAST_SURE", 1.0)
    with pytest.raises(UnreadableError, match="only [0-9]+% sure"):
        reader.read(Image.fromarray(draw(1)))


def test_what_it_is_not_sure_of_is_refused_where_nothing_draws_it(model, monkeypatch):
    reader = Reader(*load_model(model))
    assert reader.draw is None and reader.read(Image.fromarray(draw(1))).objects
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8))
    monkeypatch.setattr(derender.reader, "LEAST_SURE", 1.0)
    with pytest.raises(UnreadableError, match="only [0-9]+% sure") as error:
        reader.read(noise)
    assert error.value.code == "photograph"
    # No object at all may be an empty scene.
    monkeypatch.setattr(reader, "_generate", lambda features, **options: [[] for _ in features])
    assert reader.read(noise).objects == []


@pytest.mark.parametrize("channels, pixels, told", [(3, (256, 256), "256 x 256"), (1, (200, 256), "200 x 256")])
def test_lines_want_a_square_grey_canvas(channels, pixels, told):
    folder = SimpleNamespace(PICTURES="lines")
    assert find_kind(folder, LANGUAGE) == "lines" and find_kind(None, LANGUAGE) == "as they are"
    language = SimpleNamespace(name="mine", canvas=SimpleNamespace(channels=channels, pixels=pixels))
    with pytest.raises(ValueError, match=f"mine: PICTURES 'lines' is for a square grey canvas, and its has {told}"):
        find_kind(folder, language)


def test_left_out_objects_count_in_the_error(model):
    reader = Reader.open(model, language=TOY)
    whole = reader.read(Image.fromarray(draw(1)))
    rest = reader.read(Image.fromarray(draw(1)), ReadOptions(min_confidence=1.0))
    assert whole.objects and not rest.objects and rest.confidences == []
    assert rest.error == reader.compare(rest.picture, []) > whole.error


def test_a_models_word_does_not_have_code_imported(tmp_path, monkeypatch):
    """Its language may be called like a folder that lies about, and the folder may be anybody's."""
    monkeypatch.chdir(tmp_path)
    Path("toy").mkdir()
    Path("toy/__init__.py").write_text("raise SystemExit('imported')")
    assert LANGUAGE.name == "toy" and find_folder(LANGUAGE) is None
    assert find_folder(LANGUAGE, TOY).LANGUAGE == LANGUAGE
    with pytest.raises(ValueError, match="no language folder"):
        find_folder(LANGUAGE, "x" * 300)


@pytest.mark.parametrize("name", ["no such model", "x" * 5000, "nobody/nothing", ""])
def test_a_model_that_is_nowhere_is_named(name, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="models that come with the package"):
        load_model(name)
