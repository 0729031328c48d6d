"""Which version of an order binds a respondent at an instant, and what keeps it from binding.

WIRE.md steps 2 and 5; DOMAIN.md, "How we read the rules". `t` is always the event's
`observed_at`; an order holds only what was known at K.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from stayaway.orders.expiry import expires_at
from stayaway.orders.model import CourtOrder, Notice, OrderVersion, Zone
from stayaway.orders.schedule import covers

OrderReason = Literal[
    "NOT_APPROVED",
    "ENTERED_IN_ERROR",
    "NOT_NOTICED",
    "NOT_YET_EFFECTIVE",
    "EXPIRED",
    "RECALLED",
    "VOID",
    "SUSPENDED",
]
_UNCOUNTED = ("DRAFT", "ENTERED_IN_ERROR")


def counting_notices(order: CourtOrder, respondent_id: str, kinds: Collection[str]) -> tuple[Notice, ...]:
    """The notices to this respondent of a kind that the policy counts."""
    return tuple(n for n in order.notices if n.respondent_id == respondent_id and n.kind in kinds)


def choose_version(order: CourtOrder, notices: Collection[Notice], t: datetime) -> OrderVersion:
    """The version that decides at `t` for the respondent whose counting notices are given.

    Of the versions in effect the highest noticed by `t`, then up while the next is relief
    (it binds from when it takes effect); none noticed: the highest in effect; none in effect:
    the lowest (WIRE.md step 2).
    """
    versions = [v for v in order.versions if v.status not in _UNCOUNTED] or list(order.versions)
    in_effect = [v for v in versions if v.effective_at <= t]
    if not in_effect:
        return versions[0]
    noticed = {n.order_version for n in notices if n.noticed_at <= t}
    chosen = max((i for i, v in enumerate(in_effect) if v.version in noticed), default=None)
    if chosen is None:
        return in_effect[-1]
    while chosen + 1 < len(in_effect) and in_effect[chosen + 1].relief:
        chosen += 1
    return in_effect[chosen]


def version_expires_at(version: OrderVersion, notices: Collection[Notice]) -> datetime | None:
    """The first instant at which the version is over for this respondent; None: it never is."""
    return expires_at(version, min((n.noticed_at for n in notices), default=None))


def order_reasons(
    order: CourtOrder, version: OrderVersion, notices: Collection[Notice], t: datetime
) -> list[OrderReason]:
    """Every reason, in WIRE.md's order, why the order did not bind at `t`."""
    expiry_at = version_expires_at(version, notices)
    noticed = any(n.order_version <= version.version and n.noticed_at <= t for n in notices)
    holds: list[tuple[OrderReason, bool]] = [
        ("NOT_APPROVED", all(v.status == "DRAFT" for v in order.versions)),
        ("ENTERED_IN_ERROR", order.versions[-1].status == "ENTERED_IN_ERROR"),
        ("NOT_NOTICED", not noticed),
        ("NOT_YET_EFFECTIVE", version.effective_at > t),
        ("EXPIRED", expiry_at is not None and expiry_at <= t),
        ("RECALLED", any(r.recalled_at <= t for r in order.recalls)),
        ("VOID", any(r.void for r in order.recalls)),
        ("SUSPENDED", any(s.from_at <= t < s.until_at for s in order.suspensions)),
    ]
    return [reason for reason, held in holds if held]


def has_ended_by(
    order: CourtOrder, version: OrderVersion, notices: Collection[Notice], known_at: datetime
) -> bool:
    """Whether the order has been recalled or has expired by K."""
    expiry_at = version_expires_at(version, notices)
    expired = expiry_at is not None and expiry_at <= known_at
    return expired or any(r.recalled_at <= known_at for r in order.recalls)


def schedule_covers(zone: Zone, t: datetime) -> bool:
    """Whether the zone applies at `t`; a zone without a schedule always does."""
    return not zone.schedule or any(covers(window, t) for window in zone.schedule)
