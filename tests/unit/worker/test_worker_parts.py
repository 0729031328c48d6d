"""The pure parts of the matcher: breaker, running digest, coverage ranges."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stayaway.audit.entries import StreamHead
from stayaway.kernel.steps import finish
from stayaway.worker import failpoints
from stayaway.worker.breaker import Breaker, BreakerTrippedError
from stayaway.worker.coverage import Coverage, Knowledge, PartitionState, Tally
from stayaway.worker.failpoints import FailpointError, failpoint
from stayaway.worker.partitions import sealed
from stayaway.worker.range_digest import RangeDigest
from support.range_digests import range_digest

AT = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
SALT = bytes(range(32))


def knowledge(sequence: int = 1, policy: str = "p") -> Knowledge:
    return Knowledge(registry_sequence=sequence, known_at=AT, policy_sha256=policy, engine="e")


def state(next_offset: int = 0) -> PartitionState:
    return PartitionState(
        topic="t",
        partition=3,
        epoch=1,
        next_offset=next_offset,
        last_record_offset=None,
        last_record_digest=None,
        head=StreamHead("t/3"),
        hold_reason=None,
        coverage=Coverage.opened(0, AT, knowledge(), SALT),
    )


class TestBreaker:
    def test_trips_when_more_than_half_of_the_window_is_bad(self) -> None:
        breaker = Breaker(window=2000)
        breaker.check(1000, 1000)
        breaker.add(1000, 1000)
        breaker.check(1000, 0)
        with pytest.raises(BreakerTrippedError, match="1001 of the latest 2000"):
            breaker.check(1000, 1)

    def test_few_records_never_trip_it(self) -> None:
        Breaker(window=2000).check(1999, 1999)

    def test_old_batches_leave_the_window(self) -> None:
        breaker = Breaker(window=2000)
        for _ in range(5):
            breaker.add(1000, 500)
        for _ in range(3):
            breaker.check(1000, 0)
            breaker.add(1000, 0)
        breaker.check(1000, 1000)
        breaker.add(1000, 1000)
        with pytest.raises(BreakerTrippedError):
            breaker.check(1001, 1001)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=20), st.integers(0, 20))
def test_the_digest_does_not_depend_on_batches(values: list[bytes | None], cut: int) -> None:
    digest = RangeDigest.begun(SALT)
    assert digest.after(values).value == digest.after(values[:cut]).after(values[cut:]).value
    assert digest.after(values).value == range_digest(SALT, values)
    assert digest.value == hashlib.sha256(SALT).digest()  # what came after it left it as it was


@given(st.lists(st.one_of(st.none(), st.binary(max_size=3)), max_size=4))
@example([b"ab", b"c"])
@example([None, b""])
@example([b"", None])
def test_no_other_records_have_the_same_digest(values: list[bytes | None]) -> None:
    """Neither cut otherwise, nor with an empty value for none."""
    digest = RangeDigest.begun(SALT).after(values).value
    joined = b"".join(value or b"" for value in values)
    others: list[list[bytes | None]] = [[joined], [None, *values], [b"", *values]]
    others += [[b"" if value is None else value for value in values], [*values[1:], *values[:1]]]
    for other in others:
        assert (RangeDigest.begun(SALT).after(other).value == digest) == (other == values)


class TestCoverage:
    def test_notes_each_registry_change_once(self) -> None:
        coverage = Coverage.opened(5, AT, knowledge(), SALT)
        for offset, sequence in ((5, 1), (7, 1), (9, 2)):
            coverage = finish(coverage.record_steps(offset, [b"x"], Tally(1, 0, 4, 1), knowledge(sequence)))
        assert [(offset, sequence) for offset, sequence, _ in coverage.registry] == [(5, 1), (9, 2)]
        assert (coverage.records, coverage.candidates, coverage.matches) == (3, 12, 3)

    def test_the_digest_does_not_depend_on_steps(self) -> None:
        values = [b"%d" % number for number in range(2_500)]
        coverage = Coverage.opened(0, AT, knowledge(), SALT)
        steps = coverage.record_steps(0, values, Tally(2_500, 0, 0, 0), knowledge())
        assert finish(steps).digest == range_digest(SALT, values)

    def test_a_range_is_due_after_a_minute_or_under_another_policy(self) -> None:
        assert not state(4).seal_due(AT + timedelta(seconds=59), knowledge())
        assert state(4).seal_due(AT + timedelta(seconds=60), knowledge())
        assert state(4).seal_due(AT, knowledge(policy="other"))
        assert not state(0).seal_due(AT + timedelta(hours=1), knowledge(policy="other"))

    def test_a_range_read_from_the_database_is_closed_before_more_is_added(self) -> None:
        """Its digest cannot be gone on with."""
        read = replace(state(4), coverage=replace(state(4).coverage, running=None))
        assert read.seal_due(AT, knowledge())
        assert not read.coverage.fits(knowledge())
        entries, after = sealed(read, AT, knowledge())
        assert [entry.payload["digest"] for entry in entries] == [read.coverage.digest.hex()]
        assert after.coverage.fits(knowledge())

    def test_sealing_tiles(self) -> None:
        entries, after = sealed(state(4), AT, knowledge())
        assert [(entry.payload["from"], entry.payload["to"]) for entry in entries] == [(0, 4)]
        assert after.coverage.from_offset == 4
        assert after.coverage.salt != SALT
        assert sealed(after, AT, knowledge())[0] == []


class TestFailpoints:
    @pytest.fixture(autouse=True)
    def _fresh(self) -> None:
        failpoints._rules.cache_clear()
        failpoints._passed.clear()

    async def test_nothing_without_the_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STAYAWAY_FAILPOINTS", raising=False)
        await failpoint("before_commit")

    async def test_acts_at_the_nth_passing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STAYAWAY_FAILPOINTS", "before_commit=raise@2")
        await failpoint("before_commit")
        with pytest.raises(FailpointError):
            await failpoint("before_commit")
        await failpoint("before_commit")
        failpoints._rules.cache_clear()
