"""What an orders file must also mean: findings that no form can make (WIRE.md, DOMAIN.md).

The checks walk the JSON as it came, so that one bad field hides no other: what the form has
refused already is passed over here.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from stayaway.kernel.shape import Shape
from stayaway.kernel.timezones import end_of_day, load_time_zone
from stayaway.orders.distance import METRES, DistanceError, circle
from stayaway.orders.findings import MISSING, FindingList, Path
from stayaway.orders.geometry import Position, read_point, read_polygons
from stayaway.orders.model import Window
from stayaway.orders.plain_geometry import Drawn
from stayaway.orders.rawjson import ids, instant_of, objects, texts
from stayaway.orders.windows import read_windows
from stayaway.orders.wire import EXPIRY_FIELDS

LONG_DISTANCE_M = 20_000.0
SHORT_DISTANCE_M = 3.0


@dataclass
class Materials:
    """What the checks made of a record, by path: shapes, anchor points and windows."""

    shapes: dict[Path, Shape] = field(default_factory=dict)
    anchors: dict[Path, Position] = field(default_factory=dict)
    windows: dict[Path, Window] = field(default_factory=dict)


def check_order(raw: dict[str, Any], findings: FindingList, drawn: Drawn | None = None) -> Materials:
    """Note what is wrong in one version; the shapes and windows that could be made.

    `drawn`: the shapes of its plain geometries, where they were drawn before.
    """
    made, at = Materials(), ()
    _check_expiry(raw, at, findings)
    _check_presence(raw, at, findings)
    _check_people(raw, at, findings)
    for path, zone in objects(raw, at, "zones"):
        _check_zone(zone, path, findings, made, drawn)
    for path, exception in objects(raw, at, "exceptions"):
        _check_exception(raw, exception, path, findings, made, drawn)
    _check_unique(raw, at, "zones", "zone_id", findings)
    _check_unique(raw, at, "exceptions", "exception_id", findings)
    return made


def check_suspension(raw: dict[str, Any], findings: FindingList) -> None:
    """Note a suspension that ends before it begins."""
    begin, end = instant_of(raw, "from_at"), instant_of(raw, "until_at")
    if begin is not None and end is not None and end <= begin:
        findings.error(("until_at",), raw["until_at"], "It must be later than from_at.")


def check_notice(raw: dict[str, Any], findings: FindingList) -> None:
    """Note a notice recorded before it was given."""
    noticed, recorded = instant_of(raw, "noticed_at"), instant_of(raw, "recorded_at")
    if noticed is not None and recorded is not None and noticed > recorded:
        findings.warning(
            ("noticed_at",), raw["noticed_at"], "It was recorded before it was given: check both."
        )


# ---------------------------------------------------------------- the order itself


def _check_expiry(raw: dict[str, Any], at: Path, findings: FindingList) -> None:
    given = [name for name in EXPIRY_FIELDS if name in raw]
    if len(given) != 1:
        findings.error(
            (*at, given[1]) if given else at,
            raw[given[1]] if given else MISSING,
            f"Give exactly one of {', '.join(EXPIRY_FIELDS)}"
            + (f"; here are {' and '.join(given)}." if given else "."),
        )
    effective = instant_of(raw, "effective_at")
    ends = _fixed_end(raw)
    if effective is not None and ends is not None and ends <= effective:
        name = "expires_at" if "expires_at" in raw else "expires_on"
        findings.warning(
            (*at, name), raw[name], "The version ends before it takes effect and can never alert."
        )


def _fixed_end(raw: dict[str, Any]) -> datetime | None:
    at, on, court = instant_of(raw, "expires_at"), raw.get("expires_on"), raw.get("court")
    zone_name = court.get("time_zone") if isinstance(court, dict) else None
    if at is not None or not isinstance(on, str) or not isinstance(zone_name, str):
        return at
    try:
        return end_of_day(date.fromisoformat(on), load_time_zone(zone_name))
    except (ValueError, KeyError, OverflowError):
        return None


def _check_presence(raw: dict[str, Any], at: Path, findings: FindingList) -> None:
    if raw.get("respondents") == []:
        findings.error((*at, "respondents"), [], "An order binds at least one respondent; add who is bound.")
    if raw.get("zones") == [] and not raw.get("not_monitored"):
        findings.error(
            (*at, "zones"), [], "Give a zone, or name under not_monitored the terms that no zone can watch."
        )


def _check_people(raw: dict[str, Any], at: Path, findings: FindingList) -> None:
    _check_unique(raw, at, "respondents", "respondent_id", findings)
    _check_unique(raw, at, "protected_persons", "protected_person_id", findings)
    protected = ids(raw, "protected_persons", "protected_person_id")
    for path, respondent in objects(raw, at, "respondents"):
        _check_unique(respondent, path, "vehicles", "vehicle_id", findings)
        _check_unique(respondent, path, "devices", "device_id", findings)
        if not respondent.get("vehicles") and not respondent.get("devices"):
            findings.warning(
                path, MISSING, "Without a vehicle or a device nothing of this respondent can match."
            )
        for vehicle_path, vehicle in objects(respondent, path, "vehicles"):
            _check_known(vehicle, vehicle_path, "used_by", protected, findings)
    for path, zone in objects(raw, at, "zones"):
        _check_known(zone, path, "protected_person_ids", protected, findings)


def _check_known(holder: dict[str, Any], at: Path, name: str, known: set[str], findings: FindingList) -> None:
    for path, item in texts(holder, at, name):
        if item not in known:
            findings.warning(
                path, item, "No protected person of this order has this id; add them or correct it."
            )


def _check_unique(holder: dict[str, Any], at: Path, name: str, key: str, findings: FindingList) -> None:
    seen: dict[str, int | str] = {}
    for path, item in objects(holder, at, name):
        identifier = item.get(key)
        if not isinstance(identifier, str):
            continue
        if identifier in seen:
            findings.error(
                (*path, key),
                identifier,
                f"{name}/{seen[identifier]} has this {key} already; it must be unique.",
            )
        seen.setdefault(identifier, path[-1])


# ---------------------------------------------------------------- zones


def _check_zone(
    zone: dict[str, Any], at: Path, findings: FindingList, made: Materials, drawn: Drawn | None
) -> None:
    distance_m = _check_distance(zone, at, findings)
    made.windows |= read_windows(zone, at, "schedule", findings)
    if zone.get("schedule") == []:
        findings.warning((*at, "schedule"), [], "An empty schedule counts as none: the zone always holds.")
    if zone.get("warning_alerts") is True and "warning_m" not in zone:
        findings.warning(
            (*at, "warning_alerts"), True, "There is no warning ring; add warning_m or remove it."
        )
    geometry, path = zone.get("geometry"), (*at, "geometry")
    if not isinstance(geometry, dict):
        return
    if geometry.get("type") == "Point":
        made.anchors |= _read_anchor(geometry, path, findings)
        if path in made.anchors and distance_m is not None:
            made.shapes |= _draw(made.anchors[path], distance_m, zone, at, findings)
        return
    made.shapes |= _shape(geometry, path, findings, drawn)


def _shape(
    geometry: dict[str, Any], path: Path, findings: FindingList, drawn: Drawn | None
) -> dict[Path, Shape]:
    shape = read_polygons(geometry, path, findings, drawn)
    return {} if shape is None else {path: shape}


def _read_anchor(geometry: dict[str, Any], path: Path, findings: FindingList) -> dict[Path, Position]:
    position = read_point(geometry, path, findings)
    return {} if position is None else {path: position}


def _draw(
    anchor: Position, distance_m: float, zone: dict[str, Any], at: Path, findings: FindingList
) -> dict[Path, Shape]:
    try:
        return {(*at, "geometry"): circle(*anchor, distance_m)}
    except DistanceError as error:
        findings.error((*at, "distance_value"), zone.get("distance_value"), str(error))
        return {}


def _check_distance(zone: dict[str, Any], at: Path, findings: FindingList) -> float | None:
    """The distance in metres; None where there is none that can be used."""
    geometry = zone.get("geometry")
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    missing = [name for name in ("distance_value", "distance_unit") if name not in zone]
    if missing and (is_point or len(missing) == 1):
        for name in missing:
            why = "A Point needs a distance" if is_point else "A distance has a value and a unit"
            findings.error((*at, name), MISSING, f"{why}: add {name}.")
    value, unit = zone.get("distance_value"), zone.get("distance_unit")
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not isinstance(unit, str)
        or unit not in METRES
        or value <= 0
    ):
        return None
    distance_m = float(value) * METRES[unit]
    if distance_m > LONG_DISTANCE_M or distance_m < SHORT_DISTANCE_M:
        findings.warning(
            (*at, "distance_value"), value, f"{distance_m:.6g} m is unusual; check the number and its unit."
        )
    return distance_m


# ---------------------------------------------------------------- exceptions


def _check_exception(
    order: dict[str, Any],
    exception: dict[str, Any],
    at: Path,
    findings: FindingList,
    made: Materials,
    drawn: Drawn | None,
) -> None:
    zone_ids = ids(order, "zones", "zone_id")
    for path, item in texts(exception, at, "zone_ids"):
        if item not in zone_ids:
            findings.error(
                path, item, "No zone of this version has this id; correct it, or leave zone_ids out for all."
            )
    made.windows |= read_windows(exception, at, "windows", findings)
    if exception.get("windows") == []:
        findings.warning((*at, "windows"), [], "Without a window the exception never applies.")
    place, path = exception.get("place"), (*at, "place")
    if isinstance(place, dict) and place.get("type") == "Point":
        findings.error((*path, "type"), "Point", 'A place is "WHOLE_ZONE", a Polygon or a MultiPolygon.')
    elif isinstance(place, dict):
        made.shapes |= _shape(place, path, findings, drawn)
