"""Numbers printed so that they decide as the numbers do, against exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.decimals import exact, seconds, told_apart

numbers = st.floats(0, 1e9)


@st.composite
def neighbours(draw: st.DrawFn) -> list[float]:
    """Up to four numbers, some a few doubles apart."""
    first = draw(numbers)
    near = st.integers(1, 3).map(lambda steps: first + steps * math.ulp(first))
    return [first, *draw(st.lists(st.one_of(near, numbers), max_size=3))]


def signs(values: list[Fraction]) -> list[int]:
    return [(a > b) - (a < b) for a in values for b in values]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.79999999, "0.79999999"),
        (500.0, "500"),
        (0.0, "0"),
        (-0.0, "0"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (-111.9, "-111.9"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_all_digits_and_no_exponent(number: float, text: str) -> None:
    assert exact(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_text_reads_as_the_same_number(number: float) -> None:
    assert float(exact(number)) == number
    assert "e" not in exact(number)


@given(st.integers(0, 10**16))
def test_seconds_are_the_microseconds(us: int) -> None:
    assert Fraction(seconds(us)) == Fraction(us, 10**6)
    assert not seconds(us).endswith((".", ".0"))


def test_one_decimal_where_it_decides_nothing() -> None:
    assert told_apart((15.0, 18.0277563), (50.0,)) == ("15.0", "18.0")
    assert told_apart((0.01, 3.0), (0.0,)) == ("0.01", "3.00")
    assert told_apart((15.0, 15.0), ()) == ("15.0", "15.0")


def test_as_many_decimals_as_it_takes() -> None:
    assert told_apart((15.0, 14.9999), ()) == ("15.0000", "14.9999")
    assert told_apart((50.04,), (50.02,)) == ("50.04",)


@given(neighbours(), neighbours())
def test_what_is_printed_compares_as_the_numbers_do(computed: list[float], limits: list[float]) -> None:
    texts = told_apart(computed, limits)
    printed = [*map(Fraction, texts), *(Fraction(exact(number)) for number in limits)]
    assert signs(printed) == signs([*map(Fraction, computed), *map(Fraction, limits)])
