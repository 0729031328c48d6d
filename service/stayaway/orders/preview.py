"""What approving a draft would change, before anybody approves it (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from stayaway.kernel.shape import Shape
from stayaway.orders.approval import Approval, Behind, stands_behind
from stayaway.orders.area import area_m2
from stayaway.orders.model import CourtOrder, OrderException, OrderVersion
from stayaway.orders.plain import count_vertices, to_plain
from stayaway.orders.questions import Problem, Question, content_lacks, questions
from stayaway.orders.rules import counting_versions

Change = Literal["ADDED", "REMOVED", "CHANGED"]
Keyed = Mapping[str, Any]

_LISTED = ("respondents", "zones", "exceptions", "protected_persons")
_PARTS = ("vehicles", "device_ids")
_NOT_COMPARED = ("order_id", "version", "recorded_at", "content_sha256", *_LISTED, *_PARTS)
"""Numbers of the recording itself, and what is compared item by item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that the draft changes. `fields`: (name, before, after) of what differs; of what is ADDED
    or REMOVED everything that it says, None on the side where it is not.
    """

    what: Literal["order", "zone", "exception", "respondent", "vehicle", "device", "protected_person"]
    subject: str
    change: Change
    fields: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The version as it would be recorded, beside the one that counts now (`before`, None: none).

    `behind`: who stands behind `before`. `places`: zones and the exceptions' places as GeoJSON. `lacks`: what
    the draft itself must answer.
    """

    version: OrderVersion
    before: OrderVersion | None
    behind: Behind | None
    places: dict[str, Any]
    vertices: int
    differences: tuple[Difference, ...]
    questions: tuple[Question, ...]
    lacks: tuple[Problem, ...]


def version_before(order: CourtOrder | None, now: datetime) -> OrderVersion | None:
    """The latest version that counts at `now`: what a draft is compared with."""
    counting = counting_versions(order, now) if order else []
    return counting[-1] if counting else None


def preview_version(
    version: OrderVersion, before: OrderVersion | None, approvals: Mapping[int, Approval]
) -> Preview:
    """The preview of `version`, compared with `before`; `approvals`: of the order's versions, by version."""
    features = list(_features(version))
    return Preview(
        version=version,
        before=before,
        behind=stands_behind(before.version, approvals) if before else None,
        places={"type": "FeatureCollection", "features": features},
        vertices=sum(feature["properties"]["vertices"] for feature in features),
        differences=tuple(compare(before, version)),
        questions=questions(version, before),
        lacks=tuple(content_lacks(version)),
    )


def _features(version: OrderVersion) -> Iterator[dict[str, Any]]:
    for zone in version.zones:
        about = {
            "kind": "zone",
            "zone_id": zone.zone_id,
            "place_type": zone.place_type,
            "distance_value": zone.distance_value,
            "distance_unit": zone.distance_unit,
        }
        yield to_feature(zone.shape, {name: item for name, item in about.items() if item is not None})
    for item in version.exceptions:
        if item.place is not None:
            yield to_feature(item.place, {"kind": "exception", "exception_id": item.exception_id})


def to_feature(shape: Shape, properties: dict[str, Any]) -> dict[str, Any]:
    """A GeoJSON feature (RFC 7946) with the number of its vertices and its area on the ellipsoid."""
    return {
        "type": "Feature",
        "properties": {**properties, "vertices": count_vertices(shape), "area_m2": area_m2(shape)},
        "geometry": {"type": "MultiPolygon", "coordinates": shape.to_coordinates()},
    }


def compare(before: OrderVersion | None, after: OrderVersion) -> Iterator[Difference]:
    """Every difference between two versions; all is ADDED where there was none."""
    yield from _compare_lists("order", _orders(before), _orders(after))
    yield from _compare_lists("zone", _zones(before), _zones(after))
    yield from _compare_lists("exception", _exceptions(before), _exceptions(after))
    yield from _compare_lists("respondent", _respondents(before), _respondents(after))
    yield from _compare_lists("vehicle", _vehicles(before), _vehicles(after))
    yield from _compare_lists("device", _devices(before), _devices(after))
    yield from _compare_lists("protected_person", _protected(before), _protected(after))


def _compare_lists(what: Any, before: Keyed, after: Keyed) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Difference(what=what, subject=name, change="ADDED", fields=_differing(None, after[name]))
        elif name not in after:
            yield Difference(what=what, subject=name, change="REMOVED", fields=_differing(before[name], None))
        elif differing := _differing(before[name], after[name]):
            yield Difference(what=what, subject=name, change="CHANGED", fields=differing)


def _differing(before: Any, after: Any) -> tuple[tuple[str, Any, Any], ...]:
    """The fields of a value in which the two sides differ; a device is its id and has none."""
    named = before if after is None else after
    if isinstance(named, str):
        return ()
    names = [field.name for field in fields(named) if field.name not in _NOT_COMPARED]
    pairs = [(name, _plain_field(before, name), _plain_field(after, name)) for name in names]
    return tuple(pair for pair in pairs if pair[1] != pair[2])


def _plain_field(item: Any, name: str) -> Any:
    if item is None:
        return None
    if isinstance(item, OrderException) and name == "place" and item.place is None:
        return "WHOLE_ZONE"  # as on the wire: None would read as no place at all
    return to_plain(getattr(item, name))


def _orders(version: OrderVersion | None) -> Keyed:
    return {version.order_id: version} if version else {}


def _zones(version: OrderVersion | None) -> Keyed:
    return {zone.zone_id: zone for zone in version.zones} if version else {}


def _exceptions(version: OrderVersion | None) -> Keyed:
    return {item.exception_id: item for item in version.exceptions} if version else {}


def _respondents(version: OrderVersion | None) -> Keyed:
    return {item.respondent_id: item for item in version.respondents} if version else {}


def _vehicles(version: OrderVersion | None) -> Keyed:
    respondents = version.respondents if version else ()
    return {f"{r.respondent_id}/{vehicle.vehicle_id}": vehicle for r in respondents for vehicle in r.vehicles}


def _devices(version: OrderVersion | None) -> Keyed:
    respondents = version.respondents if version else ()
    return {f"{r.respondent_id}/{device_id}": device_id for r in respondents for device_id in r.device_ids}


def _protected(version: OrderVersion | None) -> Keyed:
    return {item.protected_person_id: item for item in version.protected_persons} if version else {}
