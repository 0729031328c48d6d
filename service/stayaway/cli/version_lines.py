"""What a version of an order says, in words for people: its head, vehicles, zones, exceptions, windows."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stayaway.api.version_forms import VersionItem

Plain = Mapping[str, Any]
"""One of an order's values as `orders.plain` writes it: what is not there was left out."""


def head_lines(item: "VersionItem") -> list[str]:
    """One version as a whole."""
    numbers = _named(item.model_dump(), "case_number", "order_number", "nic_number")
    issued = f", issued on {item.issued_on}" if item.issued_on else ""
    where = f", in {item.issuing_jurisdiction}" if item.issuing_jurisdiction else ""
    more = _named(item.model_dump(), "supersedes_order_id", "source_document_sha256")
    relief = ", relief: it binds without notice" if item.relief else ""
    ask = f"Ask {item.agency.ori}, {item.agency.telephone}. Conditions: {_list(item.conditions)}"
    lines = [
        f"version {item.version}: {item.kind} {item.status}{numbers}{issued}{where}",
        f"  effective {item.effective_at}, {_expiry(item)}{relief}",
        f"  court {item.court.ori} ({item.court.time_zone}). {ask}",
        f"  recorded {item.recorded_at}, content_sha256 {item.content_sha256}{more}",
    ]
    if item.confidentiality:
        lines.append(f"  {_list(item.confidentiality)}")
    lines += [f"  NOT MONITORED: {term}" for term in item.not_monitored]
    for person in item.protected_persons:
        lines.append(f"  protected person {person['protected_person_id']}{_name(person.get('name'))}")
    return lines


def _expiry(item: "VersionItem") -> str:
    if item.expires_on:
        return f"expires with the end of {item.expires_on} ({item.court.time_zone})"
    if item.expires_at:
        return f"expires at {item.expires_at}"
    if item.expires_after_notice:
        return f"expires {item.expires_after_notice} after the first counting notice"
    return "no expiration"


def vehicle_line(vehicle: Plain) -> str:
    """A respondent's vehicle as entered, and who else uses it."""
    used_by = vehicle.get("used_by")
    asked = "nobody asked who else uses it" if used_by is None else f"used by {_list(used_by, 'nobody')}"
    about = _named(vehicle, "make", "model", "colour", "plate_type", "plate_year", "vin", "last_verified_at")
    region = f" {vehicle['region']}" if "region" in vehicle else ""
    plate = f"{vehicle['plate_as_entered']}{region}"
    return f"vehicle {vehicle['vehicle_id']} {plate}, {vehicle['link_basis']}{about}; {asked}"


def zone_lines(zone: Plain) -> list[str]:
    """A zone, and whether its schedule holds. Its outline is in `--json`; where is not said aloud."""
    when = "its schedule holds" if zone["schedule_covers"] else "outside its schedule"
    ordered = f", {zone['distance_value']:g} {zone['distance_unit']}" if "distance_value" in zone else ""
    ring = f", warning ring {zone['warning_m']:g} m" if "warning_m" in zone else ""
    alerts = " that alerts" if zone["warning_alerts"] else ""
    anchor = f", around a {zone['anchor']}" if "anchor" in zone else ""
    error = f", anchor within {zone['anchor_accuracy_m']:g} m" if zone["anchor_accuracy_m"] else ""
    secret = ", ADDRESS CONFIDENTIAL" if zone["address_confidential"] else ""
    whom = f", for {_list(zone['protected_person_ids'])}" if zone["protected_person_ids"] else ""
    size = f", {zone['vertices']} vertices"
    head = f"zone {zone['zone_id']} {zone['place_type']}{ordered}{anchor}{error}{ring}{alerts}{whom}{secret}"
    return [f"{head}{size}: {when}", *(f"  holds {window_words(item)}" for item in zone.get("schedule", ()))]


def exception_lines(exception: Plain) -> list[str]:
    """An exception, whether a window of it is open, and when and where it holds."""
    covers = "a window covers it" if exception["window_covers"] else "no window covers it"
    place = exception["place"]
    where = "the whole zone" if place == "WHOLE_ZONE" else f"a place of {place['vertices']} vertices"
    of = f"zones {_list(exception['zone_ids'])}" if "zone_ids" in exception else "all zones"
    head = f"exception {exception['exception_id']} {exception['kind']}"
    return [
        f"{head}, by {exception['authority']}, in {where}, of {of}: {covers}",
        *(f"  window {window_words(item)}" for item in exception["windows"]),
    ]


def window_words(window: Plain) -> str:
    """A window on its own wall clock, with its rule's parts as RFC 5545 writes them."""
    span = f"{window['start_local']} to {window['end_local']} {window['time_zone']}"
    rule = window.get("recurrence")
    return f"{span}, {_rule_words(rule)}" if rule else f"{span}, once"


def _rule_words(rule: Plain) -> str:
    from stayaway.orders.schedule import WEEKDAYS

    days = [f"{ordinal or ''}{WEEKDAYS[day]}" for ordinal, day in rule["by_day"]]
    parts = (
        rule["frequency"],
        f"every {rule['interval']}" if rule["interval"] > 1 else "",
        f"on {_list(days)}" if days else "",
        f"on days {_list(rule['by_month_day'])} of the month" if rule["by_month_day"] else "",
        f"in months {_list(rule['by_month'])}" if rule["by_month"] else "",
        f"last on {rule['last_day']}" if "last_day" in rule else "",
        f"until {rule['until_at']}" if "until_at" in rule else "",
    )
    return " ".join(part for part in parts if part)


def field_words(name: str, value: Any) -> str:
    """One field's value in a preview."""
    if value is None:
        return _LEFT_OUT.get(name, "none")
    if name in _FIELDS:
        return _FIELDS[name](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _list(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _expiry_words(expiry: Plain) -> str:
    if "after_notice" in expiry:
        count, unit = expiry["after_notice"]
        return f"P{count}{unit} after the first counting notice"
    return str(expiry.get("at") or expiry.get("on") or "no expiration")


def _windows_words(windows: list[Plain]) -> str:
    return "; ".join(window_words(item) for item in windows) or "none"


def _shape_words(shape: Plain | str) -> str:
    if isinstance(shape, str):
        return shape
    return f"{shape['vertices']} vertices, sha256 {shape['sha256']}"


_LEFT_OUT = {"schedule": "always", "zone_ids": "all zones", "used_by": "nobody asked"}
"""What it means that one of these is not there."""
_FIELDS: dict[str, Callable[[Any], str]] = {
    "expiry": _expiry_words,
    "schedule": _windows_words,
    "windows": _windows_words,
    "shape": _shape_words,
    "place": _shape_words,
    "agency": lambda agency: f"{agency['ori']}, {agency['telephone']}",
    "used_by": lambda names: _list(names, "nobody"),
}


def _named(values: Plain, *names: str) -> str:
    return "".join(f", {name} {values[name]}" for name in names if values.get(name) is not None)


def _name(name: str | None) -> str:
    return f" {name}" if name else ""


def _list(items: list[Any], nothing: str = "none") -> str:
    return ", ".join(str(item) for item in items) or nothing
