"""Confidences and looks: what the model's own probabilities and attention say of each object."""

import math

import pytest
import torch
from tiny import CNN_LSTM, DECODERS, LSTM, TRANSFORMER, tiny_model, tiny_pictures
from toy_language import LANGUAGE

from datasets_scripts.abstract_scenes import LANGUAGE as SCENES
from datasets_scripts.abstract_scenes.language import MARGIN
from datasets_scripts.noisy_shapes import LANGUAGE as SHAPES
from modeling_derender.confidence import find_looks, score_objects, score_specifications
from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.coordinate_tokens import find_coordinate_tokens
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.specification import ids_to_objects, objects_to_ids


every_decoder = pytest.mark.parametrize("options", DECODERS, ids=str)
DOT = {"category": "dot", "x": 1, "y": 2}
BAR = {"category": "bar", "x1": 3, "x2": 4, "y": 0}
SUN = {"supercategory": "sky", "category": "s_3", "x": -MARGIN, "y": 200, "depth": 2, "flip": True}


@every_decoder
def test_confidences_are_products_of_the_probabilities_of_generation(options):
    torch.manual_seed(5)
    model, pictures = tiny_model(**options), tiny_pictures(8)
    output = model.generate(
        pixel_values=pictures, do_sample=True, top_k=0, output_scores=True, return_dict_in_generate=True
    )
    # The scores are what the processors left: under the grammar, all that is forbidden is -inf.
    probabilities = torch.stack(output.scores, dim=1).softmax(-1)
    objects = [ids_to_objects(LANGUAGE, row) for row in output.sequences]
    assert len({len(items) for items in objects}) > 1
    confidences = score_objects(model, pictures, objects)
    for row, items in enumerate(objects):
        position = 0
        for item, confidence in zip(items, confidences[row], strict=True):
            length = len(item)  # the category's token and one a property
            tokens = output.sequences[row, 1 + position : 1 + position + length]
            expected = math.prod(probabilities[row, position + i, token].item() for i, token in enumerate(tokens))
            assert confidence == pytest.approx(expected, rel=1e-3)
            position += length
    wholes = score_specifications(model, pictures, objects)
    for row, (items, whole) in enumerate(zip(objects, wholes, strict=True)):
        length = sum(map(len, items)) + 1  # and the end
        tokens = output.sequences[row, 1 : 1 + length]
        expected = sum(math.log(probabilities[row, place, token]) for place, token in enumerate(tokens))
        assert whole == pytest.approx(expected, abs=1e-3)


def test_near_a_coordinate_counts_what_is_close_to_it():
    assert [reach for *_, reach in find_coordinate_tokens(SCENES)] == [10]  # a 40th of 400 pixels
    assert [reach for *_, reach in find_coordinate_tokens(SHAPES)] == [0]
    small = {"backbone_stride": 8, "d_model": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 48}
    torch.manual_seed(0)
    model = DerenderForConditionalGeneration(DerenderConfig.from_language(SCENES, **small)).eval()
    pictures = torch.randn(1, 3, 32, 40)
    ids = torch.tensor([objects_to_ids(SCENES, [SUN])])
    with torch.no_grad():
        weights = model(pixel_values=pictures, decoder_input_ids=ids).logits[0].double().exp()
    expected = 1.0
    for name, numbers in (("x", range(SUN["x"], SUN["x"] + 11)), ("y", range(190, 211))):
        place = ids[0].tolist().index(SCENES.token_ids[str(SUN[name])])
        near = [SCENES.token_ids[str(number)] for number in numbers]
        expected *= (weights[place - 1, near].sum() / weights[place - 1, ids[0, place]]).item()
    ((exact,),), ((sure,),) = (score_objects(model, pictures, [[SUN]], near=near) for near in (False, True))
    assert sure / exact == pytest.approx(expected, rel=1e-3) and expected > 100


def test_objects_that_cannot_be_written_are_refused():
    model = tiny_model()
    for objects, message in (
        ([DOT, DOT], "picture 1: token 7, '2', breaks the grammar"),
        ([{**BAR, "y": row} for row in range(4)], "picture 1: token 14, 'bar', .* leaves no room to end"),
        ([{**DOT, "x": 99}], "picture 1: object 1: dot: x: 99 is not one of"),
    ):
        with pytest.raises(ValueError, match=message):
            score_objects(model, tiny_pictures(2), [[DOT], objects])
    assert score_objects(model, tiny_pictures(2), [[], []]) == [[], []]


@pytest.mark.parametrize("options", [TRANSFORMER, LSTM], ids=str)
def test_looks_are_the_mean_attention_of_an_objects_tokens(options):
    model = tiny_model(**options)
    pictures = tiny_pictures(2, 24, 40)
    looks = find_looks(model, pictures, [[DOT, BAR], [BAR]])
    assert [[look.shape for look in row] for row in looks] == [[(3, 5)] * 2, [(3, 5)]]
    assert model.config._attn_implementation == "sdpa"
    eager = tiny_model("eager", **options)
    ids = torch.tensor([[1, *(LANGUAGE.token_ids[word] for word in ("dot", "1", "2", "bar", "3", "4", "0"))]])
    with torch.no_grad():
        output = eager(pixel_values=pictures[:1], decoder_input_ids=ids, output_attentions=True)
    attention = torch.stack([layer[0].mean(0) for layer in output.cross_attentions]).mean(0)
    torch.testing.assert_close(looks[0][0].flatten(), attention[:3].mean(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(looks[0][1].flatten(), attention[3:7].mean(0), rtol=1e-4, atol=1e-6)
    assert looks[0][1].sum().item() == pytest.approx(1, abs=1e-4)


def test_confidences_are_without_dropout_whatever_the_models_mode():
    model = tiny_model(dropout=0.5)
    expected = score_objects(model, tiny_pictures(1), [[DOT, BAR]])
    assert score_objects(model.train(), tiny_pictures(1), [[DOT, BAR]]) == expected
    assert model.training


def test_looks_have_the_shape_of_the_backbones_own_map():
    model = tiny_model(backbone="test_convnext", backbone_stride=8)
    (look,) = find_looks(model, tiny_pictures(1, 24, 44), [[DOT]])[0]
    assert look.shape == (3, 5)  # this network cuts off what its stride leaves over


def test_looks_of_a_model_without_attention_are_refused():
    with pytest.raises(ValueError, match="no attention"):
        find_looks(tiny_model(**CNN_LSTM), tiny_pictures(1), [[DOT]])
