"""What an order said for an instant T, as known at an instant K (pure).

Two times: a record holds from its valid time on, and is known from its `recorded_at` on. Nothing is
overwritten, so any pair (T, K) has one answer, the one a matcher at that knowledge would decide by.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from stayaway.orders.approval import Behind
from stayaway.orders.model import (
    CourtOrder,
    Notice,
    OrderException,
    OrderVersion,
    Record,
    Respondent,
    Zone,
)
from stayaway.orders.records import RecordKind
from stayaway.orders.rules import (
    choose_version,
    counting_notices,
    is_second_checked,
    order_reasons,
    schedule_covers,
    version_expires_at,
)
from stayaway.orders.schedule import covers

NOT_NAMED = "NOT_NAMED"
"""The version that decides does not name this respondent: nothing of theirs can match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One record as the registry holds it.

    `recorded_at` (in the record): when it became known; `applied_at`: when this registry took it in,
    at `registry_sequence`. `applied_by`: the name in the audit entry of that act. `behind`: of a version,
    and of nothing else.
    """

    kind: RecordKind
    record: Record
    registry_sequence: int
    ordinal: int
    applied_at: datetime
    applied_by: str | None
    behind: Behind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneState:
    """A zone, and whether its schedule covers T."""

    zone: Zone
    schedule_covers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionState:
    """An exception, and whether one of its windows covers T (its place is another question)."""

    exception: OrderException
    window_covers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondentStatement:
    """What the order said to one respondent. `reasons`: all that kept it from binding; none: in force.

    `respondent`: as the version names them, None where it does not. `counting`: of `notices`, those
    of a kind that the policy counts. `second_checked` False shows as NOT SECOND-CHECKED.
    """

    respondent_id: str
    version: OrderVersion
    respondent: Respondent | None
    reasons: tuple[str, ...]
    expires_at: datetime | None
    second_checked: bool
    notices: tuple[Notice, ...]
    counting: tuple[Notice, ...]
    zones: tuple[ZoneState, ...]
    exceptions: tuple[ExceptionState, ...]

    @property
    def in_force(self) -> bool:
        """Whether it bound this respondent; a zone's schedule and the exceptions are apart."""
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatement:
    """What the order said for `at` as known at `known_at`. `order` holds only what was known then."""

    order: CourtOrder
    at: datetime
    known_at: datetime
    respondents: tuple[RespondentStatement, ...]


def state_order(
    order: CourtOrder, at: datetime, known_at: datetime, notice_kinds: Collection[str]
) -> OrderStatement | None:
    """The statement for T = `at` and K = `known_at`; None where no version was known by then.

    `notice_kinds`: those that count as notice under the policy.
    """
    known = order.as_known_at(known_at)
    if known is None:
        return None
    names = sorted({r.respondent_id for version in known.versions for r in version.respondents})
    return OrderStatement(
        order=known,
        at=at,
        known_at=known_at,
        respondents=tuple(_state_respondent(known, name, at, notice_kinds) for name in names),
    )


def _state_respondent(
    order: CourtOrder, respondent_id: str, at: datetime, notice_kinds: Collection[str]
) -> RespondentStatement:
    counting = counting_notices(order, respondent_id, notice_kinds)
    version = choose_version(order, counting, at)
    named = next((r for r in version.respondents if r.respondent_id == respondent_id), None)
    reasons = order_reasons(order, version, counting, at)
    return RespondentStatement(
        respondent_id=respondent_id,
        version=version,
        respondent=named,
        reasons=(*reasons, *(() if named else (NOT_NAMED,))),
        expires_at=version_expires_at(version, counting),
        second_checked=is_second_checked(order, version.version),
        notices=tuple(n for n in order.notices if n.respondent_id == respondent_id),
        counting=counting,
        zones=tuple(
            ZoneState(zone=zone, schedule_covers=schedule_covers(zone, at)) for zone in version.zones
        ),
        exceptions=tuple(
            ExceptionState(exception=item, window_covers=any(covers(w, at) for w in item.windows))
            for item in version.exceptions
        ),
    )
