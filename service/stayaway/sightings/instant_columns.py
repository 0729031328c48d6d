"""A column of RFC 3339 instants into microseconds, all rows at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_WIDTH = 27  # 2026-03-06T20:15:00.123456Z
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_MARKS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))
_DAYS_IN_MONTH = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAY_US = 86_400_000_000


def parse_instants(texts: Sequence[str]) -> tuple[Ints, Bools]:
    """Microseconds since 1970 of each text (20-27 characters), and whether it is an instant.

    Takes exactly what `kernel.instants.parse_instant` takes (property-tested); where the second
    column is False the first means nothing.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    codes = np.array(texts, dtype=f"U{_WIDTH}").view(np.uint32).reshape(len(texts), _WIDTH).T.astype(np.int64)
    digit = codes - ord("0")
    good = np.ones(len(texts), dtype=np.bool_)
    for at in _DIGITS:
        good &= (digit[at] >= 0) & (digit[at] <= 9)
    for at, mark in _MARKS:
        good &= codes[at] == ord(mark)
    fraction_us, fraction_good = _fraction(codes, digit)
    year = digit[0] * 1000 + digit[1] * 100 + digit[2] * 10 + digit[3]
    month, day = digit[5] * 10 + digit[6], digit[8] * 10 + digit[9]
    hour, minute, second = (digit[at] * 10 + digit[at + 1] for at in (11, 14, 17))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS_IN_MONTH[np.clip(month, 0, 12)] - ((month == 2) & ~leap)
    good &= fraction_good & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest)
    good &= (hour <= 23) & (minute <= 59) & (second <= 59)
    seconds = (hour * 60 + minute) * 60 + second
    return _days_since_1970(year, month, day) * _DAY_US + seconds * 1_000_000 + fraction_us, good


def _fraction(codes: Ints, digit: Ints) -> tuple[Ints, Bools]:
    """Microseconds after the whole second, and whether the text ends as an instant does."""
    plain = (codes[19] == ord("Z")) & (codes[20] == 0)
    if plain.all():
        return np.zeros(codes.shape[1], dtype=np.int64), plain
    fraction = np.zeros(codes.shape[1], dtype=np.int64)
    open_ = codes[19] == ord(".")
    good = plain.copy()
    scale = 100_000
    for at in range(20, _WIDTH):
        is_digit = (digit[at] >= 0) & (digit[at] <= 9)
        ends = open_ & (codes[at] == ord("Z"))
        if at > 20:  # at least one decimal
            good |= ends & (codes[at + 1 : _WIDTH] == 0).all(axis=0)
        open_ &= is_digit
        fraction += np.where(open_, digit[at] * scale, 0)
        scale //= 10
    return fraction, good


def _days_since_1970(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days from 1970-01-01 in the proleptic Gregorian calendar.

    H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    shifted = np.where(month <= 2, year - 1, year)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: Ints = (
        era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
    )
    return days
