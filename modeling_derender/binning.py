"""Puts coordinates into 20 bins of equal size, in which some scores compare them."""

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from numbers import Integral, Real


NUM_BINS = 20


def bin_objects(objects, ranges):
    """Copies of objects, the properties that `ranges` names replaced by their bins, integers from 0 to 19.

    `objects` is a list of dicts. `ranges` maps a property to the (low, high) of the canvas, in the property's unit.
    Bins are 20 equal parts of that range (Pasunuru et al. 2021, sections 4.1 and 5.2). A value on an edge belongs to
    the upper bin, exactly; values outside the range go to the first or the last bin. A property that is absent or None
    stays so. Raises ValueError for ranges that `check_ranges` refuses and, naming the property, for a value that is no
    finite number.
    """
    limits = check_ranges(ranges)
    return [
        {
            name: _find_bin(name, value, *limits[name]) if name in limits and value is not None else value
            for name, value in item.items()
        }
        for item in objects
    ]


def check_ranges(ranges):
    """The (low, high) of each property as ints or Fractions.

    Raises ValueError where `ranges` is no mapping and, naming the property, where a range is empty or not two finite
    numbers.
    """
    if not isinstance(ranges, Mapping):
        raise ValueError(f"ranges must be a dict from a property to its (low, high), not {ranges!r}")
    return {name: _check_range(name, limits) for name, limits in ranges.items()}


def _find_bin(name, value, low, high):
    number = _check_number(name, value)
    return min(max(NUM_BINS * (number - low) // (high - low), 0), NUM_BINS - 1)


def _check_range(name, limits):
    try:
        low, high = (_check_number(name, limit) for limit in limits)
    except (TypeError, ValueError):
        raise ValueError(f"ranges: {name!r} needs a low and a high finite number, not {limits!r}") from None
    if low >= high:
        raise ValueError(f"ranges: {name!r} is empty, for it is {limits!r}")
    return low, high


def _check_number(name, value):
    """The value as an int or a Fraction: the arithmetic of floats would move values that are next to a bin's edge."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and isfinite(value):
        return Fraction(float(value))
    raise ValueError(f"{name!r} is {value!r}, and only a finite number has a bin")
