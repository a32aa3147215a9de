"""The grammar of a language: which tokens may follow, so that every generated sequence is a valid specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from transformers import LogitsProcessor

from .language import Category, Language


@dataclass(frozen=True)
class State:
    """Where a sequence stands: the category and slot choices of the open object, and the objects already closed.

    `used` holds (category, choices in its unique slots); `phase` is "open", "ended" or "broken".
    """

    category: str | None = None
    choices: tuple[int, ...] = ()
    used: frozenset = frozenset()
    phase: str = "open"


class Grammar:
    """The automaton of a language over its token ids. Pure Python; states are immutable.

    It remembers which choices it has found to lead to a valid object: keep one for many generations.
    """

    def __init__(self, language: Language):
        self.language = language
        self._token_ids = {
            name: [[language.token_ids[word] for word in slot.words] for slot in category.slots]
            for name, category in language.categories.items()
        }
        self._choice_of = {
            name: [{token: index for index, token in enumerate(ids)} for ids in slots]
            for name, slots in self._token_ids.items()
        }
        self._ruled = {name: _ruled_slots(category) for name, category in language.categories.items()}
        self._feasible = lru_cache(maxsize=1 << 16)(self._has_completion)
        self._open_choices = lru_cache(maxsize=1 << 16)(self._feasible_choices)

    def __reduce__(self):
        """Pickled as the language: what it remembers does not pickle."""
        return Grammar, (self.language,)

    def advance(self, state: State, token: int) -> State:
        """The state after `token`. A token that is not allowed leads to the phase "broken"."""
        if state.phase != "open":
            return state
        if state.category is None:
            return self._begin(state, token)
        choice = self._choice_of[state.category][len(state.choices)].get(token)
        if choice is None or choice not in self._free_choices(state):
            return replace(state, phase="broken")
        return self._close_if_complete(replace(state, choices=(*state.choices, choice)))

    def _begin(self, state: State, token: int) -> State:
        if token == self.language.eos_token_id:
            return replace(state, phase="ended")
        word = self.language.vocabulary[token]
        begun = replace(state, category=word)
        if word not in self.language.categories or not self._has_free(begun):
            return replace(state, phase="broken")
        return self._close_if_complete(begun)

    def _close_if_complete(self, state: State) -> State:
        if len(state.choices) < len(self.language.categories[state.category].slots):
            return state
        key = (state.category, state.choices[: self.language.unique_slots[state.category]])
        return State(used=state.used | {key})

    def allowed(self, state: State, remaining: int) -> tuple[int, ...]:
        """The token ids that may follow when at most `remaining` tokens, the end token among them, can still come.

        Never empty: after the end only padding follows, and a broken sequence can only end.
        """
        if state.phase == "ended":
            return (self.language.pad_token_id,)
        if state.phase == "broken":
            return (self.language.eos_token_id,)
        if state.category is None:
            fitting = [name for name, item in self.language.categories.items() if len(item.slots) + 2 <= remaining]
            begin = [name for name in fitting if self._has_free(State(name, (), state.used))]
            return (self.language.eos_token_id, *(self.language.token_ids[name] for name in begin))
        ids = self._token_ids[state.category][len(state.choices)]
        return tuple(ids[choice] for choice in self._free_choices(state))

    def _free_choices(self, state: State) -> tuple[int, ...]:
        """The choices for the next slot from which an object not yet used can be completed."""
        choices = self._open_choices(state.category, self._ruled_part(state.category, state.choices))
        depth = len(state.choices)
        taken = {key[depth] for key in self._used_below(state) if len(key) > depth}
        if not taken:
            return choices
        extended = ((choice, replace(state, choices=(*state.choices, choice))) for choice in choices)
        return tuple(choice for choice, longer in extended if choice not in taken or self._has_free(longer))

    def _used_below(self, state: State) -> list[tuple[int, ...]]:
        depth = len(state.choices)
        return [key for name, key in state.used if name == state.category and key[:depth] == state.choices]

    def _has_free(self, state: State) -> bool:
        """Whether some completion of the open object is not among the used ones."""
        used = set(self._used_below(state))
        if not used:
            return self._feasible(state.category, self._ruled_part(state.category, state.choices))
        length = self.language.unique_slots[state.category]
        if len(state.choices) >= length:
            return state.choices[:length] not in used
        return any(key not in used for key in self._completions(state.category, state.choices, length))

    def _completions(self, category: str, choices: tuple[int, ...], length: int) -> Iterator[tuple[int, ...]]:
        if len(choices) == length:
            yield choices
            return
        for choice in self._open_choices(category, self._ruled_part(category, choices)):
            yield from self._completions(category, (*choices, choice), length)

    def _ruled_part(self, category: str, choices: tuple[int, ...]) -> tuple[int, ...]:
        """`choices` with 0 where no rule reads the slot: what can follow does not depend on those."""
        return tuple(choice if ruled else 0 for choice, ruled in zip(choices, self._ruled[category], strict=False))

    def _feasible_choices(self, category: str, choices: tuple[int, ...]) -> tuple[int, ...]:
        indices = range(len(self.language.categories[category].slots[len(choices)].words))
        if not self._ruled[category][len(choices)]:
            return tuple(indices) if self._feasible(category, (*choices, 0)) else ()
        return tuple(index for index in indices if self._feasible(category, (*choices, index)))

    def _has_completion(self, category: str, choices: tuple[int, ...]) -> bool:
        declared = self.language.categories[category]
        if not _rules_hold_so_far(declared, choices):
            return False
        if len(choices) == len(declared.slots):
            return True
        ruled, size = self._ruled[category][len(choices)], len(declared.slots[len(choices)].words)
        return any(self._feasible(category, (*choices, index)) for index in (range(size) if ruled else (0,)))


def _ruled_slots(category: Category) -> tuple[bool, ...]:
    """For each slot, whether a rule reads one of its properties."""
    names = {name for rule in category.rules for name in rule.names}
    return tuple(any(item.name in names for item in slot.properties) for slot in category.slots)


def _rules_hold_so_far(category: Category, choices: tuple[int, ...]) -> bool:
    """Whether the rules whose properties are all known hold for the choices made so far."""
    item = category.read(choices)
    return all(rule.holds(item) for rule in category.rules if set(rule.names) <= set(item))


class SpecificationGrammar(LogitsProcessor):
    """Sets the scores of tokens that the grammar forbids to -inf.

    `max_length` counts all tokens of a sequence, both ends among them; objects that would not fit any more are not
    begun, so every sequence closes within it. The state follows from `input_ids` alone (beams may be reordered); the
    states of the previous step are kept, so that a step reads one token a row.
    """

    def __init__(self, grammar: Grammar, max_length: int):
        self.grammar = grammar
        self.max_length = max_length
        self._states: dict[bytes, State] = {}
        self._masks: dict[tuple[int, ...], torch.Tensor] = {}

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """`input_ids` (B, t) begin with the start token; `scores` (B, V). Returns the masked scores (B, V)."""
        rows = input_ids.cpu().numpy()
        states = {}
        for row in rows:
            states[row.tobytes()] = self._state_of(row)
        self._states = states
        remaining = self.max_length - rows.shape[1]
        masks = [self._mask(self.grammar.allowed(states[row.tobytes()], remaining), scores) for row in rows]
        return scores.masked_fill(torch.stack(masks), -float("inf"))

    def restrict(self, sequences: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """The same for whole sequences at once: `sequences` (B, T), `scores` (B, T - 1, V) of the tokens that follow
        each but the last. Raises ValueError, naming the row from 0, for a sequence that breaks the grammar.
        """
        masks = []
        for number, row in enumerate(sequences.tolist()):
            state = State()
            for position, token in enumerate(row[1:], start=1):
                allowed = self.grammar.allowed(state, self.max_length - position)
                if token not in allowed:
                    word = self.grammar.language.vocabulary[token]
                    what = "breaks the grammar or leaves no room to end"
                    raise ValueError(f"picture {number}: token {position + 1}, {word!r}, {what}")
                masks.append(self._mask(allowed, scores))
                state = self.grammar.advance(state, token)
        return scores.masked_fill(torch.stack(masks).view(scores.shape), -float("inf"))

    def _state_of(self, row) -> State:
        parent = self._states.get(row[:-1].tobytes())
        if parent is not None:
            return self.grammar.advance(parent, int(row[-1]))
        state = State()
        for token in row[1:]:
            state = self.grammar.advance(state, int(token))
        return state

    def _mask(self, allowed: tuple[int, ...], scores: torch.Tensor) -> torch.Tensor:
        mask = self._masks.get(allowed)
        if mask is None or mask.device != scores.device:
            mask = torch.ones(scores.shape[-1], dtype=torch.bool, device=scores.device)
            mask[list(allowed)] = False
            self._masks[allowed] = mask
        return mask
