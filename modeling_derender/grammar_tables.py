"""The grammar as tensors: what may follow in many sequences at once, on any device, without a loop over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .language import Category, Language


BOUNDARY, ENDED = 0, 1  # states: between objects, and after the end token
MAX_STATES = 1 << 20  # of one object, before those with one future are joined
_MANY = 1 << 31


class GrammarTables:
    """The automaton of a language: the same as `Grammar` but for what it remembers of a sequence's objects.

    `completions` (S, V) int64 are how many different objects can still come after each token in each state, different
    in the properties that no two objects may share: 0 for a token that is not allowed. `follow` (S, V) int64 are the
    states that the tokens lead to, and `depth` (S,) the number of tokens of the open object. `object_lengths` (V,) are
    the tokens of an object that begins with this one, 0 for what begins none; `shortest_object` is the least of them.

    Raises ValueError for a language whose rules tie too many values to each other.
    """

    def __init__(self, language: Language, device: torch.device | str = "cpu"):
        self.language = language
        builder = _Builder(language)
        self.follow = torch.zeros(len(builder.rows), language.vocab_size, dtype=torch.int64)
        self.completions = torch.zeros(len(builder.rows), language.vocab_size, dtype=torch.int64)
        for state, row in enumerate(builder.rows):
            tokens = list(row)
            self.follow[state, tokens] = torch.tensor([row[token][0] for token in tokens])
            self.completions[state, tokens] = torch.tensor([row[token][1] for token in tokens])
        self.depth = torch.tensor(builder.depths)
        self.object_lengths = torch.zeros(language.vocab_size, dtype=torch.int64)
        for name, category in language.categories.items():
            self.object_lengths[language.token_ids[name]] = 1 + len(category.slots)
        self.shortest_object = int(self.object_lengths[self.object_lengths > 0].min())
        for name, tensor in list(vars(self).items()):
            if isinstance(tensor, Tensor):
                setattr(self, name, tensor.to(device))

    def begin(self, num_rows: int, max_length: int) -> GrammarState:
        """`num_rows` sequences of the start token alone, to be at most `max_length` tokens long, both ends counted."""
        max_objects, longest = max(max_length - 2, 0) // self.shortest_object, self.language.longest_object
        device = self.follow.device
        return GrammarState(
            tables=self,
            remaining=max_length - 1,
            states=torch.full((num_rows,), BOUNDARY, device=device),
            objects=torch.full((num_rows, max_objects + 1, longest), -1, device=device),
            num_objects=torch.zeros(num_rows, dtype=torch.int64, device=device),
            alike=torch.ones(num_rows, max_objects + 1, dtype=torch.bool, device=device),
        )


@dataclass
class GrammarState:
    """Where R sequences stand, all equally long; `advance` moves it on.

    `remaining` tokens can still come. `objects` (R, M, D) holds the tokens of each sequence's objects, the open one at
    `num_objects` (R,); -1 where there is none. `alike` (R, M) are those whose first tokens are the open object's.
    """

    tables: GrammarTables
    remaining: int
    states: Tensor
    objects: Tensor
    num_objects: Tensor
    alike: Tensor

    def allowed(self) -> Tensor:
        """(R, V) bool: the tokens that may follow; at least one in every row."""
        tables, completions = self.tables, self.tables.completions[self.states]
        following = self._tokens_at(tables.depth[self.states])
        # How many objects that began as the open one went on with each token: are any others left?
        closed = torch.arange(self.objects.shape[1], device=following.device) < self.num_objects[:, None]
        counted = (self.alike & closed & (following >= 0)).long()
        taken = torch.zeros_like(completions).scatter_add_(1, following.clamp(min=0), counted)
        # An object is begun only where it fits, with the end token behind it.
        fits = tables.object_lengths + 1 <= self.remaining
        return (taken < completions) & (fits | (self.states != BOUNDARY)[:, None])

    def _tokens_at(self, depth: Tensor) -> Tensor:
        """The token (R, M) that stands at `depth` (R,) in each object of a row."""
        return self.objects.gather(2, depth[:, None, None].expand(-1, self.objects.shape[1], 1)).squeeze(2)

    def all_ended(self) -> bool:
        return bool((self.states == ENDED).all())

    def advance(self, tokens: Tensor) -> None:
        """Append `tokens` (R,), each one that is allowed."""
        tables, rows = self.tables, torch.arange(len(tokens), device=tokens.device)
        depth = tables.depth[self.states]
        following = tables.follow[self.states, tokens]
        inside = (self.states != ENDED) & (following != ENDED)
        self.objects[rows, self.num_objects, depth] = torch.where(
            inside, tokens, self.objects[rows, self.num_objects, depth]
        )
        self.alike &= self._tokens_at(depth) == tokens[:, None]
        closes = inside & (following == BOUNDARY)
        self.num_objects += closes
        self.alike |= (following <= ENDED)[:, None]
        self.states = following
        self.remaining -= 1


class _Builder:
    """Numbers the states: `rows` are {token: (state, completions)} and `depths` the tokens of the open object.

    States of one category and depth with the same future are one state.
    """

    def __init__(self, language: Language):
        self.language = language
        self.rows, self.depths, self._keys = [{}, {language.pad_token_id: (ENDED, _MANY)}], [0, 0], [1, 1]
        self._numbers, self._known = {}, {}
        self.rows[BOUNDARY][language.eos_token_id] = (ENDED, _MANY)
        for name, category in language.categories.items():
            self._rules = [(rule, _slots_of(category, rule)) for rule in category.rules]
            state = self._number(category, ())
            if state is not None:
                self.rows[BOUNDARY][language.token_ids[name]] = (state, self._keys_of(category, state, 0))

    def _number(self, category: Category, choices: tuple[int, ...]) -> int | None:
        """The state after these choices; None where no valid object can come of them."""
        depth = len(choices)
        if depth == len(category.slots):
            return BOUNDARY
        choices = tuple(choice if self._is_needed(slot, depth) else 0 for slot, choice in enumerate(choices))
        if (category.name, choices) not in self._known:
            if len(self._known) >= MAX_STATES:
                raise ValueError(f"{self.language.name}: the rules of {category.name!r} tie too many values together")
            self._known[category.name, choices] = self._join(category, depth, self._row(category, choices))
        return self._known[category.name, choices]

    def _row(self, category: Category, choices: tuple[int, ...]) -> dict[int, tuple[int, int]]:
        row, slot = {}, category.slots[len(choices)]
        due = [rule for rule, slots in self._rules if max(slots) == len(choices)]
        for choice, word in enumerate(slot.words):
            longer = (*choices, choice)
            if due and not _hold(category, due, longer):
                continue
            state = self._number(category, longer)
            if state is not None:
                row[self.language.token_ids[word]] = (state, self._keys_of(category, state, len(longer)))
        return row

    def _join(self, category: Category, depth: int, row: dict) -> int | None:
        if not row:
            return None
        future = (category.name, depth, tuple(row.items()))
        if future not in self._numbers:
            self._numbers[future] = len(self.rows)
            self.rows.append(row)
            self.depths.append(depth + 1)
            self._keys.append(min(sum(keys for _, keys in row.values()), _MANY))
        return self._numbers[future]

    def _keys_of(self, category: Category, state: int, depth: int) -> int:
        """How many different objects can come of `state`, `depth` slots being chosen: those told apart by the rest."""
        unique = self.language.unique_slots[category.name]
        if depth > unique:
            return _MANY
        return 1 if depth == unique else self._keys[state]

    def _is_needed(self, slot: int, depth: int) -> bool:
        """Whether what was chosen in a slot can still matter to a rule."""
        return any(slot in slots and max(slots) >= depth for _, slots in self._rules)


def _slots_of(category: Category, rule) -> set[int]:
    """The numbers of the slots that a rule reads."""
    return {
        number for number, slot in enumerate(category.slots) for item in slot.properties if item.name in rule.names
    }


def _hold(category: Category, rules: list, choices: tuple[int, ...]) -> bool:
    item = category.read(choices)
    return all(rule.holds(item) for rule in rules)
