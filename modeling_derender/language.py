"""A graphics language as plain data: its canvas, object categories, properties, tokens and rules. No tensors."""

from __future__ import annotations

import itertools
import json
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import inf, prod

from .rules import Rule, build_rule


SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<mask>")
FORMAT = 1


class LanguageError(ValueError):
    """A declaration of a language that contradicts itself or misses a field."""


@contextmanager
def _naming(item: str) -> Iterator[None]:
    """Whatever is wrong within becomes a LanguageError that names the item."""
    try:
        yield
    except KeyError as error:
        raise LanguageError(f"{item}: declares no {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise LanguageError(f"{item}: {error}") from error


def _as_read(declaration: dict) -> dict:
    """The declaration as a checkpoint's JSON gives it back: tuples are lists there; LanguageError for what is none."""
    try:
        return json.loads(json.dumps(declaration))
    except (TypeError, ValueError) as error:
        raise LanguageError(f"the declaration is no JSON: {error}") from error


def _build_all(kind: str, build: Callable, declarations: list[dict], *context) -> dict:
    """The items of one kind by name, each `build(declaration, *context)`; a LanguageError names the wrong one."""
    items = {}
    for number, declaration in enumerate(declarations, start=1):
        name = declaration.get("name", number) if isinstance(declaration, dict) else number
        with _naming(f"{kind} {name!r}"):
            item = build(declaration, *context)
            if item.name in items:
                raise LanguageError("is declared twice")
            items[item.name] = item
    return items


def _refuse_repeated(kind: str, texts: list[str]) -> None:
    repeated = [text for text, count in Counter(texts).items() if count > 1]
    if repeated:
        raise LanguageError(f"{kind} {repeated[0]!r} is of more than one")


@dataclass(frozen=True)
class Domain:
    """A pool of values and the words that stand for them; properties of one domain share its tokens."""

    name: str
    kind: str
    values: tuple
    words: tuple[str, ...]

    @classmethod
    def from_dict(cls, declaration: dict) -> Domain:
        name, kind = declaration["name"], declaration.get("type")
        if kind == "integer":
            values = tuple(range(declaration["minimum"], declaration["maximum"] + 1))
        elif kind == "choice":
            values = tuple(declaration["values"])
        elif kind == "flag":
            values = (False, True)
        else:
            raise LanguageError(f"unknown type {kind!r}; known: integer, choice, flag")
        words = declaration.get("words") or [declaration.get("prefix", "") + str(value) for value in values]
        if len(words) != len(values) or not values:
            raise LanguageError(f"{len(words)} words for {len(values)} values")
        return cls(name, kind, values, tuple(words))

    def check(self, value):
        """Return `value` as the domain's own Python value; raise ValueError where its type does not fit."""
        if self.kind == "flag":
            if not isinstance(value, bool) and type(value).__name__ != "bool":
                raise ValueError(f"{value!r} is not true or false")
            return bool(value)
        if self.kind == "integer":
            if isinstance(value, bool):
                raise ValueError(f"{value!r} is not an integer")
            try:
                return operator.index(value)
            except TypeError:
                raise ValueError(f"{value!r} is not an integer") from None
        return value


@dataclass(frozen=True)
class Property:
    """One named property of a category: a domain, perhaps narrowed to some of its values."""

    name: str
    domain: Domain
    values: tuple
    tag: str

    @classmethod
    def from_dict(cls, declaration: dict, domains: dict[str, Domain], coordinates: set[str]) -> Property:
        """`coordinates` are the names of those whose tag, unless it is declared, is that of the paper's Fig. 1."""
        name = declaration["name"]
        if declaration.get("domain") not in domains:
            raise LanguageError(f"unknown domain {declaration.get('domain')!r}")
        domain = domains[declaration["domain"]]
        values = tuple(declaration.get("values", domain.values))
        if domain.kind == "integer":
            minimum, maximum = declaration.get("minimum", -inf), declaration.get("maximum", inf)
            values = tuple(value for value in values if minimum <= value <= maximum)
        if not values or not set(values) <= set(domain.values):
            raise LanguageError(f"its values are not among those of domain {domain.name!r}")
        tag = declaration.get("tag", f"{name}-coordinate" if name in coordinates else name)
        return cls(name, domain, values, tag)

    def word(self, value) -> str:
        return self.domain.words[self.domain.values.index(value)]

    def describe(self) -> str:
        """The allowed values, for error messages."""
        if self.domain.kind == "integer" and self.values == tuple(range(self.values[0], self.values[-1] + 1)):
            return f"{self.values[0]}..{self.values[-1]}"
        return ", ".join(map(str, self.values))

    def check(self, value):
        value = self.domain.check(value)
        if value not in self.values:
            raise ValueError(f"{value!r} is not one of {self.describe()}")
        return value


@dataclass(frozen=True)
class Slot:
    """The properties that one token holds; `choices[i]` are their values and `words[i]` is the token's word."""

    properties: tuple[Property, ...]
    choices: tuple[tuple, ...]
    words: tuple[str, ...]

    @classmethod
    def from_properties(cls, properties: tuple[Property, ...]) -> Slot:
        choices = tuple(itertools.product(*(item.values for item in properties)))
        words = tuple(
            "-".join(item.word(value) for item, value in zip(properties, choice, strict=True)) for choice in choices
        )
        return cls(properties, choices, words)

    @cached_property
    def index(self) -> dict[tuple, int]:
        return {choice: index for index, choice in enumerate(self.choices)}

    def read(self, choice: int) -> dict:
        """The properties that one of the choices stands for."""
        return dict(zip((prop.name for prop in self.properties), self.choices[choice], strict=True))

    @cached_property
    def word_index(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}


@dataclass(frozen=True)
class Extent:
    """How a property decides the size of what is drawn: the factors of (width, height) that go with its values."""

    name: str
    factors: dict[object, tuple[float, float]]

    @classmethod
    def from_dict(cls, declaration: dict, properties: dict[str, Property]) -> Extent:
        """From {"name": "picture", "sizes": [[60, 40], ...]} or {"name": "depth", "scales": [1, 0.5]}, one a value."""
        name = declaration["name"]
        if name not in properties:
            raise LanguageError("is no property")
        if ("sizes" in declaration) == ("scales" in declaration):
            raise LanguageError("declares either sizes, [width, height] each, or scales")
        factors = declaration["sizes"] if "sizes" in declaration else [(scale,) * 2 for scale in declaration["scales"]]
        values = properties[name].values
        if len(factors) != len(values):
            raise LanguageError(f"{len(factors)} sizes or scales for {len(values)} values")
        if not all(len(pair) == 2 and min(pair) > 0 for pair in factors):
            raise LanguageError("sizes are [width, height], and all above 0")
        return cls(name, dict(zip(values, map(tuple, factors), strict=True)))


@dataclass(frozen=True)
class Category:
    """A kind of object: its slots in token order, its rules and its geometry (for sizes and positions).

    The geometry: `points` are the coordinates that the object stands at, `margin` what is drawn beyond them on every
    side. What is drawn around a point and no coordinate tells the size of, as a picture is, has `extents`, whose
    product is its width and height.
    """

    name: str
    label: str
    slots: tuple[Slot, ...]
    rules: tuple[Rule, ...]
    points: tuple[tuple[str, str], ...]
    margin: float
    extents: tuple[Extent, ...]

    @classmethod
    def from_dict(cls, declaration: dict, domains: dict[str, Domain]) -> Category:
        name = declaration["name"]
        points = tuple(tuple(point) for point in declaration.get("points", []))
        coordinates = {item for point in points for item in point}
        properties = _build_all("property", Property.from_dict, declaration["properties"], domains, coordinates)
        _refuse_repeated("tag", [item.tag for item in properties.values()])
        slots = cls._slots(properties, declaration.get("joint", []))
        rules = tuple(build_rule(rule, list(properties)) for rule in declaration.get("rules", []))
        unknown = coordinates - set(properties)
        if unknown:
            raise LanguageError(f"points name unknown properties {sorted(unknown)}")
        extents = tuple(_build_all("extent", Extent.from_dict, declaration.get("extents", []), properties).values())
        return cls(name, declaration.get("label", name), slots, rules, points, declaration.get("margin", 0), extents)

    @staticmethod
    def _slots(properties: dict[str, Property], joint: list[list[str]]) -> tuple[Slot, ...]:
        group_of = {member: tuple(group) for group in joint for member in group}
        if not set(group_of) <= set(properties):
            raise LanguageError("joint names unknown properties")
        groups = dict.fromkeys(group_of.get(name, (name,)) for name in properties)
        order = [member for group in groups for member in group]
        if order != list(properties):
            raise LanguageError("joint properties must follow each other as declared")
        return tuple(Slot.from_properties(tuple(properties[member] for member in group)) for group in groups)

    @cached_property
    def properties(self) -> dict[str, Property]:
        return {item.name: item for slot in self.slots for item in slot.properties}

    def read(self, choices: tuple[int, ...]) -> dict:
        """The properties that the choices in the first slots stand for."""
        item = {}
        for slot, choice in zip(self.slots, choices, strict=False):
            item.update(slot.read(choice))
        return item

    def box(self, item: dict) -> tuple[float, float, float, float]:
        """The object's bounding box in canvas units: left, bottom, right, top (low y first)."""
        left, low, right, high = self._points_box(item)
        across, upright = (self.margin + side / 2 for side in self._drawn_around(item))
        return left - across, low - upright, right + across, high + upright

    def size(self, item: dict) -> tuple[float, float]:
        """The (width, height) of the bounding box, exactly the same wherever the object stands."""
        left, low, right, high = self._points_box(item)
        width, height = self._drawn_around(item)
        return right - left + 2 * self.margin + width, high - low + 2 * self.margin + height

    def centre(self, item: dict) -> tuple[float, float]:
        """The (x, y) of the bounding box's centre, which margin and extents do not move."""
        left, low, right, high = self._points_box(item)
        return (left + right) / 2, (low + high) / 2

    def _points_box(self, item: dict) -> tuple[float, float, float, float]:
        if not self.points:
            raise LanguageError(f"category {self.name!r} declares no points, so it has no size and no position")
        xs, ys = zip(*((item[x], item[y]) for x, y in self.points), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def _drawn_around(self, item: dict) -> tuple[float, float]:
        """(width, height) by the extents, in canvas units; 0 where there are none."""
        factors = [extent.factors[item[extent.name]] for extent in self.extents]
        return tuple(prod(side) for side in zip(*factors, strict=True)) if factors else (0, 0)


@dataclass(frozen=True)
class Canvas:
    """The drawing area: its size in the language's units, where y points, and its pictures' pixels and channels."""

    width: float
    height: float
    y_axis: str
    pixels: tuple[int, int]
    channels: int

    @classmethod
    def from_dict(cls, declaration: dict) -> Canvas:
        if declaration.get("y_axis") not in ("up", "down"):
            raise LanguageError(f"y_axis must be 'up' or 'down', not {declaration.get('y_axis')!r}")
        height, width = declaration["pixels"]
        return cls(
            declaration["width"],
            declaration["height"],
            declaration["y_axis"],
            (height, width),
            declaration.get("channels", 3),
        )


class Language:
    """A graphics language, built from its JSON declaration (`from_dict`), from which all else follows.

    The declaration has `name`, `version`, `canvas`, `category_property` (the property that tells the category, by
    default "category"), `domains` and `categories` (lists, whose order numbers the tokens and is the canonical order;
    JSON objects would not do, since libraries sort their keys) and, optionally, `unique`: the leading properties no
    two objects of a category may share (by default, and where a category has none of them, all: no object twice).

    - `canvas`: `width` and `height` in the language's units, `y_axis` ("up" or "down"), `pixels` [height, width] of
      its pictures, `channels` (3, or 1 for grey ones).
    - A domain: `name`, `type` "integer" (with `minimum` and `maximum`), "choice" (`values`) or "flag"; the words of
      its tokens are its values behind a `prefix`, or `words`.
    - A category: `name`, `properties` in the order of their tokens, and optionally `label` (its name in tagged text),
      `joint` (lists of properties that share a token), `rules` between its properties (rules.py), `points` (pairs of
      properties that are coordinates, x and y), `margin` and `extents` (what is drawn around them; see `Category`).
    - A property: `name`, `domain`, and optionally `values`, or `minimum` and `maximum`, that narrow it, and `tag` (its
      name in tagged text, by default its name and, for a coordinate, NAME-coordinate).

    `coordinate_ranges` maps the properties that are coordinates, since some category's points name them, to the
    canvas's (low, high) along their axis.
    """

    def __init__(self, declaration: dict):
        if declaration.get("format", FORMAT) != FORMAT:
            raise LanguageError(f"format {declaration['format']!r} is unknown; this version reads {FORMAT}")
        self._declaration = declaration = _as_read(declaration)
        self.name, self.version = declaration["name"], str(declaration["version"])
        with _naming("canvas"):
            self.canvas = Canvas.from_dict(declaration["canvas"])
        self.category_property = declaration.get("category_property", "category")
        self.domains = _build_all("domain", Domain.from_dict, declaration["domains"])
        self.categories = _build_all("category", Category.from_dict, declaration["categories"], self.domains)
        if not self.categories:
            raise LanguageError("declares no category")
        for category in self.categories.values():
            if self.category_property in {*category.properties, *(item.tag for item in category.properties.values())}:
                raise LanguageError(f"{self.category_property!r} tells the category and cannot be a property as well")
        _refuse_repeated("label", [str(item.label).lower() for item in self.categories.values()])
        self.vocabulary = self._build_vocabulary()
        self.token_ids = {word: index for index, word in enumerate(self.vocabulary)}
        unique = self._find_unique()
        self.unique_slots = {name: _count_unique_slots(item, unique) for name, item in self.categories.items()}
        self.coordinate_ranges = self._find_coordinate_ranges()

    @classmethod
    def from_dict(cls, declaration: dict) -> Language:
        """Build from the JSON form; LanguageError (a ValueError) names what does not fit."""
        with _naming("language"):
            return cls(declaration)

    def __reduce__(self):
        """Pickled as the declaration: the rules are functions, which do not pickle."""
        return Language.from_dict, (self._declaration,)

    def to_dict(self) -> dict:
        """The JSON declaration this language was built from."""
        return self._declaration

    def __eq__(self, other) -> bool:
        return isinstance(other, Language) and self.to_dict() == other.to_dict()

    __hash__ = None

    pad_token, bos_token, eos_token, mask_token = SPECIAL_TOKENS
    pad_token_id, bos_token_id, eos_token_id, mask_token_id = range(4)

    @property
    def vocab_size(self) -> int:
        return len(self.vocabulary)

    @cached_property
    def property_names(self) -> tuple[str, ...]:
        """Every property of any category, in order of first declaration."""
        return tuple(dict.fromkeys(name for item in self.categories.values() for name in item.properties))

    @cached_property
    def longest_object(self) -> int:
        """The most tokens of an object."""
        return 1 + max(len(category.slots) for category in self.categories.values())

    @cached_property
    def has_equal_categories(self) -> bool:
        """Whether the categories have the same properties, so that objects of different ones can be compared."""
        return len({frozenset(item.properties) for item in self.categories.values()}) == 1

    @property
    def single_domains(self) -> list[Domain]:
        """The domains each of whose words is a token: those of a property that has a token to itself."""
        slots = [slot for category in self.categories.values() for slot in category.slots]
        names = {slot.properties[0].domain.name for slot in slots if len(slot.properties) == 1}
        return [domain for name, domain in self.domains.items() if name in names]

    def _build_vocabulary(self) -> tuple[str, ...]:
        slots = [slot for category in self.categories.values() for slot in category.slots]
        words = [word for domain in self.single_domains for word in domain.words]
        joint = [word for slot in slots if len(slot.properties) > 1 for word in slot.words]
        vocabulary = (*SPECIAL_TOKENS, *self.categories, *words, *dict.fromkeys(joint))
        wrong = [
            word
            for word, count in Counter(vocabulary).items()
            if count > 1 or not isinstance(word, str) or word.split() != [word]
        ]
        if wrong:
            raise LanguageError(f"every token needs a word of its own without white space; these do not fit: {wrong}")
        return vocabulary

    def _find_coordinate_ranges(self) -> dict[str, tuple[float, float]]:
        """The properties that some category's points name, with the canvas's extent along their axis.

        Scores in bins divide these ranges into bins.
        """
        points = [point for item in self.categories.values() for point in item.points]
        across = {x: (0, self.canvas.width) for x, _ in points}
        upright = {y: (0, self.canvas.height) for _, y in points}
        unclear = [name for name in across if upright.get(name, across[name]) != across[name]]
        if unclear:
            raise LanguageError(f"points: {unclear[0]!r} is a coordinate of both axes, which differ in extent")
        return across | upright

    def _find_unique(self) -> set[str]:
        unique = self._declaration.get("unique") or []
        if isinstance(unique, str) or not set(unique) <= set(self.property_names):
            raise LanguageError(f"unique: {unique!r} is no list of properties")
        return set(unique)


def _count_unique_slots(category: Category, unique: set[str]) -> int:
    """The leading slots that no two objects of the category may share, for the properties `unique`."""
    if not unique & set(category.properties):
        return len(category.slots)
    names = [[item.name for item in slot.properties] for slot in category.slots]
    count = sum(any(name in unique for name in group) for group in names)
    if not all(name in unique for group in names[:count] for name in group):
        raise LanguageError(f"category {category.name!r}: the unique properties must come first")
    return count
