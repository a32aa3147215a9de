"""Goes through one side of a metric picture by picture, so that an error says which picture it is about."""

import reprlib
from collections.abc import Iterable, Mapping


def go_through(work, side, name):
    """Yields work(picture) for each picture of a side; `name` is "prediction" or "reference".

    Raises ValueError where the side is no list, and, with the picture's number, from 0, for what `work` refuses with a
    ValueError or an OSError.
    """
    if isinstance(side, (str, Mapping)) or not isinstance(side, Iterable):
        raise ValueError(f"{name}s must be a list with one entry a picture, not {reprlib.repr(side)}")
    for number, picture in enumerate(side):
        try:
            done = work(picture)
        except (OSError, ValueError) as error:
            raise ValueError(f"{name} {number}: {error}") from None
        yield done
