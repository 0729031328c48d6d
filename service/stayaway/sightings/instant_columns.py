"""A column of RFC 3339 instants into microseconds, all rows of one length at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LONGEST = 27  # 2026-03-06T20:15:00.123456Z
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_FIRST_DECIMAL = 20
_MARKS = (4, 7, 10, 13, 16, 19, -1)
_DAYS_IN_MONTH = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAY_US = 86_400_000_000


def parse_instants(texts: Sequence[str]) -> tuple[Ints, Bools]:
    """Microseconds since 1970 of each text (20-27 characters), and whether it is an instant.

    Takes exactly what `kernel.instants.parse_instant` takes (property-tested); where the second
    column is False the first means nothing.
    """
    rows = len(texts)
    values_us, good = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.bool_)
    lengths = np.array([len(text) for text in texts])
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        if chosen.size == rows:
            return _parse(texts, length)
        values_us[chosen], good[chosen] = _parse([texts[row] for row in chosen.tolist()], length)
    return values_us, good


def _parse(texts: Sequence[str], length: int) -> tuple[Ints, Bools]:
    """The same for texts of one `length`."""
    # Another character than ASCII becomes a question mark, which no instant has.
    joined = "".join(texts).encode("ascii", "replace")
    codes = np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), length)
    decimals = range(_FIRST_DECIMAL, length - 1)
    # Below "0" the difference wraps round to a large number.
    digits = np.ascontiguousarray((codes[:, [*_DIGITS, *decimals]] - np.uint8(ord("0"))).T)
    marks = np.frombuffer(b"--T::" + (b".Z" if decimals else b"ZZ"), dtype=np.uint8)
    good = (codes[:, _MARKS] == marks).all(axis=1) & (digits <= 9).all(axis=0)
    if length == _FIRST_DECIMAL + 1:  # a point without a decimal, or something between second and Z
        good[:] = False
    number = digits.astype(np.int64)
    year = ((number[0] * 10 + number[1]) * 10 + number[2]) * 10 + number[3]
    month, day, hour, minute, second = (number[at] * 10 + number[at + 1] for at in (4, 6, 8, 10, 12))
    fraction_us = np.zeros(len(texts), dtype=np.int64)
    for place in range(len(decimals)):
        fraction_us += number[len(_DIGITS) + place] * 10 ** (5 - place)
    good &= (hour <= 23) & (minute <= 59) & (second <= 59)
    days, days_good = _days_since_1970(year, month, day)
    seconds = (hour * 60 + minute) * 60 + second
    return days * _DAY_US + (seconds * 1_000_000 + fraction_us), good & days_good


def _days_since_1970(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """Days from 1970-01-01 in the proleptic Gregorian calendar, and whether it has that day.

    Worked out once for each day that occurs: a batch has one or two.
    """
    dates = (year * 100 + month) * 100 + day
    if (dates == dates[0]).all():
        days, good = _days(year[:1], month[:1], day[:1])
        return np.broadcast_to(days, dates.shape), np.broadcast_to(good, dates.shape)
    return _days(year, month, day)


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS_IN_MONTH[np.clip(month, 0, 12)] - ((month == 2) & ~leap)
    good = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest)
    shifted = np.where(month <= 2, year - 1, year)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: Ints = (
        era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
    )
    return days, good
