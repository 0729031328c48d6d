"""How many records to take at once, so that the loop never stands still for long (pure)."""

MAX_RECORDS = 5_000
MIN_RECORDS = 200
BUDGET_S = 0.012
"""Judging holds the loop: heartbeats and other tasks wait that long, about, and 20 ms at most, also
where one batch costs more than those before it."""


class Pace:
    """Follows the measured cost of a record."""

    def __init__(self) -> None:
        self._record_s = BUDGET_S / MAX_RECORDS

    @property
    def records(self) -> int:
        """How many to take next."""
        return max(MIN_RECORDS, min(MAX_RECORDS, int(BUDGET_S / self._record_s)))

    def add(self, records: int, seconds: float) -> None:
        """`records` were judged in `seconds`. Small batches say little about the cost of one."""
        if records >= MIN_RECORDS:
            self._record_s += 0.2 * (seconds / records - self._record_s)
