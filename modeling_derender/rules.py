"""The rules a language can declare between the properties of one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A condition on an object.

    `names` are the properties it reads, `holds(object)` tells whether a complete object obeys it, and
    `repair(object)` returns the same drawing written so that it does, or None where there is no such writing.
    """

    text: str
    names: tuple[str, ...]
    holds: Callable[[dict], bool]
    repair: Callable[[dict], dict] | None = None


def _two(arguments, kind: type) -> tuple:
    """The two properties (str) or points (list) that a rule is about."""
    if len(arguments) != 2 or not all(isinstance(item, kind) for item in arguments):
        raise ValueError(f"takes two {'properties' if kind is str else 'lists of properties'}")
    return tuple(arguments)


def _two_points(arguments) -> tuple:
    first, second = _two(arguments, list)
    if len(first) != len(second):
        raise ValueError("takes two lists of the same length")
    return first, second


def _pick(item: dict, names: list[str]) -> tuple:
    return tuple(item[name] for name in names)


def _less(rule: dict) -> Rule:
    """{"less": ["x1", "x2"]}: x1 < x2."""
    low, high = _two(rule["less"], str)
    return Rule(f"{low} < {high}", (low, high), lambda item: item[low] < item[high])


def _differ(rule: dict) -> Rule:
    """{"differ": [["x1", "y1"], ["x2", "y2"]]}: the two points are not the same."""
    first, second = _two_points(rule["differ"])
    text = f"({', '.join(first)}) differs from ({', '.join(second)})"
    return Rule(text, (*first, *second), lambda item: _pick(item, first) != _pick(item, second))


def _sorted(rule: dict) -> Rule:
    """{"sorted": [["x1", "y1"], ["x2", "y2"]], "where": {"arrow": false}}: the first point is the smaller one.

    The two points are interchangeable where the rule applies, so an object that breaks it is repaired by a swap.
    """
    first, second = _two_points(rule["sorted"])
    where = rule.get("where", {})

    def holds(item: dict) -> bool:
        applies = all(item[name] == value for name, value in where.items())
        return not applies or _pick(item, first) <= _pick(item, second)

    def repair(item: dict) -> dict:
        swapped = zip((*first, *second), (*_pick(item, second), *_pick(item, first)), strict=True)
        return {**item, **dict(swapped)}

    condition = " and ".join(f"{name} is {str(value).lower()}" for name, value in where.items())
    text = f"({', '.join(first)}) <= ({', '.join(second)})" + (f" where {condition}" if condition else "")
    return Rule(text, (*first, *second, *where), holds, repair)


_KINDS = {"less": _less, "differ": _differ, "sorted": _sorted}


def build_rule(rule: dict, names: list[str]) -> Rule:
    """Build a rule from its JSON form; ValueError where the kind, a property or the form is wrong."""
    kind = next((kind for kind in _KINDS if kind in rule), None)
    if kind is None:
        raise ValueError(f"unknown rule {rule!r}; known: {', '.join(_KINDS)}")
    try:
        built = _KINDS[kind](rule)
        unknown = sorted(set(built.names) - set(names))
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"rule {rule!r}: {error}") from error
    if unknown:
        raise ValueError(f"rule {built.text!r} names unknown properties {unknown}")
    return built
