"""Emergency entries that nobody but one person ever stood behind, and whom they concern (pure)."""

from datetime import datetime, timedelta

import shapely

from stayaway.orders.marks import bindings, placed_marks, same_name
from stayaway.orders.model import CourtOrder, OrderVersion, Provisional
from stayaway.orders.outlines import to_outlines
from stayaway.orders.rules import is_second_checked

LOOK_BACK = timedelta(days=90)
"""Ours: an entry that lapsed longer ago was of another occasion. A policy can allow 30 days at most."""


def entry_alone(order: CourtOrder, now: datetime) -> Provisional | None:
    """The entry by which one person put the order's last version in force, if nobody confirmed it in time.

    None too where it lapsed over `LOOK_BACK` before `now`, and where a later version has come: two people, or
    a court's own system, stand behind that. A recall changes nothing: one person makes it.
    """
    last = order.versions[-1].version
    if is_second_checked(order, last):
        return None
    entry = max((e for e in order.provisionals if e.version == last), key=lambda e: e.until_at)
    return entry if entry.until_at > now - LOOK_BACK else None


def concern_the_same(one: OrderVersion, other: OrderVersion) -> bool:
    """Whether both bind one respondent, for one protected person or about one place.

    The same respondent is one of the same id, or with the same plate (0 and O are one) or device; or both
    have the names of the bound and of the shielded in common. One place: the zones have a point in common.
    """
    if bindings(one) & bindings(other):
        return True
    if _placed(one).isdisjoint(_placed(other)):
        return False
    return not _shielded(one).isdisjoint(_shielded(other)) or _zones_meet(one, other)


def _placed(version: OrderVersion) -> set[str]:
    return {mark for _, mark in placed_marks(version)}


def _shielded(version: OrderVersion) -> set[str]:
    ids = {f"id {person.protected_person_id}" for person in version.protected_persons}
    return ids | {f"name {same_name(person.name)}" for person in version.protected_persons if person.name}


def _zones_meet(one: OrderVersion, other: OrderVersion) -> bool:
    if not one.zones or not other.zones:
        return False
    tree = shapely.STRtree(to_outlines([zone.shape for zone in other.zones]))
    found = tree.query(to_outlines([zone.shape for zone in one.zones]), predicate="intersects")
    return bool(found.size)
