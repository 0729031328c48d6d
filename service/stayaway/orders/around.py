"""A court-ordered distance drawn around what a file holds: points, lines, buildings, parcels (pure).

The result is a zone as an order has it: the polygon, and the distance beside it as ordered, which
then widens nothing more (WIRE.md, "geometry").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stayaway.kernel.shape import Shape
from stayaway.orders.distance import METRES, DistanceError
from stayaway.orders.model import DistanceUnit
from stayaway.orders.preview import to_feature
from stayaway.orders.reach import zone_around

MAX_FEATURES = 1_000
"""More places than any order names; a layer of a whole county is not meant to be drawn around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One feature of the file. `number`: from 1. `shape`: None where it was refused, with `remedy`."""

    number: int
    name: str | None
    shape: Shape | None
    remedy: str = ""


def draw_around(body: Any, value: float, unit: DistanceUnit) -> Iterator[Drawn]:
    """The zone around each geometry of an RFC 7946 geometry, Feature or FeatureCollection.

    Raises DistanceError where `body` is none of these, or holds too many.
    """
    distance_m = value * METRES[unit]
    for number, (name, geometry) in enumerate(_geometries(body), start=1):
        try:
            shape = zone_around(geometry, distance_m)
        except DistanceError as error:
            yield Drawn(number=number, name=name, shape=None, remedy=str(error))
        else:
            yield Drawn(number=number, name=name, shape=shape)


def to_zone_feature(drawn: Drawn, value: float, unit: DistanceUnit) -> dict[str, Any]:
    """What was drawn, as a GeoJSON Feature: the zone's geometry, its distance as ordered, its area."""
    assert drawn.shape is not None
    about = {"number": drawn.number, "name": drawn.name, "distance_value": value, "distance_unit": unit}
    return to_feature(drawn.shape, {name: item for name, item in about.items() if item is not None})


def _geometries(body: Any) -> list[tuple[str | None, Mapping[str, Any]]]:
    if not isinstance(body, dict):
        raise _no_geojson()
    features = body.get("features") if body.get("type") == "FeatureCollection" else [body]
    if not isinstance(features, list) or not features:
        raise _no_geojson()
    if len(features) > MAX_FEATURES:
        raise DistanceError(
            f"The file has {len(features)} features; at most {MAX_FEATURES} are drawn around.",
            "Keep only the places that the order names.",
        )
    return [_geometry(feature) for feature in features]


def _geometry(feature: Any) -> tuple[str | None, Mapping[str, Any]]:
    if not isinstance(feature, dict):
        raise _no_geojson()
    if feature.get("type") != "Feature":
        return None, feature
    properties = feature.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict):
        raise _no_geojson()
    return name if isinstance(name, str) else None, geometry


def _no_geojson() -> DistanceError:
    return DistanceError(
        "This is no GeoJSON with a geometry.",
        "Give a geometry, a Feature or a FeatureCollection in lon, lat (`stayaway zones read FILE --out`).",
    )
