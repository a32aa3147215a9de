"""The order in which the objects of a scene are drawn: a function of the objects, whatever their order in the list."""

from __future__ import annotations

from collections.abc import Sequence

from .clip_art import PICTURE_INDEX, PICTURE_NAMES
from .language import PICTURES, SCALES


SUN = "s_3"
# Of each picture: 0 the sun, 1 the rest of the sky, 2 all else, as in the public tools of the data.
GROUPS = tuple(0 if name == SUN else 1 if name in PICTURES["sky"] else 2 for name in PICTURE_NAMES)


def drawing_key(obj: dict) -> tuple[int, int, int, int, int, bool]:
    """Sorts objects into drawing order: group, deeper first, type, object number.

    x, y and flip follow, so that the order of the list does not matter for a picture that is there twice either.

    Raises ValueError for a category that is no picture and for a depth other than 0, 1 and 2.
    """
    picture, depth = PICTURE_INDEX.get(obj["category"]), obj["depth"]
    if picture is None:
        raise ValueError(f"category {obj['category']!r}: no picture of that name; an example is {SUN!r}")
    if depth not in range(len(SCALES)):
        raise ValueError(f"depth {depth!r} of {obj['category']}: a depth is 0, 1 or 2")
    return GROUPS[picture], -depth, picture, obj["x"], obj["y"], bool(obj["flip"])


def in_drawing_order(objects: Sequence[dict]) -> list[dict]:
    """The objects sorted, the first drawn first; see `drawing_key`."""
    return sorted(objects, key=drawing_key)
