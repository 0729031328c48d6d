"""Notices a consumer that the group has forgotten, so that the process ends and starts anew.

aiokafka tells of revoked and of assigned partitions, and of nothing in between: a member that was
kicked out may wait for its next assignment for ever (aiokafka #625, #848), or go on reading what the
group has given to another; and an error of ours within a rebalance is only logged. All end in
StuckError: the process leaves with exit code 1 and one clear line, whoever supervises it starts
another, and nothing is skipped, since the offsets are in Postgres.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic

from stayaway.kernel.errors import StayawayError
from stayaway.worker.coverage import PartitionKey

REJOIN_S = 60.0
"""A rebalance takes about a second; a member that vanished holds it up for the session's timeout."""
LOST_TIMES = 5
"""So often another owner's epoch on one partition, with no batch of ours between: not a handover."""


class StuckError(StayawayError):
    """This consumer and its group no longer agree; another process would."""


class Watchdog:
    """Told what the consumer's listener and the fence say; `check` raises."""

    def __init__(self, limit_s: float = REJOIN_S, *, clock: Callable[[], float] = monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._without_since: float | None = None
        self._lost: Counter[PartitionKey] = Counter()
        self._error: BaseException | None = None

    def without_assignment(self) -> None:
        """Subscribed just now, or all partitions given back: the next assignment must follow."""
        if self._without_since is None:
            self._without_since = self._clock()

    def assigned(self) -> None:
        """The group gave us something, be it nothing (there are more matchers than partitions)."""
        self._without_since = None
        self._lost.clear()

    def judged(self, moved: Iterable[PartitionKey], lost: Iterable[PartitionKey]) -> None:
        """What became of a batch's partitions."""
        for key in moved:
            self._lost.pop(key, None)
        self._lost.update(lost)

    def failed(self, error: BaseException) -> None:
        """The consumer's listener raised or was cancelled: what it left is not known."""
        self._error = error

    def check(self) -> None:
        """Raises StuckError."""
        if self._error is not None:
            raise StuckError(
                f"Partitions could not be given up in order ({type(self._error).__name__}).",
                "Start the matcher again; nothing was skipped.",
            ) from self._error
        if self._without_since is not None and self._clock() - self._without_since > self._limit_s:
            raise StuckError(
                f"The group has assigned nothing for {self._limit_s:.0f} s.",
                "Start the matcher again; nothing was skipped.",
            )
        for (topic, partition), times in self._lost.items():
            if times >= LOST_TIMES:
                raise StuckError(
                    f"{topic}/{partition} is read by another matcher although it is assigned to this one.",
                    "Start the matcher again; if it comes again, two groups read the same topics.",
                )
