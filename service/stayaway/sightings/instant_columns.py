"""A column of RFC 3339 instants into microseconds, all rows of one length at once."""

from collections.abc import Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_WHOLE = "9999-19-39T29:59:59"
"""The largest digit in each place; whether the calendar and the day have it is looked at afterwards."""
_SHORTEST = len(_WHOLE) + 1
_DAY_WEIGHTS = "10000000 1000000 100000 10000 0 1000 100 0 10 1"
_1970 = date(1970, 1, 1).toordinal()
_AT_ONCE = 1_024
_DAY_US = 86_400_000_000
_CLOCK_US = (36_000_000_000, 3_600_000_000, 0, 600_000_000, 60_000_000, 0, 10_000_000, 1_000_000)


class _Form(NamedTuple):
    """Instants of one length. Each of their characters is `lowest`, or up to `span` above it, written out for
    `_AT_ONCE` of them: NumPy then goes through all rows in one stretch.

    `weights`: [place, 2], what a digit adds to the date as yyyymmdd and to the microseconds of the day.
    """

    lowest: Bytes
    span: Bytes
    weights: Floats


@cache
def _form(length: int) -> _Form | None:
    """None where no instant has that length."""
    decimals = length - _SHORTEST - 1
    if decimals == 0:
        return None  # a point without a decimal, or something between second and Z
    largest = _WHOLE + ("." + "9" * decimals if decimals > 0 else "") + "Z"
    lowest = "".join("0" if mark.isdigit() else mark for mark in largest)
    weights = np.zeros((length, 2))
    weights[:10, 0] = [float(weight) for weight in _DAY_WEIGHTS.split()]
    weights[11:19, 1] = _CLOCK_US
    for place in range(decimals):
        weights[_SHORTEST + place, 1] = 10 ** (5 - place)
    span = _codes(largest) - _codes(lowest)
    return _Form(np.tile(_codes(lowest), _AT_ONCE), np.tile(span, _AT_ONCE), weights)


def _codes(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def parse_instants(texts: Sequence[str]) -> tuple[Ints, Bools]:
    """Microseconds since 1970 of each text (20-27 characters), and whether it is an instant.

    Takes exactly what `kernel.instants.parse_instant` takes (property-tested); where the second
    column is False the first means nothing.
    """
    lengths = set(map(len, texts))
    if len(lengths) == 1 and len(texts) <= _AT_ONCE:
        return _parse(texts, lengths.pop())
    values_us, good = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.bool_)
    for length in lengths:
        of_length = [row for row, text in enumerate(texts) if len(text) == length]
        for start in range(0, len(of_length), _AT_ONCE):
            rows = of_length[start : start + _AT_ONCE]
            values_us[rows], good[rows] = _parse([texts[row] for row in rows], length)
    return values_us, good


def _parse(texts: Sequence[str], length: int) -> tuple[Ints, Bools]:
    """The same for `_AT_ONCE` texts or fewer, of one `length`."""
    rows = len(texts)
    form = _form(length)
    if form is None:
        return np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.bool_)
    # Another character than ASCII becomes a question mark, which no instant has.
    joined = "".join(texts).encode("ascii", "replace")
    # Below the lowest the difference wraps round to a large number.
    above = np.frombuffer(joined, dtype=np.uint8) - form.lowest[: len(joined)]
    fits = above <= form.span[: len(joined)]
    fit = np.count_nonzero(fits) == len(fits)
    good = np.ones(rows, dtype=np.bool_) if fit else fits.reshape(rows, length).all(axis=1)
    # Whole numbers under 2^53, so doubles hold every sum exactly, whatever the order of adding.
    digits = above.astype(np.float64).reshape(rows, length)
    dates, clock_us = (digits @ form.weights).astype(np.int64).T
    good &= clock_us < _DAY_US
    if np.count_nonzero(dates == dates[0]) == rows:  # as in most batches
        day = _days_since_1970(int(dates[0]))
        return clock_us + (day or 0) * _DAY_US, good & (day is not None)
    days = [_days_since_1970(each) for each in dates.tolist()]
    return (
        clock_us + np.array([day or 0 for day in days], dtype=np.int64) * _DAY_US,
        good & [day is not None for day in days],
    )


@lru_cache(maxsize=1_024)
def _days_since_1970(yyyymmdd: int) -> int | None:
    """Days from 1970-01-01 to that date; None if the calendar does not have it."""
    year, month, day = yyyymmdd // 10_000, yyyymmdd // 100 % 100, yyyymmdd % 100
    try:
        return date(year, month, day).toordinal() - _1970
    except ValueError:
        return None
