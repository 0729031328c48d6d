"""What is stored of a respondent just before and after an alert's sightings, opened with its order's key.

Which vehicle or device a decision was about is sealed, so a bounded number of the nearest is opened until
each identity of the alert is met.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from stayaway.alerts.stored_events import open_event
from stayaway.alerts.two_places import Neighbour, Neighbours
from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import parse_json
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

_SQL = load_queries("stayaway.alerts", "review.sql")
MOST_OPENED = 20
"""Decisions on each side, of cameras and of devices apart. Ours: a vehicle or device farther off than so
many decisions on others of the same respondent is not found."""

Identity = tuple[str | None, str | None]
"""(vehicle id, device id), one of them None."""
Origin = tuple[str, int, int]
"""(topic, partition, record offset)."""


async def fetch_neighbours(
    conn: Connection, root_id: str, order_id: str, respondent_id: str, rows: Iterable[Any]
) -> list[Any]:
    """The stored decisions nearest to those of `rows`, sealed as they are, in no order.

    `rows`: the alert's decisions. Theirs come too, where they lie at its edges.
    """
    seen: dict[bool, list[datetime]] = defaultdict(list)
    for row in rows:
        seen[row["match_kind"] == "DEVICE"].append(row["observed_at"])
    found = await conn.fetch(
        _SQL.load_neighbours,
        order_id,
        respondent_id,
        root_id,
        list(seen),
        [min(instants) for instants in seen.values()],
        [max(instants) for instants in seen.values()],
        MOST_OPENED,
    )
    return list(found)


def open_neighbours(
    seal: Seal, rows: Iterable[Any], identities: Collection[Identity], origins: Collection[Origin]
) -> Neighbours:
    """On each side the nearest sighting of each of `identities`.

    `origins`: of the alert's sightings that are looked at anyway. A row that does not open is passed over
    and counted: it hides neither this alert nor what lies behind it.
    """
    sides: dict[tuple[bool, bool], list[Any]] = defaultdict(list)
    owners: dict[Origin, Any] = {}
    for row in sorted(rows, key=_belonging):  # one event may alert in one zone and not in another
        if (origin := _origin(row)) not in origins:
            sides[row["of_device"], row["is_before"]].append(row)
            owners[origin] = row
    found: dict[Origin, Neighbour] = {}
    unopened: set[Origin] = set()
    for (of_device, is_before), side in sides.items():
        wanted = {identity for identity in identities if (identity[0] is None) == of_device}
        nearest_first = sorted(side, key=_place, reverse=is_before)
        for row in nearest_first:
            if not wanted:
                break
            if (origin := _origin(row)) in found:  # at the same instant it stands on both sides
                continue
            try:
                neighbour = _open(seal, row, wanted, owners[origin])
            except StayawayError:
                unopened.add(origin)
                continue
            if neighbour is not None:
                found[origin] = neighbour
                wanted.remove((neighbour.vehicle_id, neighbour.device_id))
    return Neighbours(found=tuple(found.values()), unopened=len(unopened))


def _origin(row: Any) -> Origin:
    return row["topic"], row["partition"], row["record_offset"]


def _belonging(row: Any) -> tuple[bool, bool]:
    return row["is_ours"], row["alert_number"] is not None


def _place(row: Any) -> tuple[Any, ...]:
    return row["observed_at"], row["source"], row["event_id"], row["zone_id"], row["content_digest"]


def _open(seal: Seal, row: Any, wanted: Collection[Identity], owner: Any) -> Neighbour | None:
    """None for another identity; StayawayError for what does not open or is not read any more."""
    order_id = row["order_id"]
    detail = parse_json(seal.unseal(order_id, "decision", row["detail_sealed"]))
    if (detail["vehicle_id"], detail["device_id"]) not in wanted:
        return None
    return Neighbour(
        sighting=open_event(seal, order_id, row).read(),
        vehicle_id=detail["vehicle_id"],
        device_id=detail["device_id"],
        policy_sha256=row["policy_sha256"],
        is_ours=owner["is_ours"],
        alert_number=owner["alert_number"],
    )
