"""Readings of a model: their order, their likelihoods, and whose code is imported for them."""

from pathlib import Path

import numpy as np
import pytest
import toy_language
from PIL import Image
from transformers.modeling_outputs import BaseModelOutput

import derender.reader
from derender.errors import UnreadableError
from derender.models import ModelError, load_model
from derender.reader import Reader, ReadOptions, find_folder
from modeling_derender.confidence import score_objects, score_specifications
from modeling_derender.specification import order_objects


TOY = str(Path(__file__).parent / "toy_language")
LANGUAGE = toy_language.LANGUAGE


@pytest.fixture(scope="module")
def model(options, trained) -> str:
    return f"{options.output_dir}/model"


def draw(seed: int, most: int = 1) -> np.ndarray:
    return toy_language.render(toy_language.sample_scene(np.random.default_rng(seed), max_objects=most))


def test_without_what_draws_it_the_likeliest_candidate_is_chosen(model):
    """Also where a shorter one has surer objects."""
    reader = Reader(*load_model(model))
    reader.draw = None
    for seed in range(6):
        picture = Image.fromarray(draw(seed, 3))
        greedy, best = reader.read(picture), reader.read(picture, ReadOptions(candidates=8))
        features = BaseModelOutput(reader.see([best.picture])[0].features.expand(2, -1, -1))
        likelihoods = score_specifications(reader.model, None, [greedy.objects, best.objects], features)
        assert likelihoods[1] >= likelihoods[0] and best.objects and best.error is None


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
    with pytest.raises(UnreadableError, match="looks [0-9]+% unlike it") as error:
        reader.read(noise)
    assert error.value.code == "photograph"
    # Where pencil cannot be drawn again exactly, the model's own word counts.
    monkeypatch.setattr(derender.reader, "image_form", lambda folder: "blurred")
    assert reader.read(Image.fromarray(draw(1))).objects
    monkeypatch.setattr(derender.reader, "LEAST_SURE", 1.0)
    with pytest.raises(UnreadableError, match="only [0-9]+% sure"):
        reader.read(Image.fromarray(draw(1)))


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


@pytest.mark.parametrize("name", ["no such model", "x" * 5000, "nobody/nothing", ""])
def test_a_model_that_is_nowhere_is_named(name, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="models that come with the package"):
        load_model(name)
