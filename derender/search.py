"""Render and compare: change what was read, step by step, while it then looks more like the picture.

Local search over the objects of any language: points moved in steps from coarse to fine, properties swapped, objects
dropped, and others, that were read in a second look, added. It draws at most as often as its budget allows, and what
it returns never looks less like the picture than what it was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from derender.likeness import Likeness
from modeling_derender.language import Language
from modeling_derender.specification import SpecificationError, check_object, is_valid


COARSEST = 1 / 24  # of the canvas's width: the first step of a point
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Found:
    """The objects, their error and how many pictures were drawn for it."""

    objects: list[dict]
    error: float
    drawn: int


class Refiner:
    """Searches for objects that look like a picture, in at most `budget` drawings; `extra` are some that may be added.

    Raises RenderError where nothing can be drawn.
    """

    def __init__(self, language: Language, likeness: Likeness, budget: int, extra: Sequence[dict] = ()):
        self.language, self.likeness, self.budget, self.extra = language, likeness, budget, list(extra)
        self.neighbours = Neighbours(language)

    def run(self, objects: Sequence[dict], error: float) -> Found:
        """From `objects`, whose `error` is known."""
        self.objects, self.error, self.left = list(objects), error, self.budget
        step = max(1, round(self.language.canvas.width * COARSEST))
        changed = True
        while self.left and changed:
            changed = self._pass(step) or step > 1
            step = max(1, step // 2)
        return Found(self.objects, self.error, self.budget - self.left)

    def _pass(self, step: int) -> bool:
        """Every object once; whether anything is better now."""
        before = self.error
        for number in range(len(self.objects)):
            self._swap(number)
            self._move(number, step)
        self._try([[*self.objects, item] for item in self.extra])
        self._try([self._without(number) for number in range(len(self.objects))])
        return self.error < before

    def _swap(self, number: int) -> None:
        self._try([self._with(number, other) for other in self.neighbours.swapped(self.objects[number])])

    def _move(self, number: int, step: int) -> None:
        """By `step` in the best direction, and on in the same while that is better still."""
        while True:
            moves = self.neighbours.moves(self.objects[number], step)
            ways = list(moves.values())
            chosen = self._try([self._with(number, other) for other in ways])
            if chosen is None:
                return
            way = list(moves)[chosen]
            while True:
                further = self.neighbours.moves(self.objects[number], step).get(way)
                if further is None or self._try([self._with(number, further)]) is None:
                    break

    def _with(self, number: int, item: dict) -> list[dict]:
        return [*self.objects[:number], item, *self.objects[number + 1 :]]

    def _without(self, number: int) -> list[dict]:
        return [*self.objects[:number], *self.objects[number + 1 :]]

    def _try(self, scenes: Sequence[list[dict]]) -> int | None:
        """Take the best of these, if it is better than what there is; its number, or None."""
        valid = [number for number, scene in enumerate(scenes) if is_valid(self.language, scene)][: self.left]
        if not valid:
            return None
        errors = self.likeness.errors([scenes[number] for number in valid])
        self.left -= len(valid)
        best = int(np.argmin(errors))
        if errors[best] >= self.error:
            return None
        self.objects, self.error = scenes[valid[best]], float(errors[best])
        return valid[best]


class Neighbours:
    """The objects that differ from a given one in a place, or in one property."""

    def __init__(self, language: Language):
        self.language = language

    def moves(self, item: dict, step: int) -> dict[tuple, dict]:
        """By way: the object as a whole, or one of its points, `step` further in a direction; valid objects only."""
        points = self.language.categories[item[self.language.category_property]].points
        groups = [points, *([[point] for point in points] if len(points) > 1 else [])]
        moved = {}
        for number, group in enumerate(groups):
            for right, up in DIRECTIONS:
                shift = {name: size for x, y in group for name, size in ((x, right), (y, up))}
                other = self._check(item | {name: item[name] + step * size for name, size in shift.items()})
                if other is not None:
                    moved[number, right, up] = other
        return moved

    def swapped(self, item: dict) -> Iterator[dict]:
        """The object with another value of a property that is no coordinate."""
        category = self.language.categories[item[self.language.category_property]]
        placed = set(chain(*category.points))
        for name, prop in category.properties.items():
            if name not in placed:
                others = (self._check(item | {name: value}) for value in prop.values if value != item[name])
                yield from (other for other in others if other is not None)

    def _check(self, item: dict) -> dict | None:
        try:
            return check_object(self.language, item)
        except SpecificationError:
            return None
