"""What the registry's people must chase: unconfirmed, unvalidated, unserved, soon over (pure)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from stayaway.access.registry_policy import RegistryPolicy
from stayaway.orders.history import OrderStatement, RespondentStatement, state_order
from stayaway.orders.model import CourtOrder
from stayaway.orders.rules import counting_versions, has_lapsed, is_recalled, is_second_checked

DueKind = Literal[
    "EMERGENCY_LAPSED",
    "EMERGENCY_UNCONFIRMED",
    "VALIDATION_OVERDUE",
    "VALIDATION_DUE",
    "NOT_SERVED",
    "EXPIRING",
]
DUE_KINDS: tuple[DueKind, ...] = get_args(DueKind)
_OVER = ("RECALLED", "VOID", "EXPIRED", "ENTERED_IN_ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """One thing to chase. `due_at`: by when, or since when; `respondent_id` where it is about one."""

    kind: DueKind
    order_id: str
    version: int
    due_at: datetime
    respondent_id: str | None = None


def due_of(
    order: CourtOrder,
    *,
    policy: RegistryPolicy,
    notice_kinds: Collection[str],
    within: timedelta,
    now: datetime,
    known_at: datetime,
) -> tuple[DueItem, ...]:
    """What is due of one order at `now`, as known at `known_at`. `within`: for EXPIRING."""
    statement = state_order(order, now, known_at, notice_kinds)
    return () if statement is None else (*_emergencies(statement), *_open(statement, policy, within))


def most_urgent_first(items: Iterable[DueItem]) -> tuple[DueItem, ...]:
    """By kind, then by instant and order."""
    return tuple(sorted(items, key=lambda item: (DUE_KINDS.index(item.kind), item.due_at, item.order_id)))


def _emergencies(statement: OrderStatement) -> Iterator[DueItem]:
    order, now = statement.order, statement.at
    newest = max((version.version for version in order.versions), default=0)
    if is_recalled(order.recalls, now):
        return
    for entry in order.provisionals:
        if is_second_checked(order, entry.version):
            continue
        lapsed = has_lapsed(order, entry.version, now)
        if lapsed and entry.version < newest:
            continue  # a later version has taken its place
        kind: DueKind = "EMERGENCY_LAPSED" if lapsed else "EMERGENCY_UNCONFIRMED"
        yield DueItem(kind=kind, order_id=order.order_id, version=entry.version, due_at=entry.until_at)


def _open(statement: OrderStatement, policy: RegistryPolicy, within: timedelta) -> Iterator[DueItem]:
    """What is due of an order that still binds somebody, or would once noticed."""
    order, now = statement.order, statement.at
    living = [item for item in statement.respondents if not set(item.reasons) & {*_OVER, "NOT_APPROVED"}]
    if not living or not counting_versions(order, now):
        return
    yield from _validation(statement, policy)
    for item in living:
        if "NOT_NOTICED" in item.reasons and item.version.effective_at <= now:
            yield _of_respondent("NOT_SERVED", item, item.version.effective_at)
        if item.expires_at is not None and now < item.expires_at <= now + within:
            yield _of_respondent("EXPIRING", item, item.expires_at)


def _of_respondent(kind: DueKind, item: RespondentStatement, due_at: datetime) -> DueItem:
    return DueItem(
        kind=kind,
        order_id=item.version.order_id,
        version=item.version.version,
        due_at=due_at,
        respondent_id=item.respondent_id,
    )


def _validation(statement: OrderStatement, policy: RegistryPolicy) -> Iterator[DueItem]:
    """NCIC: 60 to 90 days after entry, then yearly, counted from the last validation."""
    order, now = statement.order, statement.at
    due_at = validation_due_at(order, policy)
    if due_at - now > timedelta(days=policy.validation_notice_days):
        return
    kind: DueKind = "VALIDATION_OVERDUE" if due_at <= now else "VALIDATION_DUE"
    yield DueItem(kind=kind, order_id=order.order_id, version=order.versions[-1].version, due_at=due_at)


def validation_due_at(order: CourtOrder, policy: RegistryPolicy) -> datetime:
    """By when the entry must be validated: from the first recording, then from the last validation."""
    last = max((item.validated_at for item in order.validations), default=None)
    if last is not None:
        return last + timedelta(days=policy.validation_then_days)
    entered = min(version.recorded_at for version in order.versions)
    return entered + timedelta(days=policy.validation_first_days)
