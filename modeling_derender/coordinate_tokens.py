"""Which tokens are coordinates: the tokens of one domain stand in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from .binning import NUM_BINS
from .language import Language


def find_coordinate_tokens(language: Language) -> Iterator[tuple[int, int, int]]:
    """The first and the last token of each domain of whole numbers that coordinates have to themselves, and a reach.

    Coordinates are what the language's points name. Within the reach, half of one of 20 bins of the canvas, a number
    is near another: at 500 x 400 those up to 10 away, on a grid of 16 none.
    """
    alone = {domain.name for domain in language.single_domains}
    extents: dict[str, list[float]] = {}
    for category in language.categories.values():
        for name, item in category.properties.items():
            if name in language.coordinate_ranges and item.domain.kind == "integer" and item.domain.name in alone:
                low, high = language.coordinate_ranges[name]
                extents.setdefault(item.domain.name, []).append(high - low)
    for name, found in extents.items():
        words = language.domains[name].words
        yield language.token_ids[words[0]], language.token_ids[words[-1]], int(min(found) / NUM_BINS / 2)
