"""Checks the lists of objects that a metric is given, and writes them as JSON text, which `evaluate` can store."""

import json
import reprlib

import numpy as np


_WANTED = "the objects of a picture must be a list of dicts, or that list as JSON text"


def write_objects(objects):
    """The objects of one picture as JSON text.

    `objects` is a list of dicts whose values are text, numbers (those of NumPy too), bools or None, or that list as
    JSON text. Raises ValueError for anything else.
    """
    try:
        text = objects if isinstance(objects, str) else json.dumps(objects, default=_as_plain)
        written = json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{_WANTED}, not {reprlib.repr(objects)}: {error}") from None
    if not isinstance(written, list) or not all(isinstance(item, dict) for item in written):
        raise ValueError(f"{_WANTED}, not {reprlib.repr(objects)}")
    for name, value in (entry for item in written for entry in item.items()):
        if isinstance(value, (list, dict)):
            raise ValueError(f"{name!r} is {reprlib.repr(value)}, and a value must be text, a number, a bool or None")
    return text


def check_names(option, names, sides):
    """Raises ValueError for a name that no object has, for a misspelt name would give another score in silence.

    `sides` are the predictions and the references, one list of objects a picture. Where there is no property at all,
    any name will do.
    """
    properties = sorted({name for side in sides for objects in side for item in objects for name in item})
    for name in names:
        if properties and name not in properties:
            raise ValueError(f"{option}: no object has the property {name!r}; there are {', '.join(properties)}")


def _as_plain(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{reprlib.repr(value)} is no text, number, bool or None")
