"""The persistent mapping: a dict that an earlier reader never sees change."""

from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.bucketmap import BucketMap

KEYS = st.text(max_size=3)


@given(st.lists(st.dictionaries(KEYS, st.integers(), max_size=5), max_size=12))
def test_it_holds_what_a_dict_would_and_former_ones_stay(changes: list[dict[str, int]]) -> None:
    made, expected = BucketMap[int](), dict[str, int]()
    former = []
    for change in changes:
        former.append((made, dict(expected)))
        made = made.updated(change)
        expected.update(change)
        assert made == expected
        assert len(made) == len(expected)
        assert sorted(made) == sorted(expected)
        assert all(made[key] == value for key, value in expected.items())
    for before, held in former:
        assert before == held
    assert BucketMap(expected) == made
    assert list(BucketMap(expected)) == list(BucketMap(dict(made)))


def test_a_key_that_is_not_there_is_not_there() -> None:
    made = BucketMap({"a": 1})
    assert "b" not in made
    assert made.get("b") is None
