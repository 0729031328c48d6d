"""When the watchdog finds that consumer and group no longer agree."""

import pytest

from stayaway.worker.watchdog import LOST_TIMES, REJOIN_S, StuckError, Watchdog

KEY = ("stayaway.plate-reads.v1", 0)


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Watchdog:
    return Watchdog(clock=clock)


def test_an_assignment_that_follows_in_time_is_a_rebalance(watchdog: Watchdog, clock: Clock) -> None:
    watchdog.without_assignment()
    clock.now = REJOIN_S
    watchdog.check()
    watchdog.assigned()
    clock.now = 10 * REJOIN_S
    watchdog.check()


def test_an_assignment_that_never_follows_is_stuck(watchdog: Watchdog, clock: Clock) -> None:
    """Given back twice without anything between: the time counts from the first."""
    watchdog.without_assignment()
    clock.now = REJOIN_S - 1
    watchdog.without_assignment()
    clock.now = REJOIN_S + 1
    with pytest.raises(StuckError, match="assigned nothing"):
        watchdog.check()


def test_a_partition_lost_again_and_again_is_anothers(watchdog: Watchdog) -> None:
    for _ in range(LOST_TIMES - 1):
        watchdog.judged([], [KEY])
    watchdog.check()
    watchdog.judged([], [KEY])
    with pytest.raises(StuckError, match=r"plate-reads\.v1/0 is read by another"):
        watchdog.check()


@pytest.mark.parametrize("by_assignment", [True, False])
def test_losses_with_work_or_a_rebalance_between_are_handovers(
    watchdog: Watchdog, by_assignment: bool
) -> None:
    for _ in range(3 * LOST_TIMES):
        watchdog.judged([], [KEY])
        if by_assignment:
            watchdog.assigned()
        else:
            watchdog.judged([KEY], [])
    watchdog.check()


def test_a_listener_that_failed_ends_the_run(watchdog: Watchdog) -> None:
    watchdog.failed(RuntimeError("within a rebalance"))
    with pytest.raises(StuckError, match="RuntimeError"):
        watchdog.check()
