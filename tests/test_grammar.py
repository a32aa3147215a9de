"""The grammar: exactly the valid specifications can be generated, by any decoding, within any length."""

import itertools

import pytest
import torch

from datasets_scripts.noisy_shapes.language import LANGUAGE as NOISY_SHAPES
from modeling_derender.configuration_derender import DerenderConfig
from modeling_derender.grammar import Grammar, SpecificationGrammar, State
from modeling_derender.language import Language
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.specification import ids_to_objects, is_valid, objects_to_ids


def small_language(**fields) -> Language:
    """Seven different objects in all, so that every specification can be listed and objects do run out."""
    step = {"name": "a", "domain": "number"}
    declaration = {
        "name": "small",
        "version": "1",
        "canvas": {"width": 3, "height": 3, "y_axis": "up", "pixels": [8, 8], "channels": 1},
        "domains": [
            {"name": "number", "type": "integer", "minimum": 0, "maximum": 2},
            {"name": "flag", "type": "flag", "words": ["no", "yes"]},
        ],
        "categories": [
            {"name": "pair", "properties": [step, {"name": "b", "domain": "number"}], "rules": [{"less": ["a", "b"]}]},
            {"name": "mark", "properties": []},
            {
                "name": "edge",
                "properties": [
                    {**step, "maximum": 1},
                    {"name": "b", "domain": "number", "maximum": 1},
                    {"name": "arrow", "domain": "flag"},
                ],
                "rules": [{"differ": [["a"], ["b"]]}, {"sorted": [["a"], ["b"]], "where": {"arrow": False}}],
            },
        ],
    }
    return Language.from_dict({**declaration, **fields})


def every_object(language):
    for category in language.categories.values():
        for values in itertools.product(*(prop.values for prop in category.properties.values())):
            item = {"category": category.name, **dict(zip(category.properties, values, strict=True))}
            if is_valid(language, [item]):
                yield item


def every_specification(language, max_length):
    objects = list(every_object(language))
    for count in range(len(objects) + 1):
        for chosen in itertools.permutations(objects, count):
            ids = objects_to_ids(language, chosen)
            if len(ids) <= max_length and is_valid(language, list(chosen)):
                yield tuple(ids)


@pytest.mark.parametrize("unique", [None, ["a"]], ids=["no object twice", "no two of one a"])
@pytest.mark.parametrize("max_length", [2, 5, 9, 15])
def test_allowed_tokens_are_those_of_some_valid_specification(max_length, unique):
    language = small_language(unique=unique)
    grammar = Grammar(language)
    follows = {}
    for ids in every_specification(language, max_length):
        for end in range(1, len(ids)):
            follows.setdefault(ids[:end], set()).add(ids[end])
    assert len(follows) > (50 if max_length > 5 else 0)
    for prefix, tokens in follows.items():
        state = State()
        for token in prefix[1:]:
            state = grammar.advance(state, token)
        assert set(grammar.allowed(state, max_length - len(prefix))) == tokens, prefix


def test_no_more_objects_once_all_are_used():
    language = small_language()
    assert len(list(every_object(language))) == 7
    ids = objects_to_ids(language, list(every_object(language)))[:-1]
    scores = SpecificationGrammar(Grammar(language), 100)(torch.tensor([ids]), torch.zeros(1, language.vocab_size))
    assert scores.isfinite().nonzero().tolist() == [[0, language.eos_token_id]]
    state, grammar = State(), Grammar(language)
    for token in ids[1:]:
        state = grammar.advance(state, token)
    assert state.phase == "open" and len(state.used) == 7
    assert {grammar.advance(state, language.token_ids[name]).phase for name in language.categories} == {"broken"}


def test_scores_of_allowed_tokens_are_left_alone_and_no_row_is_empty():
    processor = SpecificationGrammar(Grammar(NOISY_SHAPES), 20)
    ended, broken = [1, 2, 0, 0], [1, 4, 4, 4]
    ids = torch.tensor([[1, 4, 10, 11], ended, broken, [1, 5, 21, 7]])
    scores = torch.randn(4, NOISY_SHAPES.vocab_size)
    masked = processor(ids, scores)
    words = [[NOISY_SHAPES.vocabulary[token] for token in row.isfinite().nonzero()[:, 0]] for row in masked]
    assert words[0] == ["</s>", "circle", "rectangle", "line"]
    assert words[1] == ["<pad>"] and words[2] == ["</s>"]
    assert words[3] == ["15"]  # a rectangle from x1 = 14 can only reach 15
    assert torch.equal(masked[masked.isfinite()], scores[masked.isfinite()])


def test_state_follows_reordered_rows():
    """Beams may be shuffled between steps: the masks must be those of a fresh reading."""
    torch.manual_seed(0)
    ids = torch.full((6, 1), NOISY_SHAPES.bos_token_id)
    processor = SpecificationGrammar(Grammar(NOISY_SHAPES), 40)
    for _ in range(30):
        scores = processor(ids, torch.zeros(6, NOISY_SHAPES.vocab_size))
        assert torch.equal(scores, SpecificationGrammar(Grammar(NOISY_SHAPES), 40)(ids, torch.zeros_like(scores)))
        ids = torch.cat([ids, torch.multinomial(scores.softmax(-1), 1)], dim=1)[torch.randint(6, (6,))]


DECODINGS = {
    "greedy": {"do_sample": False},
    "sampled": {"do_sample": True, "top_k": 0},
    "beams": {"num_beams": 4, "num_return_sequences": 4},
}


@pytest.mark.parametrize("language", [NOISY_SHAPES, small_language()], ids=lambda item: item.name)
@pytest.mark.parametrize("decoding", DECODINGS)
def test_generations_of_untrained_models_are_valid(language, decoding):
    """Greedy, sampled and with 4 beams, of models that know nothing: 1,000 sequences in all, none invalid."""
    lengths, count = set(), 0
    for seed, max_length in enumerate((3, 7, 23, 40, 80)):
        torch.manual_seed(seed)
        config = DerenderConfig.from_language(
            language, backbone_stride=4, d_model=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16
        )
        model = DerenderForConditionalGeneration(config).eval()
        model.lm_head.weight.data.mul_(3)  # decided models wander further than nearly uniform ones
        pictures = torch.randn(9 if decoding == "beams" else 34, 1, 16, 16)
        sequences = model.generate(pixel_values=pictures, max_length=max_length, **DECODINGS[decoding])
        assert sequences.shape[1] <= max_length
        for ids in sequences.tolist():
            assert language.eos_token_id in ids
            assert is_valid(language, ids_to_objects(language, ids))
            lengths.add(ids.index(language.eos_token_id))
            count += 1
    assert count >= 167
    assert len(lengths) > 1


def test_without_the_grammar_untrained_models_write_nonsense():
    torch.manual_seed(0)
    config = DerenderConfig.from_language(
        NOISY_SHAPES, backbone_stride=4, d_model=16, num_hidden_layers=1, num_attention_heads=2
    )
    model = DerenderForConditionalGeneration(config).eval()
    sequences = model.generate(pixel_values=torch.randn(8, 1, 16, 16), use_grammar=False, max_length=20)
    with pytest.raises(ValueError, match="word"):
        [ids_to_objects(NOISY_SHAPES, ids) for ids in sequences.tolist()]
