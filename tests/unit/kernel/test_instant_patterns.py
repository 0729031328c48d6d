"""What the published patterns say of instants, wall-clock times and dates is what is read, but for a day
that its month does not have.
"""

import calendar
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stayaway.kernel.instants import DATE_PATTERN, INSTANT_PATTERN, LOCAL_PATTERN, parse_instant, parse_local
from stayaway.orders.own_records import ProvisionalForm


def numbers(edges: list[int], most: int, digits: int) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(edges), st.integers(0, most)).map(lambda number: f"{number:0{digits}d}")


years = numbers([0, 1, 9, 10, 99, 100, 999, 1000, 2000, 2024, 2026, 9999], 9999, 4)
months = numbers([0, 1, 2, 9, 10, 12, 13], 99, 2)
days = numbers([0, 1, 28, 29, 30, 31, 32], 99, 2)
hours = numbers([0, 9, 19, 20, 23, 24], 99, 2)
sixtieths = numbers([0, 9, 59, 60], 99, 2)
dates = st.tuples(years, months, days).map("-".join)
clocks = st.builds(
    lambda date, hour, minute, second, fraction: f"{date}T{hour}:{minute}:{second}{fraction}",
    dates,
    hours,
    sixtieths,
    sixtieths,
    st.sampled_from(["", ".0", ".123456", ".1234567", ".", ",5"]),
)


def has_its_day(text: str) -> bool:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    return day <= calendar.monthrange(year, month)[1]


def is_read(text: str, *, utc: bool) -> bool:
    try:
        (parse_instant if utc else parse_local)(text)
    except ValueError:
        return False
    return True


@settings(max_examples=1000)
@given(clocks, st.sampled_from(["Z", "", "z", "+00:00"]))
@example("2024-02-29T23:59:59.999999", "Z")
@example("2026-02-29T00:00:00", "Z")
def test_a_pattern_refuses_exactly_what_is_refused_but_for_days_of_a_month(clock: str, end: str) -> None:
    text = clock + end
    for pattern, utc in ((INSTANT_PATTERN, True), (LOCAL_PATTERN, False)):
        fits = re.search(pattern, text) is not None
        assert is_read(text, utc=utc) == (fits and has_its_day(text))


@settings(max_examples=500)
@given(dates)
def test_a_date_s_pattern_does_too(text: str) -> None:
    fits = re.search(DATE_PATTERN, text) is not None
    assert is_read(f"{text}T00:00:00", utc=False) == (fits and has_its_day(text))


@pytest.mark.parametrize("pattern", [DATE_PATTERN, INSTANT_PATTERN, LOCAL_PATTERN])
def test_the_patterns_are_in_the_subset_that_json_schema_recommends(pattern: str) -> None:
    """Draft 2020-12, core 6.4: no look-around, no groups that do not capture."""
    assert "(?" not in pattern


def test_the_published_form_carries_the_pattern() -> None:
    schema = ProvisionalForm.model_json_schema()["properties"]["until_at"]
    assert schema["pattern"] == INSTANT_PATTERN
