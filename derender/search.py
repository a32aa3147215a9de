"""Render and compare: change what was read, step by step, while it then looks more like the picture.

Local search over the objects of any language: points moved in steps from coarse to fine, properties swapped, objects
dropped, and others, that were read in a second look, added. It draws at most as often as its budget allows, and what
it returns never looks less like the picture than what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from derender.alignment import Alignment
from derender.likeness import Likeness, rank
from modeling_derender.language import Language
from modeling_derender.specification import SpecificationError, check_object, is_valid


DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))
FEW = 3  # values of a property that are all tried in the first round
VERIFIED = 2  # places that are drawn of those found by alignment


@dataclass(frozen=True)
class Found:
    """The objects, their error, how many pictures were drawn for it, and what was best after how many: `trace`."""

    objects: list[dict]
    error: float
    drawn: int
    trace: list[tuple[int, list[dict]]]

    def objects_at(self, budget: int) -> list[dict]:
        """What was best after so many drawings."""
        return next(objects for drawn, objects in reversed(self.trace) if drawn <= budget)


class Refiner:
    """Searches for objects that look like a picture, in at most `budget` drawings; `extra` are some that may be added.

    `fits` tells of a list of objects whether it may be an answer at all, beyond the language's own rules, and `doubt`
    how unlikely each of several is for other reasons than its looks: (N,), the lower the likelier, in units of an
    error's rank. Where it is given, what looks no less like the picture has to be likelier as well, both added up.

    Where pictures are drawn again exactly (the likeness's form "buckets"), where an object should be is seen from two
    drawings, with it and without (`Alignment`); otherwise it is moved unit by unit. Raises RenderError where nothing
    can be drawn.
    """

    def __init__(
        self,
        language: Language,
        likeness: Likeness,
        budget: int,
        extra: Sequence[dict] = (),
        fits: Callable[[list[dict]], bool] = lambda objects: True,
        doubt: Callable[[Sequence[list[dict]]], np.ndarray] = lambda scenes: np.zeros(len(scenes)),
    ):
        self.language, self.likeness, self.left, self.extra = language, likeness, budget, list(extra)
        self.budget, self.fits, self.doubt = budget, fits, doubt
        self.neighbours = Neighbours(language)
        self.alignment = None
        if likeness.form == "buckets":
            self.alignment = Alignment(likeness.picture, language.canvas.width, np.random.default_rng(0))

    def run(self, objects: Sequence[dict], error: float) -> Found:
        """From `objects`, whose `error` is known."""
        rounds, before, self.trace = 0, None, []
        self._take(list(objects), error)
        while self.left and (self.objects != before or rounds < 2):
            before = self.objects
            for number in reversed(range(len(self.objects))):
                self._place(number, thorough=rounds > 0)
            for item in self.extra:
                self._add(item)
            for number in range(len(self.objects) if rounds or self.alignment is None else 0):
                self._move(number)
            rounds += 1
        return Found(self.objects, self.error, self.budget - self.left, self.trace)

    def _take(self, objects: list[dict], error: float) -> None:
        self.objects, self.error = objects, error
        (self.doubtful,) = self.doubt([objects])
        self.trace.append((self.budget - self.left, objects))

    def _place(self, number: int, thorough: bool) -> None:
        """Drop an object, or take another value of a property, where it then agrees best with the picture."""
        item, without = self.objects[number], self._without(number)
        others = list(self.neighbours.swapped(item, None if thorough else FEW))
        if self.alignment is not None:
            self._align(without, number, [item, *others])
        else:
            self._try([without, *(self._with(number, other) for other in others)])
        if without == self.objects:
            self.extra.append(item)
            if self.alignment is None:  # it may only have been beside its place
                moves = self.neighbours.moves(item).values()
                self._try([[*without[:number], other, *without[number:]] for other in moves])

    def _add(self, item: dict) -> None:
        if self.alignment is None:
            self._try([[*self.objects, item]])
        else:
            self._align(self.objects, len(self.objects), [item])

    def _align(self, without: list[dict], number: int, variants: list[dict]) -> None:
        """Put that one of the variants among the others, and there, where it agrees best with the picture."""
        scenes = [scene for item in variants if self._may(scene := [*without[:number], item, *without[number:]])]
        if not scenes:
            return
        looked_at = [without, *scenes][: self.left]
        pictures, errors = self._look(looked_at)
        if not len(pictures):
            return
        self._choose(looked_at, errors)
        placed = []
        for scene, picture in zip(scenes, pictures[1:], strict=False):
            shift, gain = self.alignment.find_shift(pictures[0], picture)
            moved = self.neighbours.shifted(scene[number], shift)
            if moved is not None:
                placed.append((gain, [*scene[:number], moved, *scene[number + 1 :]]))
        placed = sorted(placed, key=lambda pair: -pair[0])[:VERIFIED]
        self._try([scene for _, scene in placed if scene not in looked_at])

    def _move(self, number: int) -> None:
        """A unit in the best direction, and on in the same while that is better still."""
        while True:
            moves = self.neighbours.moves(self.objects[number])
            chosen = self._try([self._with(number, other) for other in moves.values()])
            if chosen is None:
                return
            way = list(moves)[chosen]
            while True:
                further = self.neighbours.moves(self.objects[number]).get(way)
                if further is None or self._try([self._with(number, further)]) is None:
                    break

    def _with(self, number: int, item: dict) -> list[dict]:
        return [*self.objects[:number], item, *self.objects[number + 1 :]]

    def _without(self, number: int) -> list[dict]:
        return [*self.objects[:number], *self.objects[number + 1 :]]

    def _may(self, scene: list[dict]) -> bool:
        return self.fits(scene) and is_valid(self.language, scene)

    def _look(self, scenes: Sequence[list[dict]]) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and errors of the first of these, as many as may still be drawn."""
        scenes = scenes[: self.left]
        self.left -= len(scenes)
        return self.likeness.look(scenes)

    def _try(self, scenes: Sequence[list[dict]]) -> int | None:
        """Take the best of these, if it is better than what there is; its number, or None."""
        valid = [number for number, scene in enumerate(scenes) if self._may(scene)][: self.left]
        if not valid:
            return None
        looked_at = [scenes[number] for number in valid]
        best = self._choose(looked_at, self._look(looked_at)[1])
        return None if best is None else valid[best]

    def _choose(self, scenes: Sequence[list[dict]], errors: np.ndarray) -> int | None:
        """Take the best of those that look no less like the picture, if it is better; its number, or None."""
        alike = np.flatnonzero(errors <= self.error)
        if not len(alike):
            return None
        totals = rank(errors[alike]) + self.doubt([scenes[number] for number in alike])
        best = int(np.argmin(totals))
        if totals[best] >= rank(self.error) + self.doubtful:
            return None
        number = int(alike[best])
        self._take(scenes[number], float(errors[number]))
        return number


class Neighbours:
    """The objects that differ from a given one in their place, or in one property."""

    def __init__(self, language: Language):
        self.language = language

    def moves(self, item: dict) -> dict[tuple, dict]:
        """By way: the object as a whole, or one of its points, a unit further in a direction; valid objects only."""
        points = self._category(item).points
        groups = [points, *([[point] for point in points] if len(points) > 1 else [])]
        moved = {}
        for number, group in enumerate(groups):
            for way in DIRECTIONS:
                other = self._shift(item, group, way)
                if other is not None:
                    moved[number, *way] = other
        return moved

    def shifted(self, item: dict, shift: tuple[int, int]) -> dict | None:
        """The whole object further by (right, down) units; None where the language does not allow it there."""
        right, down = shift
        return self._shift(item, self._category(item).points, (right, -down if self._is_up else down))

    def swapped(self, item: dict, few: int | None = None) -> Iterator[dict]:
        """The object with another value of a property that is no coordinate, and that has no more than `few`."""
        category = self._category(item)
        placed = set(chain(*category.points))
        for name, prop in category.properties.items():
            if name not in placed and (few is None or len(prop.values) <= few):
                others = (self._check(item | {name: value}) for value in prop.values if value != item[name])
                yield from (other for other in others if other is not None)

    @property
    def _is_up(self) -> bool:
        return self.language.canvas.y_axis == "up"

    def _category(self, item: dict):
        return self.language.categories[item[self.language.category_property]]

    def _shift(self, item: dict, points, way: tuple[int, int]) -> dict | None:
        sizes = {name: size for x, y in points for name, size in zip((x, y), way, strict=True)}
        return self._check(item | {name: item[name] + size for name, size in sizes.items()})

    def _check(self, item: dict) -> dict | None:
        try:
            return check_object(self.language, item)
        except SpecificationError:
            return None
