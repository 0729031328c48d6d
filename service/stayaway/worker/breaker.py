"""Stops the worker when most of the stream is bad, instead of draining it into the dead letters (pure)."""

from collections import deque

from stayaway.kernel.errors import StayawayError

WINDOW_RECORDS = 2_000
"""The least number of latest records that are looked at."""


class BreakerTrippedError(StayawayError):
    """Most of the latest records were refused; nothing of the last batch was recorded."""


class Breaker:
    """A sliding window over the latest batches that hold at least `window` records together."""

    def __init__(self, window: int = WINDOW_RECORDS) -> None:
        self._window = window
        self._batches: deque[tuple[int, int]] = deque()
        self._records = 0
        self._refused = 0

    def check(self, records: int, refused: int) -> None:
        """Raises BreakerTrippedError where this batch would make more than half of the window bad."""
        seen, bad = self._records + records, self._refused + refused
        if seen >= self._window and 2 * bad > seen:
            raise BreakerTrippedError(
                f"Stopped: {bad} of the latest {seen} records were refused.",
                "See `deadletters list` for the reasons. Correct the producer or upgrade, then start"
                " the matcher again: it goes on where it stopped.",
            )

    def add(self, records: int, refused: int) -> None:
        """A batch was recorded."""
        self._batches.append((records, refused))
        self._records += records
        self._refused += refused
        while self._batches and self._records - self._batches[0][0] >= self._window:
            old_records, old_refused = self._batches.popleft()
            self._records -= old_records
            self._refused -= old_refused
