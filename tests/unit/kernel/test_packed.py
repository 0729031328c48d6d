"""Names in a column: found as in a dict, whatever is asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.packed import PackedMap, joined_names, name_column, offsets_of, ragged_rows

IDS = st.text("AB.", min_size=1, max_size=4)
ASKED = st.one_of(IDS, st.text(max_size=6), IDS.map(lambda name: name + "\0"))


@given(names=st.sets(IDS, max_size=30), asked=st.lists(ASKED, max_size=30))
def test_it_finds_what_a_dict_finds(names: set[str], asked: list[str]) -> None:
    expected = {name: row for row, name in enumerate(sorted(names))}
    packed = PackedMap(name_column(sorted(names)), int)
    assert (dict(packed), len(packed), list(packed)) == (expected, len(expected), list(expected))
    for name in [*asked, *names, ""]:
        assert packed.get(name) == expected.get(name)
        assert (name in packed) == (name in expected)


@given(names=st.sets(IDS, max_size=20), changes=st.lists(st.dictionaries(IDS, st.integers(), max_size=5)))
def test_it_may_lie_beneath_changes(names: set[str], changes: list[dict[str, int]]) -> None:
    expected = {name: row for row, name in enumerate(sorted(names))}
    made: BucketMap[int] = BucketMap(beneath=PackedMap(name_column(sorted(names)), int))
    for change in changes:
        before, held = made, dict(expected)
        made = made.updated(change)
        expected.update(change)
        assert made == expected
        assert (len(made), sorted(made)) == (len(expected), sorted(expected))
        assert before == held


def test_a_name_beyond_ascii_has_no_column() -> None:
    with pytest.raises(UnicodeEncodeError):
        name_column(["Ä"])


def test_joined_names_are_as_wide_as_the_longest() -> None:
    joined = joined_names([name_column(["A"]), name_column([]), name_column(["LONGER"])])
    assert joined.tolist() == [b"A", b"LONGER"]
    assert joined_names([]).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=20))
def test_ragged_rows_are_each_run_in_turn(runs: list[tuple[int, int]]) -> None:
    starts, counts = (np.array([run[i] for run in runs], dtype=np.int64) for i in (0, 1))
    expected = [row for start, count in runs for row in range(start, start + count)]
    assert ragged_rows(starts, counts).tolist() == expected
    assert offsets_of(counts).tolist() == [sum(counts[:n].tolist()) for n in range(len(runs) + 1)]
