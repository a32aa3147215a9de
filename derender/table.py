"""Objects as the rows of a table that people edit, and edited rows back as objects."""

from __future__ import annotations

from collections.abc import Sequence

from modeling_derender.language import Domain, Language
from modeling_derender.specification import SpecificationError, check_object


KEEP, CONFIDENCE = "keep", "confidence"


def headers(language: Language) -> list[str]:
    """Whether to keep the object, its category, every property of any category, and how sure the model is of it."""
    return [KEEP, language.category_property, *language.property_names, CONFIDENCE]


def to_rows(language: Language, objects: Sequence[dict], confidences: Sequence[float | None]) -> list[list]:
    """A row an object; what its category does not have is empty."""
    names = headers(language)[1:-1]
    return [
        [True, *(_to_cell(item.get(name)) for name in names), "" if sure is None else f"{sure:.2f}"]
        for item, sure in zip(objects, confidences, strict=True)
    ]


def from_rows(language: Language, rows: Sequence[Sequence]) -> tuple[list[dict], list[float | None]]:
    """The objects of the rows to be kept, and their confidences; SpecificationError tells the row, from 1.

    Rows without any entry are passed over. A row that was changed still has the confidence of what it was.
    """
    columns, objects, confidences = headers(language), [], []
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise SpecificationError(f"row {number}: {len(row)} cells, not {len(columns)}")
        keep, *cells, sure = ("" if cell is None else str(cell).strip() for cell in row)
        item = {name: text for name, text in zip(columns[1:-1], cells, strict=True) if text}
        if keep.lower() != "true" or not item:
            continue
        try:
            objects.append(check_object(language, _read_values(language, item)))
        except SpecificationError as error:
            raise SpecificationError(f"row {number}: {error}") from None
        confidences.append(_to_number(sure))
    return objects, confidences


def _to_cell(value) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _read_values(language: Language, item: dict[str, str]) -> dict:
    category = language.categories.get(item.get(language.category_property))
    if category is None:
        return item
    return {
        name: _read_value(category.properties[name].domain, text) if name in category.properties else text
        for name, text in item.items()
    }


def _read_value(domain: Domain, text: str):
    """The domain's value that is written so; the text itself where there is none, for the check to refuse."""
    written = {_to_cell(value): value for value in domain.values}
    text = text.lower() if domain.kind == "flag" else text.removesuffix(".0") if domain.kind == "integer" else text
    return written.get(text, text)


def _to_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
