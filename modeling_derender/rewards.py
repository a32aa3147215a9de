"""Rewards of reinforcement learning (the paper's section 4.1): the scores of many pictures at once, on tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from .binning import bin_objects
from .language import Language
from .specification import object_words


def objects_to_tokens(language: Language, scenes: Sequence[Sequence[dict]]) -> Tensor:
    """The tokens of canonical objects: int64 (B, M, D), -1 where there is none, as in a `Rollout`."""
    words = [[object_words(language, item) for item in objects] for objects in scenes]
    tokens = torch.full((len(scenes), max(map(len, words), default=0), language.longest_object), -1)
    for row, objects in enumerate(words):
        for number, item in enumerate(objects):
            tokens[row, number, : len(item)] = torch.tensor([language.token_ids[word] for word in item])
    return tokens


def iou_reward(predicted: Tensor, references: Tensor) -> Tensor:
    """Equation 11: the objects on both sides over those on either; float32 (R,), 1 where both sides are empty.

    `predicted` (R, M, D) and `references` (R, M', D) are objects' tokens. Objects match where all their tokens are the
    same, each one with one, so a repeated object counts as an extra one.
    """
    matched = _count_matches(predicted, references)
    either = _count_objects(predicted) + _count_objects(references) - matched
    return torch.where(either > 0, matched / either, 1.0)


def _count_objects(objects: Tensor) -> Tensor:
    return (objects[:, :, 0] >= 0).sum(dim=1)


def _count_matches(predicted: Tensor, references: Tensor) -> Tensor:
    same = (predicted[:, :, None] == references[:, None]).all(dim=-1) & (predicted[:, :, None, 0] >= 0)
    # Of equal objects the first of one side goes with the first of the other, the second with the second, ...
    same &= _count_earlier(predicted)[:, :, None] == _count_earlier(references)[:, None]
    return same.sum(dim=(1, 2))


def count_repeated(objects: Tensor) -> Tensor:
    """(R,): how many of each row's objects `objects` (R, M, D), tokens, stand there before."""
    return ((_count_earlier(objects) > 0) & (objects[:, :, 0] >= 0)).sum(dim=1)


def _count_earlier(objects: Tensor) -> Tensor:
    """(R, M): how many earlier objects of the same row are the same."""
    return (objects[:, :, None] == objects[:, None]).all(dim=-1).tril(-1).sum(dim=-1)


class InferenceReward:
    """One minus the inference error (section 4.1), of each picture by itself.

    Coordinates count as equal in the same of 20 bins of the canvas; objects are matched so that most properties agree.
    Where a language's categories differ in their properties, objects of different categories agree in nothing.
    """

    def __init__(self, language: Language, device: torch.device | str = "cpu"):
        self.by_category = not language.has_equal_categories
        self._codes = _encode_properties(language).to(device)
        self._numbers = torch.zeros(language.vocab_size, dtype=torch.int64, device=device)
        for number, name in enumerate(language.categories):
            self._numbers[language.token_ids[name]] = number

    def __call__(self, predicted: Tensor, references: Tensor) -> Tensor:
        """`predicted` (R, M, D) and `references` (R, M', D), objects' tokens, to float32 (R,).

        1 where both sides are empty. The properties are compared on the device; the matching itself, of some numbers a
        picture, is SciPy's on the CPU.
        """
        ours, theirs = self._properties(predicted), self._properties(references)
        agree = (ours[:, :, None] == theirs[:, None]) & (ours[:, :, None] >= 0)
        counts = agree.sum(dim=-1)
        if self.by_category:
            counts *= agree[..., 0]
        matched = torch.tensor([_match(row) for row in counts.cpu().numpy()], device=predicted.device)
        total = torch.maximum(*((side >= 0).sum(dim=(1, 2)) for side in (ours, theirs)))
        return torch.where(total > 0, matched / total, 1.0)

    def _properties(self, objects: Tensor) -> Tensor:
        """Objects' tokens (R, M, D) as codes of their properties (R, M, P), the category first; -1 where absent."""
        known = objects.clamp(min=0)
        places = torch.arange(objects.shape[-1], device=objects.device)
        codes = self._codes[self._numbers[known[:, :, :1]], places, known]
        return codes.masked_fill((objects < 0)[..., None], -1).amax(dim=-2)


def _match(counts) -> int:
    return int(counts[linear_sum_assignment(counts, maximize=True)].sum())


def _encode_properties(language: Language) -> Tensor:
    """int64 (categories, D, V, P): what a token at a place of an object says of each property; -1 for nothing.

    Equal codes of a property are equal values, a coordinate's being its bin. Property 0 is the category.
    """
    names = [language.category_property, *language.property_names]
    codes = torch.full((len(language.categories), language.longest_object, language.vocab_size, len(names)), -1)
    known = {name: {} for name in names}
    for number, (name, category) in enumerate(language.categories.items()):
        codes[number, 0, language.token_ids[name], 0] = number
        for place, slot in enumerate(category.slots, start=1):
            for choice, word in enumerate(slot.words):
                for prop, value in bin_objects([slot.read(choice)], language.coordinate_ranges)[0].items():
                    code = known[prop].setdefault(value, len(known[prop]))
                    codes[number, place, language.token_ids[word], names.index(prop)] = code
    return codes
