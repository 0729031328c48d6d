"""What an order said for T as known at K, against a naive oracle written from WIRE.md's words."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.orders.history import state_order
from stayaway.orders.model import (
    Agency,
    Confirmation,
    CourtOrder,
    Expiry,
    Notice,
    OrderVersion,
    Provisional,
    Recall,
    Record,
    Respondent,
    Suspension,
    Validation,
)

BASE = datetime(2026, 3, 6, tzinfo=UTC)
KINDS = ("PERSONAL", "IN_COURT")
"""The kinds of notice that count; MAIL does not."""
RESPONDENTS = ("R1", "R2")
Case = tuple[list[Record], datetime, datetime]
"""Everything ever recorded, T and K."""


def hour(number: int) -> datetime:
    return BASE + timedelta(hours=number)


# Few instants, so that starts and ends are met exactly.
HOURS = st.integers(18, 30).map(hour)
# The expiry that runs on the court's calendar has tests of its own (test_expiry).
EXPIRIES = st.one_of(
    st.just(Expiry()), HOURS.map(lambda at: Expiry(at=at)), st.just(Expiry(on=date(2026, 3, 7)))
)


@st.composite
def version_of(draw: st.DrawFn, number: int) -> OrderVersion:
    names = draw(st.sets(st.sampled_from(RESPONDENTS), min_size=1))
    return OrderVersion(
        order_id="O1",
        version=number,
        recorded_at=draw(HOURS),
        kind="FINAL",
        status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "MODIFIED", "DRAFT", "ENTERED_IN_ERROR"])),
        court_ori="AZ007015J",
        court_time_zone="UTC",
        agency=Agency(ori="AZ0070000", telephone="+1 555 0100"),
        case_number="F-1",
        effective_at=draw(HOURS),
        expiry=draw(EXPIRIES),
        relief=draw(st.booleans()),
        respondents=tuple(
            Respondent(respondent_id=name, name=None, vehicles=(), device_ids=()) for name in sorted(names)
        ),
        zones=(),
        exceptions=(),
        content_sha256=f"{number:064}",
    )


@st.composite
def recorded(draw: st.DrawFn) -> list[Record]:
    """Everything ever recorded of one order, in no order."""
    count = draw(st.integers(1, 4))
    records: list[Record] = [draw(version_of(number)) for number in range(1, count + 1)]
    numbers = st.integers(1, count)
    lone: st.SearchStrategy[Record] = st.one_of(
        st.builds(
            Notice,
            order_id=st.just("O1"),
            recorded_at=HOURS,
            order_version=numbers,
            respondent_id=st.sampled_from(RESPONDENTS),
            kind=st.sampled_from(("PERSONAL", "IN_COURT", "MAIL")),
            noticed_at=HOURS,
        ),
        st.builds(Provisional, order_id=st.just("O1"), recorded_at=HOURS, version=numbers, until_at=HOURS),
        st.builds(Confirmation, order_id=st.just("O1"), recorded_at=HOURS, version=numbers),
        st.builds(
            Suspension,
            order_id=st.just("O1"),
            recorded_at=HOURS,
            from_at=HOURS,
            until_at=HOURS,
            reason_text=st.just("x"),
        ),
    )
    records += draw(st.lists(lone, min_size=3, max_size=10))
    if draw(st.integers(0, 3)) == 0:
        recall = Recall(
            order_id="O1",
            recorded_at=draw(HOURS),
            recalled_at=draw(HOURS),
            reason_text="x",
            void=draw(st.booleans()),
        )
        records.append(recall)
    records.append(Validation(order_id="O1", recorded_at=draw(HOURS), validated_at=hour(1), source_text="x"))
    return draw(st.permutations(records))


@st.composite
def asked(draw: st.DrawFn) -> Case:
    """Records, T and K; most often instants that stand in the records, so that ends are met exactly."""
    records = draw(recorded())
    instants = sorted({at for record in records for at in values_of(record) if isinstance(at, datetime)})
    some = st.one_of(st.sampled_from(instants), HOURS)
    return records, draw(some), draw(some)


def values_of(record: Record) -> list[Any]:
    return [getattr(record, field.name) for field in fields(record)]


class Oracle:
    """WIRE.md steps 2 and 5, and the emergency entry's two sentences, word by word and slowly."""

    def __init__(self, records: Sequence[Record], t: datetime, k: datetime, respondent_id: str) -> None:
        self.t, self.respondent_id = t, respondent_id
        self.known = [record for record in records if record.recorded_at <= k]
        self.versions: list[OrderVersion] = self.of(OrderVersion)
        self.versions.sort(key=lambda version: version.version)
        notices = [n for n in self.of(Notice) if n.respondent_id == respondent_id and n.kind in KINDS]
        self.notices: list[Notice] = notices

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.known if isinstance(record, kind)]

    def lapsed(self, number: int) -> bool:
        """Put in force by one person until before t, and nobody confirmed it before that end."""
        for entry in self.of(Provisional):
            if entry.version == number and not entry.until_at > self.t:
                in_time = [
                    c for c in self.of(Confirmation) if c.version == number and c.recorded_at < entry.until_at
                ]
                if not in_time:
                    return True
        return False

    def is_draft(self, version: OrderVersion) -> bool:
        return version.status == "DRAFT" or self.lapsed(version.version)

    def decides(self) -> OrderVersion:
        pool = [v for v in self.versions if not self.is_draft(v) and v.status != "ENTERED_IN_ERROR"]
        if not pool:
            pool = self.versions
        effective = [v for v in pool if v.effective_at <= self.t]
        if not effective:
            return pool[0]
        best = None
        for index, version in enumerate(effective):
            if any(n.order_version == version.version and n.noticed_at <= self.t for n in self.notices):
                best = index
        if best is None:
            return effective[-1]
        for index in range(best + 1, len(effective)):
            if not effective[index].relief:
                break
            best = index
        return effective[best]

    def expired(self, version: OrderVersion) -> bool:
        if version.expiry.at is not None:
            return self.t >= version.expiry.at
        return version.expiry.on is not None and self.t.date() > version.expiry.on

    def reasons(self, version: OrderVersion) -> list[str]:
        found = []
        countable = [v for v in self.versions if not self.is_draft(v) and v.status != "ENTERED_IN_ERROR"]
        if all(self.is_draft(v) for v in self.versions) or (
            not countable and any(self.lapsed(v.version) for v in self.versions)
        ):
            found.append("NOT_APPROVED")
        # The last version, a lapsed one aside.
        last = [v for v in self.versions if not self.lapsed(v.version)][-1:]
        if last and last[0].status == "ENTERED_IN_ERROR":
            found.append("ENTERED_IN_ERROR")
        if not [n for n in self.notices if n.order_version <= version.version and n.noticed_at <= self.t]:
            found.append("NOT_NOTICED")
        if version.effective_at > self.t:
            found.append("NOT_YET_EFFECTIVE")
        if self.expired(version):
            found.append("EXPIRED")
        if [r for r in self.of(Recall) if r.recalled_at <= self.t]:
            found.append("RECALLED")
        if [r for r in self.of(Recall) if r.void]:
            found.append("VOID")
        if [s for s in self.of(Suspension) if s.from_at <= self.t and not s.until_at <= self.t]:
            found.append("SUSPENDED")
        if self.respondent_id not in {r.respondent_id for r in version.respondents}:
            found.append("NOT_NAMED")
        return found


def order_of(records: Sequence[Record]) -> CourtOrder:
    return CourtOrder(order_id="O1", versions=()).with_records(records)


@settings(max_examples=500, deadline=None)
@given(asked())
def test_any_instant_as_known_at_any_other_equals_the_oracle(
    case: Case,
) -> None:
    """For every respondent of any version known: the version that decides, and every reason."""
    records, t, k = case
    statement = state_order(order_of(records), t, k, KINDS)
    known = [record for record in records if isinstance(record, OrderVersion) and record.recorded_at <= k]
    names = sorted({r.respondent_id for version in known for r in version.respondents})
    if statement is None:
        assert not known
        return
    assert [item.respondent_id for item in statement.respondents] == names
    for item in statement.respondents:
        oracle = Oracle(records, t, k, item.respondent_id)
        assert item.version == oracle.decides()
        assert list(item.reasons) == oracle.reasons(item.version)
        assert item.in_force == (not oracle.reasons(item.version))


@settings(max_examples=100, deadline=None)
@given(asked())
def test_what_becomes_known_later_changes_nothing_of_before(
    case: Case,
) -> None:
    """Leaving out all that was recorded after K, or recording more of it, gives the same answer."""
    records, t, k = case
    by_then = [record for record in records if record.recorded_at <= k]
    later = [
        replace(record, recorded_at=k + timedelta(seconds=1)) for record in records if record not in by_then
    ]
    answer = state_order(order_of(records), t, k, KINDS)
    assert answer == state_order(order_of(by_then), t, k, KINDS)
    assert answer == state_order(order_of([*by_then, *later]), t, k, KINDS)


@settings(max_examples=100, deadline=None)
@given(asked())
def test_an_emergency_confirmed_in_time_decides_as_if_two_had_approved_it(
    case: Case,
) -> None:
    """And before its end an unconfirmed one does so too."""
    records, t, k = case
    plain = [record for record in records if not isinstance(record, Provisional | Confirmation)]
    confirmed = [
        *plain,
        *(Provisional(order_id="O1", recorded_at=BASE, version=n, until_at=hour(60)) for n in range(1, 5)),
        *(Confirmation(order_id="O1", recorded_at=BASE, version=n) for n in range(1, 5)),
    ]
    running = [
        *plain,
        *(
            Provisional(order_id="O1", recorded_at=BASE, version=n, until_at=t + timedelta(microseconds=1))
            for n in range(1, 5)
        ),
    ]
    for records_then in (confirmed, running):
        answer, expected = (state_order(order_of(r), t, k, KINDS) for r in (records_then, plain))
        assert (answer is None) == (expected is None)
        if answer and expected:
            assert [(item.version, item.reasons) for item in answer.respondents] == [
                (item.version, item.reasons) for item in expected.respondents
            ]
