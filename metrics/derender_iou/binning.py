"""Puts the coordinates of objects into 20 bins of equal size, as the scores of Abstract Scenes want them."""

from fractions import Fraction
from math import isfinite
from numbers import Integral, Real


NUM_BINS = 20


def bin_objects(objects, ranges):
    """Copies of objects, the properties that `ranges` names replaced by their bins, integers from 0 to 19.

    `objects` is a list of dicts. `ranges` maps a property to the (low, high) of the canvas, in the property's unit.
    Bins are 20 equal parts of that range (Pasunuru et al. 2021, sections 4.1 and 5.2). A value on an edge belongs to
    the upper bin, exactly; values outside the range go to the first or the last bin. A property that is absent or None
    stays so. Raises ValueError, which names the property, for an empty range and for a value that is not a finite
    number.
    """
    limits = {name: _check_range(name, limits) for name, limits in ranges.items()}
    return [
        {
            name: _find_bin(name, value, *limits[name]) if name in limits and value is not None else value
            for name, value in item.items()
        }
        for item in objects
    ]


def _find_bin(name, value, low, high):
    number = _check_number(name, value)
    return min(max(NUM_BINS * (number - low) // (high - low), 0), NUM_BINS - 1)


def _check_range(name, limits):
    if len(limits) != 2:
        raise ValueError(f"ranges: {name!r} needs a low and a high value, not {limits!r}")
    low, high = (_check_number(name, limit) for limit in limits)
    if low >= high:
        raise ValueError(f"ranges: {name!r} is empty, for it goes from {limits[0]} to {limits[1]}")
    return low, high


def _check_number(name, value):
    """The value as an int or a Fraction: the arithmetic of floats would move values that are next to a bin's edge."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and isfinite(value):
        return Fraction(float(value))
    raise ValueError(f"{name!r} is {value!r}, and only a finite number has a bin")
