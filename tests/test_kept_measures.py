"""Long measurements: what was done before a stop counts where it was done in the same way."""

import pytest

from experiments.kept_measures import KeptMeasures


HOW = {"commit": "abc", "size": 3}


def stop_at(last, calls):
    def measure(picture):
        if picture == last:
            raise KeyboardInterrupt
        calls.append(picture)
        return picture * 10

    return measure


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (HOW, HOW, [2]),
        (HOW, HOW | {"size": 4}, [0, 1, 2]),
        ({"commit": "abc-dirty"}, {"commit": "abc-dirty"}, [0, 1, 2]),
    ],
)
def test_what_is_done_is_done_again_only_where_it_may_differ(first, second, left, tmp_path):
    table, calls = tmp_path / "new" / "table.md", []
    with pytest.raises(KeyboardInterrupt):
        KeptMeasures(table, first).measure("a", range(3), stop_at(2, calls))
    calls.clear()
    kept = KeptMeasures(table, second)
    assert kept.measure("a", range(3), stop_at(None, calls)) == [0, 10, 20] and calls == left
    assert kept.measure("b", range(1), stop_at(None, calls)) == [0]
    kept.remove()
    assert list(table.parent.iterdir()) == []
