"""Which version of an order binds a respondent at an instant, and what keeps it from binding.

WIRE.md steps 2 and 5; DOMAIN.md, "How we read the rules". An emergency entry by one person is an
addition of ours: orders without one are decided exactly as those pages say. `t` is always the event's
`observed_at`; an order holds only what was known at K.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

from stayaway.orders.expiry import expires_at
from stayaway.orders.model import CourtOrder, Notice, OrderVersion, Provisional, Recall, Zone
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


def has_lapsed(order: CourtOrder, version: int, t: datetime) -> bool:
    """Whether one person alone put this version in force and nobody else confirmed it in time by `t`.

    From then on it is treated like a draft. A confirmation recorded later than that changes nothing.
    """
    return any(
        entry.version == version and entry.until_at <= t and not _is_confirmed(order, entry)
        for entry in order.provisionals
    )


def is_second_checked(order: CourtOrder, version: int) -> bool:
    """False for a version that one person put in force and nobody else confirmed in time."""
    return all(_is_confirmed(order, entry) for entry in order.provisionals if entry.version == version)


def _is_confirmed(order: CourtOrder, entry: Provisional) -> bool:
    return any(c.version == entry.version and c.recorded_at < entry.until_at for c in order.confirmations)


def counting_versions(order: CourtOrder, t: datetime) -> list[OrderVersion]:
    """The versions that count at `t`: no draft, none entered in error, none lapsed unconfirmed."""
    return [v for v in order.versions if v.status not in _UNCOUNTED and not has_lapsed(order, v.version, t)]


def choose_version(order: CourtOrder, notices: Collection[Notice], t: datetime) -> OrderVersion:
    """The version that decides at `t` for the respondent whose counting notices are given.

    Of the versions in effect the highest noticed by `t`, then up while the next is relief
    (it binds from when it takes effect); none noticed: the highest in effect; none in effect:
    the lowest (WIRE.md step 2).
    """
    versions = counting_versions(order, t) or list(order.versions)
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
    standing = [v for v in order.versions if not has_lapsed(order, v.version, t)]
    # With a lapsed version and none that counts, nothing approved is left, whatever else was drafted.
    unapproved = len(standing) < len(order.versions) and not counting_versions(order, t)
    holds: list[tuple[OrderReason, bool]] = [
        ("NOT_APPROVED", unapproved or all(v.status == "DRAFT" for v in order.versions)),
        ("ENTERED_IN_ERROR", bool(standing) and standing[-1].status == "ENTERED_IN_ERROR"),
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
    """Whether the order has been recalled or has expired by K, or its emergency entry has lapsed."""
    expiry_at = version_expires_at(version, notices)
    expired = expiry_at is not None and expiry_at <= known_at
    lapsed = has_lapsed(order, version.version, known_at)
    return expired or lapsed or any(r.recalled_at <= known_at for r in order.recalls)


def is_recalled(recalls: Iterable[Recall], t: datetime) -> bool:
    """Whether some recall has taken the order back by `t`, or from the beginning: no version binds then."""
    return any(recall.void or recall.recalled_at <= t for recall in recalls)


def schedule_covers(zone: Zone, t: datetime) -> bool:
    """Whether the zone applies at `t`; a zone without a schedule always does."""
    return not zone.schedule or any(covers(window, t) for window in zone.schedule)
