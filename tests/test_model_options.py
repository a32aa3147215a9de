"""The model's options: the paper's sizes, and what is refused."""

import pytest
import torch
from tiny import tiny_config, tiny_labels, tiny_model, tiny_pictures
from toy_language import LANGUAGE

from modeling_derender.configuration_derender import CHOICES, DerenderConfig
from modeling_derender.modeling_derender import DECODERS, DerenderForConditionalGeneration


def test_the_defaults_are_the_papers_size():
    model = DerenderForConditionalGeneration(DerenderConfig(vocab_size=27))
    assert round(model.num_parameters() / 1e6, 1) == 11.8
    assert (model.config.d_model, model.config.num_hidden_layers, model.config.norm_position) == (128, 4, "after")
    lstm = DerenderForConditionalGeneration(DerenderConfig(vocab_size=27, decoder_type="lstm"))
    assert round(lstm.num_parameters() / 1e6, 1) == 11.5


def test_every_decoder_type_is_built():
    assert set(CHOICES["decoder_type"]) == set(DECODERS)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"decoder_type": "gru"}, "decoder_type: 'gru' is unknown; known: transformer, lstm"),
        ({"decoder_type": "lstm", "lstm_attention": "dot"}, "lstm_attention: 'dot' is unknown; known: additive, none"),
        ({"decoder_type": "lstm", "ffn_dim": 64}, "'ffn_dim' belongs to decoder_type 'transformer', not 'lstm'"),
        ({"lstm_attention": "none"}, "'lstm_attention' belongs to decoder_type 'lstm', not 'transformer'"),
        ({"backbone_stride": 2}, "backbone_stride: 2 is unknown; known: 4, 8, 16, 32"),
        ({"feature_positions": "1d"}, "feature_positions"),
        ({"norm_position": "middle"}, "norm_position: 'middle' is unknown; known: after, before"),
        ({"position_encoding": "learned"}, "position_encoding"),
        ({"d_model": 100}, "d_model: 100 is not divisible by num_attention_heads, 8"),
        ({"d_model": 30, "num_attention_heads": 5}, "d_model: 30 is not divisible by 4"),
        ({"num_hidden_layers": 0}, "num_hidden_layers: 0 is not a positive whole number"),
        ({"ffn_dim": 2.5}, "ffn_dim"),
        ({"max_specification_length": "80"}, "max_specification_length"),
        ({"dropout": 1}, "dropout"),
        ({"image_size": [64]}, "image_size"),
        ({"image_size": [64, 0]}, "image_size"),
        ({"d_modle": 64}, "unknown model option 'd_modle'"),
        ({"vocab_size": 99}, "model option 'vocab_size' follows from the language"),
        ({"eos_token_id": 2}, "model option 'eos_token_id' follows from the language"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        DerenderConfig.from_language(LANGUAGE, **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"backbone": "resnet1"}, "backbone: timm .* has no model 'resnet1'"),
        ({"backbone": "test_vit", "backbone_stride": 32}, "backbone_stride: test_vit has no feature map of stride 32"),
        ({"backbone": "mambaout_femto"}, "backbone: mambaout_femto has its channels last"),
    ],
)
def test_a_backbone_that_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        tiny_model(**options)


def test_inputs_that_do_not_fit_are_named():
    model = tiny_model()
    with pytest.raises(ValueError, match=r"pixel_values: shape \(2, 3, 32, 32\) is not \(batch, 1, height, width\)"):
        model.generate(pixel_values=torch.zeros(2, 3, 32, 32))
    with pytest.raises(ValueError, match="pixel_values or encoder_outputs"):
        model(labels=tiny_labels())
    with pytest.raises(ValueError, match="labels or decoder_input_ids"):
        model(pixel_values=tiny_pictures())
    for rows in (0, 2, 4):
        with pytest.raises(ValueError, match=f"decoder_input_ids: {rows} rows for 3 images"):
            model(pixel_values=tiny_pictures(3), decoder_input_ids=torch.ones(rows, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="use_gramar"):
        model.generate(pixel_values=tiny_pictures(), use_gramar=False)


def test_an_lstm_is_not_held_to_the_transformers_heads():
    assert tiny_model(decoder_type="lstm", d_model=36).num_parameters()


def test_the_config_holds_the_language_and_follows_it():
    config = tiny_config(image_size=(24, 40))
    assert config.language == LANGUAGE.to_dict() and config.vocab_size == LANGUAGE.vocab_size
    assert config.decoder_start_token_id == config.bos_token_id == LANGUAGE.bos_token_id
    assert config.image_size == [24, 40] and tiny_config().image_size == list(LANGUAGE.canvas.pixels)
