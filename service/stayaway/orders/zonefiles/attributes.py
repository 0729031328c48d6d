"""A record's name and distance, from whatever its attributes are called.

Fields (any case): the name from the first of `name`, `zone_name`, `label`, `title` that has a text, else
from the first field that ends in `name`; the distance from `distance_value` (a number) with `distance_unit`
(YD, FT or M, or the unit in words). A shapefile cuts names of fields to ten letters: `distance_v` and
`distance_u` are the same two.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from stayaway.orders.distance import MAX_DISTANCE_M, METRES, MIN_DISTANCE_M
from stayaway.orders.findings import Path
from stayaway.orders.model import DistanceUnit
from stayaway.orders.zonefiles.attributes_fields import NAME_FIELDS, UNIT_FIELDS, VALUE_FIELDS, is_name_field
from stayaway.orders.zonefiles.limits import MAX_NAME_LENGTH
from stayaway.orders.zonefiles.model import Distance
from stayaway.orders.zonefiles.notes import Notes

_UNITS: dict[str, DistanceUnit] = {
    **dict.fromkeys(("yd", "yds", "yard", "yards"), "YD"),
    **dict.fromkeys(("ft", "foot", "feet"), "FT"),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), "M"),
}
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
# Control characters of both kinds, which WIRE.md's `text` refuses, and halves of surrogate pairs.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def read_attributes(
    attributes: Mapping[str, Any], candidate: int, path: Path, notes: Notes
) -> tuple[str | None, Distance | None]:
    """Name and distance of one record; what is unfit is noted and left out."""
    found: dict[str, tuple[str, Any]] = {}
    for field, value in attributes.items():
        found.setdefault(field.casefold(), (field, value))
    name = _read_name(found, candidate, path, notes)
    return name, _read_distance(found, candidate, path, notes)


def _read_name(found: Mapping[str, tuple[str, Any]], candidate: int, path: Path, notes: Notes) -> str | None:
    others = [key for key in found if key not in NAME_FIELDS and is_name_field(key)]
    for key in (*NAME_FIELDS, *others):
        field, value = found.get(key, ("", None))
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        text = str(value).strip()
        if not text:
            continue
        if _UNFIT.search(text) or len(text) > MAX_NAME_LENGTH:
            words = f"The name has control characters or over {MAX_NAME_LENGTH} characters and was left out."
            notes.warning(candidate, (*path, field), f"{len(text)} characters", f"{words} Type it anew.")
            return None
        return text
    return None


def _read_distance(
    found: Mapping[str, tuple[str, Any]], candidate: int, path: Path, notes: Notes
) -> Distance | None:
    value_field, raw_value = _first(found, VALUE_FIELDS)
    unit_field, raw_unit = _first(found, UNIT_FIELDS)
    if raw_value is None and raw_unit is None:
        return None
    value = parse_number(raw_value)
    if value is None or value <= 0:
        field = value_field or VALUE_FIELDS[0]
        remedy = "The distance is a number over 0, with a point for decimals and no unit in it."
        notes.error(candidate, (*path, field), raw_value, remedy)
    unit = parse_unit(raw_unit)
    if unit is None:
        field = unit_field or UNIT_FIELDS[0]
        remedy = "The unit is YD, FT or M, as the order says it; none is assumed."
        notes.error(candidate, (*path, field), raw_unit, remedy)
    if value is None or value <= 0 or unit is None:
        return None
    return checked_distance(Distance(value, unit), candidate, (*path, value_field or ""), notes)


def checked_distance(distance: Distance, candidate: int | None, path: Path, notes: Notes) -> Distance | None:
    """The distance, where a circle of that size can be drawn; else None and an ERROR."""
    if MIN_DISTANCE_M <= distance.value * METRES[distance.unit] <= MAX_DISTANCE_M:
        return distance
    remedy = (
        f"A distance is from {MIN_DISTANCE_M:g} m to {MAX_DISTANCE_M / 1000:g} km; check number and unit."
    )
    notes.error(candidate, path, f"{distance.value:g} {distance.unit}", remedy)
    return None


def _first(found: Mapping[str, tuple[str, Any]], keys: tuple[str, ...]) -> tuple[str | None, Any]:
    for key in keys:
        field, value = found.get(key, (None, None))
        if value is not None and value != "":
            return field, value
    return None, None


def parse_number(value: Any) -> float | None:
    """A plain decimal number, given as such or as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip())
    return None


def parse_unit(value: Any) -> DistanceUnit | None:
    """YD, FT or M, also in words; None for anything else."""
    return _UNITS.get(value.strip().casefold()) if isinstance(value, str) else None
