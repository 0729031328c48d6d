"""Orders files about which a careful colleague has nothing to ask, to be spoiled one thing at a time."""

import copy
import json
from typing import Any

from stayaway.orders.advice import advise
from stayaway.orders.findings import Finding
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.readers import Reader

Json = dict[str, Any]

PHOENIX = (-112.0740, 33.4484)
"""A public place in Arizona, whose courts' ORIs begin with AZ."""


def order(number: int = 1, **changes: Any) -> Json:
    """An order of respondent R`number` that leaves nothing open; `changes` replace fields."""
    lon, lat = PHOENIX[0] + number / 50, PHOENIX[1]
    record: Json = {
        "order_id": f"O{number}",
        "version": 1,
        "recorded_at": "2026-01-05T18:00:00Z",
        "kind": "FINAL",
        "status": "ACTIVE",
        "court": {"ori": "AZ999001J", "time_zone": "America/Phoenix"},
        "agency": {"ori": "AZ9990000", "telephone": "+1 555 0100"},
        "case_number": f"F-{number}",
        "effective_at": "2026-01-05T17:00:00Z",
        "expires_on": "2027-01-05",
        "respondents": [respondent(number)],
        "zones": [zone(lon, lat)],
        "conditions": ["01", "04"],
    }
    return record | changes


def respondent(number: int = 1, **changes: Any) -> Json:
    return {
        "respondent_id": f"R{number}",
        "name": f"Respondent Example {number}",
        "vehicles": [vehicle(plate=f"ATX{number:03}W")],
    } | changes


def vehicle(**changes: Any) -> Json:
    return {
        "vehicle_id": "V1",
        "plate": "ATX001W",
        "region": "US-AZ",
        "link_basis": "REGISTERED",
        "used_by": [],
    } | changes


def zone(lon: float = PHOENIX[0], lat: float = PHOENIX[1], **changes: Any) -> Json:
    return {
        "zone_id": "Z1",
        "place_type": "HOME",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "distance_value": 100,
        "distance_unit": "YD",
    } | changes


def square(lon: float, lat: float, half_deg: float) -> Json:
    """A Polygon of the square around a position."""
    west, south, east, north = lon - half_deg, lat - half_deg, lon + half_deg, lat + half_deg
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def drawn(lon: float, lat: float, half_deg: float, **changes: Any) -> Json:
    """A zone that is a square, without a distance."""
    place: Json = {"zone_id": "Z1", "place_type": "HOME", "geometry": square(lon, lat, half_deg)}
    return place | changes


def notice(record: Json, **changes: Any) -> Json:
    return {
        "order_id": record["order_id"],
        "order_version": record["version"],
        "respondent_id": record["respondents"][0]["respondent_id"],
        "kind": "PERSONAL",
        "noticed_at": "2026-01-06T18:00:00Z",
        "recorded_at": "2026-01-06T19:00:00Z",
    } | changes


def exception(**changes: Any) -> Json:
    return {
        "exception_id": "E1",
        "kind": "CHILD_EXCHANGE",
        "authority": "par. 4",
        "windows": [window()],
        "place": "WHOLE_ZONE",
    } | changes


def window(start: str = "2026-01-09T17:00:00", end: str = "2026-01-09T18:00:00", **changes: Any) -> Json:
    made = {"time_zone": "America/Phoenix", "start_local": start, "end_local": end, "rrule": "FREQ=WEEKLY"}
    return {name: value for name, value in (made | changes).items() if value is not None}


def orders_file(*orders: Json, **lists: list[Json]) -> Json:
    """The orders, each noticed to its respondents; `lists` replace notices, recalls, suspensions."""
    told = [
        notice(record, respondent_id=r["respondent_id"]) for record in orders for r in record["respondents"]
    ]
    file = {"schema": "orders.v1", "orders": list(orders), "notices": told, **lists}
    return copy.deepcopy(file)


def findings(file: Json, readers: list[Reader] | None = None) -> tuple[Finding, ...]:
    """The advice on a file that can be used."""
    parsed = parse_orders_file(json.dumps(file).encode())
    assert not parsed.has_errors, parsed.findings
    return advise(parsed, KnownPlaces(readers=None if readers is None else tuple(readers)))


def pointers(file: Json, readers: list[Reader] | None = None) -> list[str]:
    """Where the advice points."""
    return [finding.pointer for finding in findings(file, readers)]


def only(file: Json, readers: list[Reader] | None = None) -> tuple[str, str]:
    """(pointer, remedy) of the only finding."""
    (found,) = findings(file, readers)
    assert found.severity == "WARNING"
    return found.pointer, found.remedy
