"""A specification is a set of objects: check them, order them, and turn them into token ids and back. No tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .language import Category, Language


ORDERS = ("type", "size", "position", "random")


class SpecificationError(ValueError):
    """Objects, text or ids that are no specification of the language; the message says where and why."""


def check_object(language: Language, item: dict) -> dict:
    """Return one object in canonical form: the category first, its properties in order, and nothing else.

    Properties that are None are absent. A line and the like whose interchangeable ends are not sorted is rewritten
    with sorted ends. Raises SpecificationError naming the property for anything else that does not fit.
    """
    if not isinstance(item, dict):
        raise SpecificationError(f"an object is a mapping of properties, not {item!r}")
    present = {name: value for name, value in item.items() if value is not None}
    category = _category_of(language, present)
    checked = {language.category_property: category.name}
    for name, declared in category.properties.items():
        if name not in present:
            raise SpecificationError(f"{category.name}: property {name!r} is missing")
        try:
            checked[name] = declared.check(present[name])
        except ValueError as error:
            raise SpecificationError(f"{category.name}: {name}: {error}") from None
    extra = [name for name in present if name not in checked]
    if extra:
        raise SpecificationError(f"{category.name}: has no property {extra[0]!r}")
    return _obey_rules(category, checked)


def _category_of(language: Language, item: dict) -> Category:
    if language.category_property not in item:
        raise SpecificationError(f"an object needs the property {language.category_property!r}: {item!r}")
    name = item[language.category_property]
    try:
        return language.categories[name]
    except (KeyError, TypeError):
        known = ", ".join(language.categories)
        raise SpecificationError(f"unknown {language.category_property} {name!r}; known: {known}") from None


def _obey_rules(category: Category, item: dict) -> dict:
    for rule in category.rules:
        if not rule.holds(item) and rule.repair:
            item = rule.repair(item)
        if not rule.holds(item):
            raise SpecificationError(f"{category.name}: {item!r} breaks the rule {rule.text}")
    return item


def check_objects(language: Language, objects: Iterable[dict]) -> list[dict]:
    """`check_object` on each; the error tells the object's number, counted from 1. Repeated objects are kept."""
    if not isinstance(objects, Iterable) or isinstance(objects, (str, bytes, dict)):
        raise SpecificationError(f"objects must be a list, not {objects!r}")
    checked = []
    for number, item in enumerate(objects, start=1):
        try:
            checked.append(check_object(language, item))
        except SpecificationError as error:
            raise SpecificationError(f"object {number}: {error}") from None
    return checked


def is_valid(language: Language, objects: Sequence[dict]) -> bool:
    """Whether every object obeys the language as written (nothing repaired) and no two clash by `unique`."""
    try:
        if check_objects(language, objects) != list(objects):
            return False
    except SpecificationError:
        return False
    codes = [encode_object(language, item) for item in objects]
    unique = [(code[0], code[1 : 1 + language.unique_slots[code[0]]]) for code in codes]
    return len(set(unique)) == len(unique)


def encode_object(language: Language, item: dict) -> tuple:
    """A canonical object as (category name, index of the choice in each slot ...)."""
    category = language.categories[item[language.category_property]]
    choices = (slot.index[tuple(item[prop.name] for prop in slot.properties)] for slot in category.slots)
    return (category.name, *choices)


def order_objects(language: Language, objects: Sequence[dict], by: str = "type", rng=None) -> list[dict]:
    """Sort canonical objects for a sequence model (the paper's section 7.1).

    `by`: "type" (categories as declared, then by their properties), "size" (largest bounding box first), "position"
    (of the box's centre, in reading order: rows from the top, then from the left), each with ties broken by type; or
    "random", which needs `rng`, a numpy Generator.
    """
    if by == "random":
        if rng is None:
            raise ValueError("random order needs a numpy random Generator")
        return [objects[index] for index in rng.permutation(len(objects))]
    keys = {"type": _type_key, "size": _size_key, "position": _position_key}
    if by not in keys:
        raise ValueError(f"unknown order {by!r}; known: {', '.join(ORDERS)}")
    return sorted(objects, key=lambda item: keys[by](language, item))


def _type_key(language: Language, item: dict) -> tuple:
    code = encode_object(language, item)
    return (list(language.categories).index(code[0]), code[1:])


def _size_key(language: Language, item: dict) -> tuple:
    width, height = language.categories[item[language.category_property]].size(item)
    return (-(width + height), _type_key(language, item))


def _position_key(language: Language, item: dict) -> tuple:
    x, y = language.categories[item[language.category_property]].centre(item)
    return (-y if language.canvas.y_axis == "up" else y, x, _type_key(language, item))


def object_words(language: Language, item: dict) -> list[str]:
    """The token words of one canonical object: its category, then one word a slot."""
    name, *choices = encode_object(language, item)
    slots = language.categories[name].slots
    return [name, *(slot.words[choice] for slot, choice in zip(slots, choices, strict=True))]


def objects_to_ids(language: Language, objects: Sequence[dict]) -> list[int]:
    """Canonical objects, in their given order, as token ids with both ends."""
    words = [word for item in objects for word in object_words(language, item)]
    return [language.bos_token_id, *(language.token_ids[word] for word in words), language.eos_token_id]


def ids_to_objects(language: Language, ids: Iterable[int], strict: bool = True) -> list[dict]:
    """Token ids as objects. The start token is optional; the end token, where there is one, ends the reading.

    Strict: raises SpecificationError at the first id that breaks the grammar. Otherwise whatever does not parse is
    passed over, up to the next category token (for models that generate without the grammar).
    """
    ids = [int(token) for token in ids]
    ids = ids[1:] if ids[:1] == [language.bos_token_id] else ids
    if language.eos_token_id in ids:
        ids = ids[: ids.index(language.eos_token_id)]
    unknown = [token for token in ids if not 0 <= token < language.vocab_size]
    if unknown:
        raise SpecificationError(f"id {unknown[0]} is outside the vocabulary of {language.vocab_size} tokens")
    return words_to_objects(language, [language.vocabulary[token] for token in ids], strict)


def words_to_objects(language: Language, words: Sequence[str], strict: bool = True) -> list[dict]:
    """Token words as canonical objects; see `ids_to_objects`."""
    objects, position = [], 0
    while position < len(words):
        try:
            item, position = _read_object(language, words, position)
            objects.append(item)
        except SpecificationError:
            if strict:
                raise
            position += 1
    return objects


def _read_object(language: Language, words: Sequence[str], start: int) -> tuple[dict, int]:
    category = language.categories.get(words[start])
    if category is None:
        known = ", ".join(language.categories)
        raise SpecificationError(f"word {start + 1} ({words[start]!r}) begins no object; known: {known}")
    item = {language.category_property: category.name}
    for offset, slot in enumerate(category.slots, start=start + 1):
        names = " and ".join(prop.name for prop in slot.properties)
        if offset >= len(words):
            raise SpecificationError(f"the text ends before {names} of {category.name} (word {start + 1})")
        choice = slot.word_index.get(words[offset])
        if choice is None:
            raise SpecificationError(f"word {offset + 1} ({words[offset]!r}) is no {names} of {category.name}")
        item.update(slot.read(choice))
    try:
        return _obey_rules(category, item), start + 1 + len(category.slots)
    except SpecificationError as error:
        raise SpecificationError(f"word {start + 1}: {error}") from None
