"""The decode loop: greedy rows are generate()'s, samples follow the model's distribution, scores can be had again."""

import pytest
import torch
from tiny import DECODERS, tiny_model, tiny_pictures
from toy_language import LANGUAGE

from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.rollout import pick_tokens, restrict, roll_out
from modeling_derender.specification import ids_to_objects, is_valid, object_words


every_decoder = pytest.mark.parametrize("options", DECODERS, ids=str)
TABLES = GrammarTables(LANGUAGE)


def random_numbers(images, samples, length=14, seed=0):
    return torch.rand(images, samples, length - 1, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def features_of(model, number=4):
    return model.encoder(tiny_pictures(number))[0]


@pytest.mark.parametrize("max_length", [14, 30])
@every_decoder
def test_greedy_rows_are_those_of_generation(options, max_length):
    model = tiny_model(**options)
    features = features_of(model)
    expected = model.generate(pixel_values=tiny_pictures(4), max_length=max_length)
    for uniform in (None, random_numbers(4, 3, max_length)):
        rollout = roll_out(model, features, TABLES, uniform, max_length=max_length)
        rows = rollout.sequences[:: 1 if uniform is None else 4]
        assert torch.equal(rows[:, : expected.shape[1]], expected)
        assert (rows[:, expected.shape[1] :] == LANGUAGE.pad_token_id).all()


@every_decoder
def test_scores_had_again_are_those_of_the_loop(options):
    model = tiny_model(**options)
    features = features_of(model)
    rollout = roll_out(model, features, TABLES, random_numbers(4, 3))
    logits = model(encoder_outputs=(features,), decoder_input_ids=rollout.sequences[:, :-1]).logits
    again = pick_tokens(restrict(logits, rollout.allowed), rollout.sequences)
    torch.testing.assert_close(again, rollout.log_probs, rtol=0, atol=1e-4)
    assert again.requires_grad and again.isfinite().all()
    padded = rollout.sequences[:, 1:] == LANGUAGE.pad_token_id
    assert padded.any() and (rollout.log_probs[padded] == 0).all() and (rollout.log_probs[~padded] <= 0).all()


@every_decoder
def test_every_row_is_a_valid_specification_and_its_objects_are_told(options):
    model = tiny_model(**options)
    rollout = roll_out(model, features_of(model), TABLES, random_numbers(4, 8), greedy=False)
    assert len(rollout.sequences) == 32
    counts = set()
    for row, objects, number in zip(rollout.sequences, rollout.objects, rollout.num_objects.tolist(), strict=True):
        read = ids_to_objects(LANGUAGE, row)
        assert is_valid(LANGUAGE, read) and len(read) == number
        words = [[LANGUAGE.vocabulary[token] for token in item.tolist() if token >= 0] for item in objects[:number]]
        assert words == [object_words(LANGUAGE, item) for item in read]
        assert (objects[number:] == -1).all()
        counts.add(number)
    assert len(counts) > 1


def test_samples_are_drawn_from_the_models_distribution():
    model = tiny_model()
    features = features_of(model, 1)
    rollout = roll_out(model, features, TABLES, random_numbers(1, 20, 3), greedy=False, max_length=3)
    # In 3 tokens nothing but the empty specification fits; in 6, one object does.
    assert (rollout.sequences[:, 1] == LANGUAGE.eos_token_id).all()
    rollout = roll_out(model, features, TABLES, random_numbers(1, 20_000, 6), greedy=False, max_length=6)
    first, counts = rollout.sequences[:, 1].unique(return_counts=True)
    assert len(first) == 3
    for token, count in zip(first.tolist(), counts.tolist(), strict=True):
        share = rollout.log_probs[(rollout.sequences[:, 1] == token).nonzero()[0], 0].exp().item()
        assert count / 20_000 == pytest.approx(share, abs=4 * (share * (1 - share) / 20_000) ** 0.5)


def test_a_sample_depends_on_its_own_random_numbers_alone():
    model = tiny_model()
    features, uniform = features_of(model), random_numbers(4, 3)
    together = roll_out(model, features, TABLES, uniform)
    apart = [roll_out(model, features[part], TABLES, uniform[part]) for part in (slice(0, 2), slice(2, 4))]
    for part, rows in zip(apart, together.sequences.split(8), strict=True):
        assert torch.equal(part.sequences, rows[:, : part.sequences.shape[1]])


@every_decoder
def test_rows_of_one_image_are_as_rows_of_images_of_their_own(options):
    model, tokens = tiny_model("eager", **options), torch.randint(4, LANGUAGE.vocab_size, (6, 5))
    features = features_of(model, 2)
    seen = model.decoder.has_attention
    shared = model(encoder_outputs=(features,), decoder_input_ids=tokens, output_attentions=seen)
    own = model(
        encoder_outputs=(features.repeat_interleave(3, dim=0),), decoder_input_ids=tokens, output_attentions=seen
    )
    torch.testing.assert_close(shared.logits, own.logits, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(shared.cross_attentions or (), own.cross_attentions or (), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_nothing_to_decode_is_refused():
    model = tiny_model()
    with pytest.raises(ValueError, match="nothing to decode"):
        roll_out(model, features_of(model), TABLES, greedy=False)
