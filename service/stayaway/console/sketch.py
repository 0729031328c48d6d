"""What the map of one alert shows: its own zones and sightings, nothing else (zones reveal homes).

For the eye only: nothing is decided here, so plain spherical arithmetic is enough.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.review_model import AlertView, Evidence
from stayaway.kernel.shape import Shape
from stayaway.sightings.model import PlateRead

Position = tuple[float, float]
_METRES_PER_DEGREE = 111_195.0
_CIRCLE_SIDES = 48
_LARGEST_CIRCLE_M = 5_000.0
"""A wider circle would push the zone out of sight; the table still gives the figure."""

MOST_NUMBERED = 12
"""With more sightings only the first and the last carry their number; the others are dots."""

WIDTH, HEIGHT, _MARGIN = 640.0, 420.0, 36.0


@dataclass(frozen=True, slots=True)
class Place:
    """One event on the map. `number` counts events in time; several matches share one."""

    number: int
    item: Evidence
    accuracy_m: float
    accuracy_known: bool


def places_of(evidence: Sequence[Evidence], policy: Policy) -> tuple[Place, ...]:
    """Each event once, oldest first."""
    events = {(item.topic, item.partition, item.record_offset): item for item in reversed(evidence)}
    ordered = sorted(events.values(), key=lambda item: (item.sighting.observed_at, item.sighting.event_id))
    return tuple(_place(number, item, policy) for number, item in enumerate(ordered, start=1))


def _place(number: int, item: Evidence, policy: Policy) -> Place:
    event = item.sighting
    source = event.position_of if isinstance(event, PlateRead) else event.fix_source
    known = event.accuracy_m is not None
    accuracy_m = (
        event.accuracy_m if event.accuracy_m is not None else getattr(policy.default_accuracy_m, source)
    )
    return Place(number, item, float(accuracy_m), known)


def map_features(view: AlertView, places: Sequence[Place]) -> dict[str, Any]:
    """A GeoJSON FeatureCollection; longitudes run past 180 where a zone lies on that meridian."""
    lons = [lon for zone in view.zones for lon in _lons(zone.shape)]
    wraps = bool(lons) and max(lons) - min(lons) > 180.0
    features = [
        _feature("zone", _polygons(zone.shape, wraps=wraps), zone_id=zone.zone_id) for zone in view.zones
    ]
    features += [
        _feature("exception", _polygons(item.place, wraps=wraps), exception_id=item.exception_id)
        for item in view.exceptions
        if item.place is not None
    ]
    for place in places:
        centre = _unwrap((place.item.sighting.lon, place.item.sighting.lat), wraps=wraps)
        if 0 < place.accuracy_m <= _LARGEST_CIRCLE_M:
            ring = _circle(centre, place.accuracy_m)
            features.append(_feature("accuracy", {"type": "Polygon", "coordinates": [ring]}))
        point = {"type": "Point", "coordinates": list(centre)}
        is_minor = len(places) > MOST_NUMBERED and place.number not in (1, len(places))
        features.append(_feature("sighting", point, number=place.number, is_minor=is_minor))
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, geometry: dict[str, Any], **properties: str | int) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}


def _lons(shape: Shape) -> Iterable[float]:
    return (lon for part in shape.parts for ring in part for lon, _ in ring)


def _unwrap(position: Position, *, wraps: bool) -> Position:
    lon, lat = position
    return (lon + 360.0 if wraps and lon < 0 else lon, lat)


def _polygons(shape: Shape, *, wraps: bool) -> dict[str, Any]:
    coordinates = [
        [[list(_unwrap(position, wraps=wraps)) for position in ring] for ring in part] for part in shape.parts
    ]
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _circle(centre: Position, radius_m: float) -> list[list[float]]:
    lon, lat = centre
    north = radius_m / _METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(lat)), 0.01)
    angles = [2 * math.pi * side / _CIRCLE_SIDES for side in range(_CIRCLE_SIDES + 1)]
    return [[lon + east * math.cos(angle), lat + north * math.sin(angle)] for angle in angles]


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing of the drawing: `path` for areas, `x` `y` for points, in its own units."""

    kind: str
    path: str = ""
    x: float = 0.0
    y: float = 0.0
    number: int = 0
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """The same picture without JavaScript: an SVG of WIDTH by HEIGHT, and a bar of `scale_m` metres."""

    shown: tuple[Shown, ...]
    scale_m: int
    scale_width: float


def draw(features: dict[str, Any]) -> Drawing:
    """The features in a plain plane projection, north up."""
    positions = [position for feature in features["features"] for position in _positions(feature["geometry"])]
    west, east = min(lon for lon, _ in positions), max(lon for lon, _ in positions)
    south, north = min(lat for _, lat in positions), max(lat for _, lat in positions)
    squeeze = math.cos(math.radians((south + north) / 2))
    spans = max((east - west) * squeeze, 1e-5), max(north - south, 1e-5)
    scale = min((WIDTH - 2 * _MARGIN) / spans[0], (HEIGHT - 2 * _MARGIN) / spans[1])

    def project(position: Sequence[float]) -> Position:
        x = WIDTH / 2 + (position[0] - (west + east) / 2) * squeeze * scale
        return x, HEIGHT / 2 - (position[1] - (south + north) / 2) * scale

    shown = []
    for feature in features["features"]:
        properties, geometry = feature["properties"], feature["geometry"]
        if geometry["type"] == "Point":
            x, y = project(geometry["coordinates"])
            numbering = {name: properties[name] for name in ("number", "is_minor")}
            shown.append(Shown(properties["kind"], x=round(x, 1), y=round(y, 1), **numbering))
        else:
            rings = [[project(position) for position in ring] for ring in _rings(geometry)]
            shown.append(Shown(properties["kind"], path=" ".join(_path(ring) for ring in rings)))
    per_metre = scale / _METRES_PER_DEGREE
    scale_m = _round_length(WIDTH / 4 / per_metre)
    return Drawing(tuple(shown), scale_m, round(scale_m * per_metre, 1))


def _positions(geometry: dict[str, Any]) -> Iterable[Sequence[float]]:
    if geometry["type"] == "Point":
        return [geometry["coordinates"]]
    return [position for ring in _rings(geometry) for position in ring]


def _rings(geometry: dict[str, Any]) -> list[Any]:
    coordinates = geometry["coordinates"]
    return (
        list(coordinates)
        if geometry["type"] == "Polygon"
        else [ring for part in coordinates for ring in part]
    )


def _path(ring: Sequence[Position]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z"


def _round_length(longest_m: float) -> int:
    """The largest of 1, 2, 5 × 10ⁿ metres that is no longer."""
    power = 10 ** max(0, math.floor(math.log10(max(longest_m, 1.0))))
    return int(max(step * power for step in (1, 2, 5) if step * power <= max(longest_m, 1.0)))
