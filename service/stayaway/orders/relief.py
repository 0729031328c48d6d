"""Where a version that is marked as relief restricts more than the version before (pure).

Relief binds without notice, because it may only lift restrictions (WIRE.md, "orders", `relief`). Whether it
does is for people: some of what is found here may be right, and what is not compared (the meaning of two
schedules, intervals after notice in different units) is said rather than guessed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from stayaway.kernel.shape import GRID, Shape
from stayaway.orders.expiry import expires_at, expiry_field
from stayaway.orders.findings import Path
from stayaway.orders.model import Expiry, OrderException, OrderVersion, Respondent, Window, Zone
from stayaway.orders.open_exceptions import is_for, open_exceptions
from stayaway.orders.outlines import to_outlines

_SLACK_DEG = 2 / GRID
"""Twice the grid: the same line drawn anew may lie on the next vertex of either shape."""
_UNCOUNTED = ("DRAFT", "ENTERED_IN_ERROR")


@dataclass(frozen=True, slots=True)
class Wider:
    """One restriction more. `path` and `value`: where it stands in the version's record; `text`: in words."""

    path: Path
    value: Any
    text: str


def version_relieved(version: OrderVersion, versions: Sequence[OrderVersion]) -> OrderVersion | None:
    """Of `versions`, the one before `version` that counts; None where there is none."""
    earlier = [item for item in versions if item.version < version.version and item.status not in _UNCOUNTED]
    return max(earlier, key=lambda item: item.version, default=None)


def find_wider(version: OrderVersion, before: OrderVersion) -> tuple[Wider, ...]:
    """Everything in which `version` restricts more than `before`, in the record's order."""
    return (
        *_wider_times(version, before),
        *_wider_people(version, before),
        *_wider_zones(version, before),
        *_lost_exceptions(version, before),
    )


# ---------------------------------------------------------------- times


def _wider_times(version: OrderVersion, before: OrderVersion) -> Iterator[Wider]:
    if version.effective_at < before.effective_at:
        text = "it takes effect before that version does, and binds in its place until then"
        yield Wider(("effective_at",), version.effective_at.isoformat(), text)
    later = _may_end_later(version, before)
    if later is not None:
        name = expiry_field(version.expiry)
        yield Wider((name,), name, later)


def _may_end_later(version: OrderVersion, before: OrderVersion) -> str | None:
    """In words, where `version` ends later than `before`, or nobody can tell without a notice."""
    new, old = version.expiry, before.expiry
    if new.after_notice is not None and old.after_notice is not None:
        longer = _is_longer(new.after_notice, old.after_notice)
        if longer is None:
            return "its interval is in another unit and may end later"
        return "it ends later" if longer else None
    if old == Expiry():
        return None
    if new == Expiry():
        return "it never ends"
    if new.after_notice is not None or old.after_notice is not None:
        return "its end is of another kind, and may be later"
    new_at, old_at = expires_at(version, None), expires_at(before, None)
    return "it ends later" if old_at is not None and (new_at is None or new_at > old_at) else None


def _is_longer(new: tuple[int, str], old: tuple[int, str]) -> bool | None:
    """Whether an interval is longer than another; None where days and months cannot be compared."""
    if "D" in (new[1], old[1]) and new[1] != old[1]:
        return None
    months = {"Y": 12, "M": 1, "D": 1}
    return new[0] * months[new[1]] > old[0] * months[old[1]]


# ---------------------------------------------------------------- people


def _wider_people(version: OrderVersion, before: OrderVersion) -> Iterator[Wider]:
    known = {respondent.respondent_id: respondent for respondent in before.respondents}
    for i, respondent in enumerate(version.respondents):
        at = ("respondents", i)
        if respondent.respondent_id not in known:
            text = f"respondent {respondent.respondent_id} is bound by it and was not"
            yield Wider((*at, "respondent_id"), respondent.respondent_id, text)
        else:
            yield from _wider_means(at, respondent, known[respondent.respondent_id])


def _wider_means(at: Path, respondent: Respondent, before: Respondent) -> Iterator[Wider]:
    """Vehicles and devices that were not linked to the respondent; users who no longer are."""
    known = {(vehicle.plate, vehicle.region): vehicle for vehicle in before.vehicles}
    for j, vehicle in enumerate(respondent.vehicles):
        path, old = (*at, "vehicles", j), known.get((vehicle.plate, vehicle.region))
        if old is None:
            text = f"vehicle {vehicle.vehicle_id} is new, or has another plate or region"
            yield Wider((*path, "vehicle_id"), vehicle.vehicle_id, text)
        elif (old.used_by or frozenset()) - (vehicle.used_by or frozenset()):
            text = f"vehicle {vehicle.vehicle_id} is no longer used by a protected person who used it"
            yield Wider((*path, "vehicle_id"), vehicle.vehicle_id, text)
    for j, device_id in enumerate(respondent.device_ids):
        if device_id not in before.device_ids:
            yield Wider((*at, "devices", j, "device_id"), device_id, f"device {device_id} is new")


# ---------------------------------------------------------------- zones


def _wider_zones(version: OrderVersion, before: OrderVersion) -> Iterator[Wider]:
    for i, zone in enumerate(version.zones):
        around = [item for item in before.zones if _lies_within(zone.shape, item.shape)]
        if not around:
            text = f"zone {zone.zone_id} does not lie within any zone of that version"
            yield Wider(("zones", i, "zone_id"), zone.zone_id, text)
            continue
        # Of several zones around it the one with the fewest restrictions more; else that of the same id.
        around.sort(key=lambda item: (len(_stricter(zone, item)), item.zone_id != zone.zone_id))
        for name, what in _stricter(zone, around[0]):
            yield Wider(("zones", i, name), zone.zone_id, f"zone {zone.zone_id} {what}")


def _stricter(zone: Zone, before: Zone) -> list[tuple[str, str]]:
    """(field, words) of what holds in the zone and did not in the one around it."""
    found = []
    if (zone.warning_m or 0.0) > (before.warning_m or 0.0):
        found.append(("warning_m", "has a wider warning ring"))
    if zone.warning_alerts and not before.warning_alerts:
        found.append(("warning_alerts", "alerts in its warning ring and did not"))
    if before.schedule and not zone.schedule:
        found.append(("zone_id", "has no schedule any more, so that it holds at all times"))
    elif before.schedule and not _all_within(zone.schedule or (), before.schedule):
        found.append(("schedule", "holds by another schedule, which may be wider"))
    if before.protected_person_ids - zone.protected_person_ids:
        found.append(("zone_id", "is no longer of a protected person who may drive there"))
    return found


def _all_within(windows: Sequence[Window], before: Sequence[Window]) -> bool:
    return all(any(_is_within(window, other) for other in before) for window in windows)


def _is_within(window: Window, other: Window) -> bool:
    """Whether it is seen at once that `other` is open whenever `window` is: same rule, a part of the span."""
    if (window.time_zone, window.recurrence) != (other.time_zone, other.recurrence):
        return False
    if window.recurrence is not None and window.start_local.date() != other.start_local.date():
        return False
    return other.start_local <= window.start_local and window.end_local <= other.end_local


def _lies_within(inner: Shape, outer: Shape) -> bool:
    if inner == outer:
        return True
    one, other = to_outlines([inner, outer])
    if shapely.covers(other, one):
        return True
    low, high = shapely.bounds(other)[:2] - _SLACK_DEG, shapely.bounds(other)[2:] + _SLACK_DEG
    box = shapely.bounds(one)
    if (box[:2] < low).any() or (box[2:] > high).any():
        return False
    return bool(shapely.covers(shapely.buffer(other, _SLACK_DEG, join_style="mitre"), one))


# ---------------------------------------------------------------- exceptions


def _lost_exceptions(version: OrderVersion, before: OrderVersion) -> Iterator[Wider]:
    """Exceptions of `before` that would still apply to a zone, and that no single one of `version` gives."""
    kept = open_exceptions(version, version.effective_at)
    for old in open_exceptions(before, version.effective_at):
        bare = [
            zone.zone_id
            for zone in version.zones
            if is_for(old, zone) and not any(_gives(item, old, zone) for item in kept)
        ]
        if bare:
            text = f"exception {old.exception_id} is lost or narrower for zone {', '.join(bare)}"
            yield Wider(("version",), version.version, text)


def _gives(item: OrderException, old: OrderException, zone: Zone) -> bool:
    """Whether `item` excepts at `zone` at least what `old` did."""
    if not is_for(item, zone) or not _all_within(old.windows, item.windows):
        return False
    return item.place is None or _lies_within(old.place or zone.shape, item.place)
