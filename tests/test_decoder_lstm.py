"""The LSTM decoder: equations 1 to 3 written out, its state as a cache, and what it refuses."""

import pytest
import torch
from tiny import CNN_LSTM, LSTM, tiny_labels, tiny_model, tiny_pictures
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from modeling_derender.cache_name import CACHE
from modeling_derender.decoder_lstm import FORGET_BIAS


both = pytest.mark.parametrize("options", [LSTM, CNN_LSTM], ids=str)


def plain_decoder(decoder, tokens, features):
    """Equations 1 to 3 for one picture, a token and a feature at a time: tokens (T,), features (N, D)."""
    hidden, cell = torch.tanh(decoder.initial_state(features.mean(0))).chunk(2)
    states, weights = [], []
    for token in tokens:
        gates = decoder.token_gates(decoder.embed_tokens.weight[token] * decoder.embed_tokens.weight.shape[1] ** 0.5)
        inputs = hidden
        if decoder.attention is not None:
            attention = decoder.attention
            energies = torch.stack(
                [
                    attention.score.weight[0]
                    @ torch.tanh(
                        attention.feature_proj.weight @ feature
                        + attention.state_proj.weight @ hidden
                        + attention.feature_proj.bias
                    )
                    for feature in features
                ]
            )
            alpha = energies.exp() / energies.exp().sum()
            context = sum(share * feature for share, feature in zip(alpha, features, strict=True))
            inputs = torch.cat((context, hidden))
            weights.append(alpha)
        enter, keep, leave, candidate = (gates + decoder.state_gates.weight @ inputs).chunk(4)
        cell = torch.sigmoid(keep + FORGET_BIAS) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        hidden = torch.sigmoid(leave) * torch.tanh(cell)
        states.append(hidden)
    return torch.stack(states), torch.stack(weights) if weights else None


@both
@torch.no_grad()
def test_the_decoder_is_equations_1_to_3(options):
    model, tokens = tiny_model(**options), tiny_labels().clamp(min=0)
    features = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(4))
    seen = options == LSTM
    output = model.decoder(tokens, features, output_attentions=seen)
    for row in range(3):
        states, weights = plain_decoder(model.decoder, tokens[row], features[row])
        torch.testing.assert_close(output.last_hidden_state[row], states, rtol=1e-4, atol=1e-5)
        if seen:
            torch.testing.assert_close(output.cross_attentions[0][row, 0], weights, rtol=1e-4, atol=1e-5)


def test_without_attention_only_the_pooled_feature_counts():
    features = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(4))
    tokens = tiny_labels().clamp(min=0)
    for options, same in ((CNN_LSTM, True), (LSTM, False)):
        decoder = tiny_model(**options).decoder
        pooled = features.mean(1, keepdim=True).expand(-1, 5, -1)
        outputs = [decoder(tokens, item).last_hidden_state for item in (features, pooled)]
        assert torch.allclose(*outputs, atol=1e-5) == same


def test_the_features_are_projected_once_an_image():
    model, calls = tiny_model(**LSTM), []
    for module in (model.encoder, model.decoder.attention.feature_proj, model.decoder.initial_state):
        module.register_forward_hook(lambda module, *_: calls.append(module))
    sequences = model.generate(pixel_values=tiny_pictures(2), num_beams=3)
    assert sequences.shape[1] > 3 and len(calls) == 3


@both
def test_every_parameter_learns(options):
    model = tiny_model(**options)
    model(pixel_values=tiny_pictures(), labels=tiny_labels()).loss.backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.decoder.parameters())


def test_attention_is_shown_by_forward_and_by_generation():
    model = tiny_model(**LSTM)
    output = model(pixel_values=tiny_pictures(), labels=tiny_labels(), output_attentions=True)
    assert [item.shape for item in output.cross_attentions] == [(3, 1, 9, 16)]
    assert output.decoder_attentions is None
    torch.testing.assert_close(output.cross_attentions[0].sum(-1), torch.ones(3, 1, 9))
    generated = model.generate(pixel_values=tiny_pictures(), output_attentions=True, return_dict_in_generate=True)
    assert len(generated.cross_attentions) == generated.sequences.shape[1] - 1
    assert all(step[0].shape == (3, 1, 1, 16) for step in generated.cross_attentions)


def test_what_an_lstm_cannot_do_is_named():
    with pytest.raises(ValueError, match="has no attention .lstm_attention is 'none'"):
        tiny_model(**CNN_LSTM)(pixel_values=tiny_pictures(), labels=tiny_labels(), output_attentions=True)
    model = tiny_model(**LSTM)
    for cache in (DynamicCache(), EncoderDecoderCache(DynamicCache(), DynamicCache())):
        with pytest.raises(ValueError, match="cache: an LSTM goes on from the cache that it made itself"):
            model.generate(pixel_values=tiny_pictures(1), **{CACHE: cache})
    with pytest.raises(ValueError, match="assisted generation is not supported with stateful models"):
        model.generate(pixel_values=tiny_pictures(1), assistant_model=tiny_model(**LSTM))


@both
def test_autocast_keeps_the_state_in_float32(options):
    model, kinds = tiny_model(**options), []
    model.decoder.state_gates.register_forward_hook(lambda module, inputs, output: kinds.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(pixel_values=tiny_pictures(), labels=tiny_labels())
    assert set(kinds) == {torch.float32} and len(kinds) == 9
    torch.testing.assert_close(output.loss, model(tiny_pictures(), labels=tiny_labels()).loss, rtol=0, atol=0.1)


def test_a_cache_can_be_reset_and_tells_its_length():
    model, tokens = tiny_model(**LSTM), tiny_labels().clamp(min=0)
    first = model(pixel_values=tiny_pictures(), decoder_input_ids=tokens, use_cache=True)
    cache = first[CACHE]
    assert cache.get_seq_length() == 9
    assert cache.get_mask_sizes(2, 0) == (11, 0)
    cache.reset()
    assert cache.get_seq_length() == 0
    again = model(pixel_values=tiny_pictures(), decoder_input_ids=tokens, past_key_values=cache)
    assert torch.equal(again.logits, first.logits)


def test_a_masked_token_leaves_the_state_as_it_was_with_a_cache_too():
    model, tokens = tiny_model(**LSTM), tiny_labels().clamp(min=0)
    mask = torch.ones_like(tokens)
    mask[0, 2], mask[1, 5] = 0, 0
    whole = model(pixel_values=tiny_pictures(), decoder_input_ids=tokens, decoder_attention_mask=mask).logits
    cache, parts = None, []
    for begin, end in ((0, 3), (3, 4), (4, 9)):
        output = model(
            pixel_values=tiny_pictures(),
            decoder_input_ids=tokens[:, begin:end],
            decoder_attention_mask=mask[:, :end],
            cache=cache,
            use_cache=True,
        )
        cache = output[CACHE]
        parts.append(output.logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-5)
    without = tokens[:1, [0, 1, 3, 4, 5, 6, 7, 8]]
    torch.testing.assert_close(
        model(pixel_values=tiny_pictures()[:1], decoder_input_ids=without).logits[:, 2:],
        whole[:1, 3:],
        rtol=1e-4,
        atol=1e-5,
    )
