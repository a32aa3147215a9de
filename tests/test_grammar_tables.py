"""The grammar as tensors allows, at every step of random sequences, just what the grammar in Python does."""

import pytest
import torch
import toy_language
from test_language import TOY, changed

from datasets_scripts.abstract_scenes import LANGUAGE as ABSTRACT_SCENES
from datasets_scripts.noisy_shapes import LANGUAGE as NOISY_SHAPES
from modeling_derender import grammar_tables
from modeling_derender.grammar import Grammar, State
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.language import Language


FEW = Language.from_dict(  # so few objects that sequences use them up
    {
        "name": "few",
        "version": "1",
        "canvas": {"width": 3, "height": 3, "y_axis": "down", "pixels": [8, 8], "channels": 1},
        "domains": [
            {"name": "n", "type": "integer", "minimum": 0, "maximum": 2},
            {"name": "f", "type": "flag", "words": ["off", "on"]},
        ],
        "categories": [
            {"name": "point", "properties": [{"name": "n", "domain": "n"}]},
            {
                "name": "pair",
                "properties": [
                    {"name": "a", "domain": "n"},
                    {"name": "b", "domain": "n"},
                    {"name": "f", "domain": "f"},
                ],
                "rules": [{"less": ["a", "b"]}, {"sorted": [["a"], ["b"]], "where": {"f": True}}],
            },
            {"name": "blank", "properties": []},
        ],
    }
)
LANGUAGES = {
    "toy": toy_language.LANGUAGE,
    "unique": Language.from_dict(TOY),
    "unique x": Language.from_dict(changed(unique=["shade", "x"])),
    "few": FEW,
    "noisy_shapes": NOISY_SHAPES,
    "abstract_scenes": ABSTRACT_SCENES,
}


@pytest.mark.parametrize("max_length", [2, 5, 9, 40, 160])
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_step_of_random_sequences_is_the_same(name, max_length):
    language, rows = LANGUAGES[name], 8
    generator = torch.Generator().manual_seed(max_length)
    grammar, tables = Grammar(language), tables_of(name)
    state, plain = tables.begin(rows, max_length), [State() for _ in range(rows)]
    ends = []
    for step in range(1, max_length):
        allowed = state.allowed()
        for row in range(rows):
            expected = set(grammar.allowed(plain[row], max_length - step))
            assert set(allowed[row].nonzero().flatten().tolist()) == expected, (row, step, plain[row])
        # The end is rare, so that sequences get as long as they can.
        weights = allowed.float().index_fill(1, torch.tensor([language.eos_token_id]), 0) + 1e-6 * allowed
        tokens = torch.multinomial(weights, 1, generator=generator).squeeze(1)
        state.advance(tokens)
        plain = [grammar.advance(item, token) for item, token in zip(plain, tokens.tolist(), strict=True)]
        ends.append(sum(item.phase == "ended" for item in plain))
    assert ends[-1] == rows


_TABLES = {}


def tables_of(name: str) -> GrammarTables:
    if name not in _TABLES:
        _TABLES[name] = GrammarTables(LANGUAGES[name])
    return _TABLES[name]


def test_states_with_one_future_are_one():
    # Of a line's four coordinates it matters only how its ends compare: 65,536 ways to say it are few states.
    assert len(tables_of("noisy_shapes").depth) < 600


def test_a_language_that_would_take_too_many_states_is_refused(monkeypatch):
    monkeypatch.setattr(grammar_tables, "MAX_STATES", 100)
    with pytest.raises(ValueError, match="noisy_shapes: the rules of 'rectangle' tie too many values together"):
        GrammarTables(NOISY_SHAPES)
