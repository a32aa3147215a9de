"""Specifications as JSON, as plain text, and as the tagged text of the paper's Fig. 1; each read back to objects."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .language import Language, Property
from .specification import SpecificationError, check_object, check_objects, object_words, words_to_objects


def to_json(objects: Sequence[dict]) -> str:
    """Objects as a JSON list, one object a line."""
    lines = ",\n".join("  " + json.dumps(item) for item in objects)
    return f"[\n{lines}\n]" if objects else "[]"


def from_json(language: Language, text: str) -> list[dict]:
    """Read `to_json`'s form; SpecificationError tells the line of bad JSON or the number of a bad object."""
    try:
        objects = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecificationError(f"not JSON: line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a tower of brackets
        raise SpecificationError(f"not JSON that is read here: {error}") from None
    return check_objects(language, objects)


def to_text(language: Language, objects: Sequence[dict]) -> str:
    """Canonical objects as token words, one object a line; the tokenizer reads the same text."""
    return "\n".join(" ".join(object_words(language, item)) for item in objects)


def from_text(language: Language, text: str, strict: bool = True) -> list[dict]:
    """Read `to_text`'s form; line breaks count as spaces. Raises SpecificationError naming the word."""
    return words_to_objects(language, text.split(), strict)


def to_tagged(language: Language, objects: Sequence[dict]) -> str:
    """Canonical objects in the form of the paper's Fig. 1, with well-formed closing tags."""
    return "\n".join(_object_to_tagged(language, item) for item in objects)


def _object_to_tagged(language: Language, item: dict) -> str:
    category = language.categories[item[language.category_property]]
    fields = [(language.category_property, category.label)]
    fields += [(prop.tag, _tagged_value(prop, item[prop.name])) for prop in category.properties.values()]
    return "\n".join(["<object>", *(f"  <{tag}>{value}</{tag}>" for tag, value in fields), "</object>"])


def _tagged_value(prop: Property, value) -> str:
    return str(int(value)) if prop.domain.kind == "flag" else str(value)


_OBJECT = re.compile(r"<object>\s*(.*?)<[/\\]object>\s*", re.DOTALL)
_FIELD = re.compile(r"<([^<>/\\]+)>([^<>]*)<[/\\]\1>\s*")


def from_tagged(language: Language, text: str) -> list[dict]:
    """Read the tagged form, also with closing tags written `<\\tag>` as in the paper's figure.

    Raises SpecificationError telling the line, or the number of the object.
    """
    objects, position = [], len(text) - len(text.lstrip())
    while position < len(text):
        match = _OBJECT.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise SpecificationError(f"line {line}: expected <object>, its properties, then </object>")
        if _FIELD.sub("", match[1]):
            stray = _FIELD.sub("", match[1]).split("\n")[0]
            raise SpecificationError(f"object {len(objects) + 1}: {stray!r} is not of the form <tag>value</tag>")
        fields = [(tag, value.strip()) for tag, value in _FIELD.findall(match[1])]
        objects.append(_object_from_fields(language, fields, len(objects) + 1))
        position = match.end()
    return objects


def _object_from_fields(language: Language, fields: list[tuple[str, str]], number: int) -> dict:
    values = dict(fields)
    if len(values) < len(fields):
        raise SpecificationError(f"object {number}: a property is given twice")
    label = values.pop(language.category_property, None)
    categories = {item.label.lower(): item for item in language.categories.values()}
    category = language.categories.get(label) or categories.get(str(label).lower())
    if category is None:
        known = ", ".join(item.label for item in language.categories.values())
        raise SpecificationError(f"object {number}: unknown {language.category_property} {label!r}; known: {known}")
    by_tag = {prop.tag: prop for prop in category.properties.values()}
    item = {language.category_property: category.name}
    for tag, value in values.items():
        if tag not in by_tag:
            raise SpecificationError(f"object {number}: {label} has no tag {tag!r}; known: {', '.join(by_tag)}")
        item[by_tag[tag].name] = _value_from_tagged(by_tag[tag], value)
    try:
        return check_object(language, item)
    except SpecificationError as error:
        raise SpecificationError(f"object {number}: {error}") from None


def _value_from_tagged(prop: Property, text: str):
    """The domain value whose tagged form is `text`; the text itself where there is none, for the check to refuse."""
    by_text = {_tagged_value(prop, value): value for value in prop.domain.values}
    return by_text.get(text, text)
