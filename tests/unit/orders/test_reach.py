"""A distance around a line or a parcel: never beyond it, hardly short of it, by GeographicLib's geodesics."""

import json
import math
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from stayaway.kernel.shape import Shape
from stayaway.orders.reach import zone_around
from support.truth import ELLIPSOID, Position, at, distance_to_edges_m, edges_of, position_from
from support.zone_entries import bounds_of

EXACT_M = 5e-5
"""What the search for the nearest point of an edge may leave."""
ASKED = 16
"""Points of each zone that are measured; GeographicLib in Python takes about 10 ms for one."""
METRES_A_DEGREE = 111_320.0

longitudes = st.one_of(st.floats(-180, 180), st.sampled_from([180.0, -180.0, 179.9999, -179.999]))
latitudes = st.one_of(st.floats(-85, 85), st.sampled_from([85.0, -85.0, 0.0]))
distances = st.one_of(
    st.floats(math.log(9.144), math.log(3218.688)).map(math.exp),
    st.sampled_from([9.144, 91.44, 3218.688]),
)
sizes = st.floats(math.log(10), math.log(8000)).map(math.exp)
outlines = st.lists(st.floats(0.25, 1.0), min_size=3, max_size=9)
"""Radii of a star-shaped outline, as shares of its size: mostly concave."""


def allowed_m(distance_m: float) -> float:
    """0.05 % and 50 cm; what the vertex grid takes below 40 m."""
    return max(0.02, min(0.0005 * distance_m, 0.5))


def star(lon: float, lat: float, size_m: float, radii: list[float], turn: float = 0.1) -> list[Position]:
    """A closed ring around a place, not yet within -180..180."""
    scale = METRES_A_DEGREE * math.cos(math.radians(lat)), METRES_A_DEGREE
    points = []
    for index, radius in enumerate(radii):
        angle = turn + 2 * math.pi * index / len(radii)
        points.append(
            (
                lon + size_m * radius * math.cos(angle) / scale[0],
                max(-85.0, min(85.0, lat + size_m * radius * math.sin(angle) / scale[1])),
            )
        )
    return [*points, points[0]]


def cut(area: shapely.Geometry) -> dict[str, Any]:
    """RFC 7946's form of an area or line that may lie over the 180 degree meridian."""
    parts = [
        shapely.transform(shapely.intersection(area, shapely.box(west, -90, west + 360, 90)), _moved(west))
        for west in (-540, -180, 180)
    ]
    kept = [
        piece
        for part in parts
        for piece in shapely.get_parts(part)
        if piece.geom_type == shapely.get_parts(area)[0].geom_type
    ]
    gathered = kept[0] if len(kept) == 1 else shapely.union_all(kept)
    coordinates: dict[str, Any] = json.loads(shapely.to_geojson(gathered))
    return coordinates


def _moved(west: float) -> Any:
    return lambda positions: np.clip(positions - (west + 180.0, 0.0), (-180.0, -90.0), (180.0, 90.0))


def polygon_of(shape: Shape) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([(part[0], part[1:]) for part in shape.parts])


def sample(shape: Shape, seed: int) -> list[Position]:
    """Vertices, and points on edges; the cut at 180 degrees is none."""
    edges = [
        (start, end)
        for part in shape.parts
        for ring in part
        for start, end in pairwise(ring)
        if not start[0] == end[0] in (180.0, -180.0)
    ]
    chance = random.Random(seed)
    chosen = chance.sample(edges, min(len(edges), ASKED))
    # Long edges stray most.
    chosen[: ASKED // 4] = sorted(edges, key=lambda edge: math.dist(*edge))[-(ASKED // 4) :]
    return [at(edge, chance.choice([0.0, 0.5, 0.5, 0.25, 0.7])) for edge in chosen]


def assert_keeps_promise(geometry: dict[str, Any], distance_m: float) -> Shape:
    """Boundary within the band, OGC-valid, on the grid, nowhere over 180 degrees."""
    shape = zone_around(geometry, distance_m)
    assert Shape.from_parts(shape.to_coordinates()) == shape
    assert polygon_of(shape).is_valid
    west, south, east, north = bounds_of(shape)
    assert -180 <= west < east <= 180
    assert -90 < south < north < 90
    edges = edges_of(geometry)
    for point in sample(shape, len(edges)):
        short = distance_m - distance_to_edges_m(point, edges)
        assert -EXACT_M <= short <= allowed_m(distance_m) + EXACT_M, (point, short)
    return shape


@settings(max_examples=25, deadline=None)
@given(longitudes, latitudes, sizes, outlines, distances)
@example(-111.9, 33.4, 20.0, [1.0, 0.8, 1.0, 0.7], 91.44)
@example(180.0, 85.0, 4000.0, [1.0, 0.3, 0.9, 0.3, 1.0, 0.3, 0.8], 3218.688)
@example(-180.0, -85.0, 300.0, [1.0, 0.3, 0.9, 0.3, 1.0, 0.3, 0.8], 91.44)
@example(0.0, 0.0, 7000.0, [1.0, 0.3, 1.0, 0.3, 1.0, 0.3], 9.144)
def test_concave_parcels_keep_both_promises(
    lon: float, lat: float, size_m: float, radii: list[float], distance_m: float
) -> None:
    """House lots to school districts, 10 yards to 2 miles, up to 85 degrees and across 180."""
    area = shapely.Polygon(star(lon, lat, size_m, radii))
    assume(area.is_valid and area.area > 0)
    shape = assert_keeps_promise(cut(area), distance_m)
    for ring in shapely.get_parts(cut_geometry(area)):
        assert polygon_of(shape).buffer(1e-12).covers(ring)


def cut_geometry(area: shapely.Geometry) -> shapely.Geometry:
    return shapely.from_geojson(json.dumps(cut(area)))


@settings(max_examples=20, deadline=None)
@given(longitudes, latitudes, sizes, outlines, st.floats(0.2, 0.9), distances)
@example(-111.9, 33.4, 100.0, [1.0, 1.0, 1.0, 1.0], 0.9, 30.0)
@example(180.0, 60.0, 2000.0, [1.0, 0.6, 1.0, 0.6, 1.0], 0.9, 91.44)
@example(180.0, 85.0, 8000.0, [1.0, 0.6, 1.0, 0.6, 1.0], 0.9, 500.0)
def test_holes_shrink_or_fill(
    lon: float, lat: float, size_m: float, radii: list[float], share: float, distance_m: float
) -> None:
    """A hole stays where its middle is farther than the distance, and its new edge keeps both promises."""
    outer, inner = star(lon, lat, size_m, radii), star(lon, lat, size_m * share, radii)
    area = shapely.Polygon(outer, [inner])
    assume(area.is_valid and area.area > 0)
    geometry = cut(area)
    shape = assert_keeps_promise(geometry, distance_m)
    middle = (lon + 180) % 360 - 180, max(-85.0, min(85.0, lat))
    from_middle = distance_to_edges_m(middle, edges_of(geometry))
    if shapely.Polygon(inner).contains(shapely.Point(lon, lat)):
        is_in = polygon_of(shape).intersects(shapely.Point(middle))
        if from_middle > distance_m + EXACT_M:
            assert not is_in
        elif from_middle < distance_m - allowed_m(distance_m) - EXACT_M:
            assert is_in


@settings(max_examples=20, deadline=None)
@given(longitudes, latitudes, sizes, st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6), distances)
@example(180.0, 0.0, 5000.0, [1.0, 0.1], 91.44)
def test_lines_keep_both_promises(
    lon: float, lat: float, size_m: float, radii: list[float], distance_m: float
) -> None:
    """Roads of one edge or of many, also such that cross themselves or end near their start."""
    line = shapely.LineString(star(lon, lat, size_m, radii, 0.3)[:-1])
    assume(line.length > 0)
    assert_keeps_promise(cut(line), distance_m)


@settings(max_examples=20, deadline=None)
@given(longitudes, st.floats(-84.5, 84.5), sizes, outlines, distances, st.randoms(use_true_random=False))
def test_points_around_are_in_or_out_as_their_distance_says(
    lon: float, lat: float, size_m: float, radii: list[float], distance_m: float, chance: random.Random
) -> None:
    """No point beyond the distance is in the zone; all that are nearer by the shortfall allowed are."""
    area = shapely.Polygon(star(lon, lat, size_m, radii))
    assume(area.is_valid and area.area > 0)
    geometry = cut(area)
    edges, parcel = edges_of(geometry), shapely.from_geojson(json.dumps(geometry))
    zone = polygon_of(zone_around(geometry, distance_m))
    for _ in range(12):
        near = at(chance.choice(edges), chance.random())
        reach_m = distance_m * chance.choice([0.4, 0.9, 0.999, 1.0005, 1.01, 1.5])
        point = position_from(near, chance.uniform(0, 360), reach_m)
        from_parcel = 0.0 if parcel.intersects(shapely.Point(point)) else distance_to_edges_m(point, edges)
        is_in = zone.intersects(shapely.Point(point))
        if from_parcel > distance_m + EXACT_M:
            assert not is_in, (point, from_parcel)
        if from_parcel < distance_m - allowed_m(distance_m) - EXACT_M:
            assert is_in, (point, from_parcel)


def test_a_parcels_edge_is_straight_in_lon_lat() -> None:
    """The north side of a 20 km wide parcel at 60 degrees: a geodesic would lie 7 m north of it half way."""
    geometry = {
        "type": "Polygon",
        "coordinates": [[[10, 59.9], [10.36, 59.9], [10.36, 60], [10, 60], [10, 59.9]]],
    }
    shape = assert_keeps_promise(geometry, 91.44)
    end, middle = position_from((10.0, 60.0), 0, 91.44), position_from((10.18, 60.0), 0, 91.44)
    assert end[1] == pytest.approx(middle[1], abs=1e-12)
    assert bounds_of(shape)[3] == pytest.approx(end[1], abs=6e-7)
    geodesic = ELLIPSOID.InverseLine(60.0, 10.0, 60.0, 10.36)
    assert geodesic.Position(geodesic.s13 / 2)["lat2"] > 60.00006


@pytest.mark.parametrize("distance_m", [9.144, 91.44, 3218.688, 20_000.0])
@pytest.mark.parametrize("lat", [-33.4, 60.0, 84.0])
def test_long_edges_are_straight_in_lon_lat(lat: float, distance_m: float) -> None:
    """A county with sides of up to 300 km, where a strip's far side bends from a straight one."""
    ring = [[170, lat], [175, lat], [177, lat + 0.9], [172, lat + 0.95], [173, lat + 0.5], [170, lat]]
    assert_keeps_promise({"type": "Polygon", "coordinates": [ring]}, distance_m)


def test_parts_of_a_parcel_cut_at_180_degrees_are_one() -> None:
    """What lies on both sides of the meridian is cut where it was; both sides have the same vertices."""
    parcel = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[179.99, 10], [180, 10], [180, 10.01], [179.99, 10.01], [179.99, 10]]],
            [[[-180, 10], [-179.995, 10], [-179.995, 10.01], [-180, 10.01], [-180, 10]]],
        ],
    }
    shape = assert_keeps_promise(parcel, 91.44)
    assert len(shape.parts) == 2
    boundary = shape.boundary
    assert not ((np.abs(boundary.lon1) == 180) & (np.abs(boundary.lon2) == 180)).any()
    whole = {
        "type": "Polygon",
        "coordinates": [[[79.99, 10], [80.005, 10], [80.005, 10.01], [79.99, 10.01], [79.99, 10]]],
    }
    moved = [
        [[[lon + (100 if lon > 0 else 460), lat] for lon, lat in ring] for ring in part]
        for part in shape.to_coordinates()
    ]
    moved = [[[[lon - 200, lat] for lon, lat in ring] for ring in part] for part in moved]
    joined = shapely.union_all([shapely.Polygon(part[0]) for part in moved])
    elsewhere = polygon_of(zone_around(whole, 91.44))
    assert joined.symmetric_difference(elsewhere).area < 1e-6 * elsewhere.area


def test_a_zone_that_reaches_over_180_degrees_is_cut_there() -> None:
    """The parcel lies west of the meridian, the zone on both sides."""
    parcel = {
        "type": "Polygon",
        "coordinates": [[[179.998, 10], [179.9995, 10], [179.9995, 10.001], [179.998, 10]]],
    }
    shape = assert_keeps_promise(parcel, 91.44)
    touching = [sorted({y for x, y in part[0] if abs(x) == 180.0}) for part in shape.parts]
    assert len(touching) == 2
    assert touching[0] == touching[1]


def test_places_on_both_sides_of_180_degrees_are_neighbours() -> None:
    """Three islands, none cut: the zones of the two nearest the meridian join across it."""
    islands = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[-179.9997, 52], [-179.9995, 52], [-179.9995, 52.0002], [-179.9997, 52]]],
            [[[179.9994, 52], [179.9996, 52], [179.9996, 52.0002], [179.9994, 52]]],
            [[[172.9, 52.8], [173, 52.8], [173, 52.9], [172.9, 52.8]]],
        ],
    }
    shape = assert_keeps_promise(islands, 91.44)
    assert len(shape.parts) == 3
    assert not ((np.abs(shape.boundary.lon1) == 180) & (np.abs(shape.boundary.lon2) == 180)).any()


def test_a_u_closes_where_its_arms_are_near() -> None:
    """A court of 150 m between two wings is all within 100 yards; one of 250 m keeps an open middle."""
    degree = METRES_A_DEGREE
    for width_m, is_open in ((150, False), (250, True)):
        wide, wall, tall = width_m / degree, 20 / degree, 600 / degree
        ring = [
            [0, 0], [wide + 2 * wall, 0], [wide + 2 * wall, tall], [wide + wall, tall],
            [wide + wall, wall], [wall, wall], [wall, tall], [0, tall], [0, 0],
        ]  # fmt: skip
        shape = assert_keeps_promise({"type": "Polygon", "coordinates": [ring]}, 91.44)
        middle = shapely.Point(wall + wide / 2, tall * 0.6)
        assert polygon_of(shape).intersects(middle) is not is_open


def test_vertices_that_change_nothing_change_nothing() -> None:
    """A position in the middle of a side adds none to the outline of the zone but its own."""
    lot = [[0, 0], [0.001, 0], [0.001, 0.001], [0, 0.001], [0, 0]]
    more = [lot[0], [0.0005, 0], *lot[1:]]
    plain, detailed = (zone_around({"type": "Polygon", "coordinates": [ring]}, 91.44) for ring in (lot, more))
    assert polygon_of(plain).equals(polygon_of(detailed))


def test_winding_and_start_change_nothing() -> None:
    """The same parcel clockwise, or begun at another corner, has the same zone to the last byte."""
    ring = star(-111.9, 33.4, 300.0, [1.0, 0.4, 0.9, 0.5, 0.8])
    turned = [*ring[2:-1], *ring[:3]]
    zones = {
        zone_around({"type": "Polygon", "coordinates": [list(map(list, way))]}, 91.44).sha256
        for way in (ring, ring[::-1], turned)
    }
    assert len(zones) == 1


def test_places_and_directions_of_geodtest(shared_data: Path) -> None:
    """A lot with a notch at places of the geodesic test set, turned by its azimuths."""
    rows = (shared_data / "conformance/geodesic/GeodTest-100.dat").read_text().splitlines()
    tried = 0
    for line in rows[::4]:
        lat1, lon1, azimuth, *_ = (float(word) for word in line.split())
        lat = lat1 if tried % 2 else -lat1
        if abs(lat) > 84.9:
            continue
        corners = [(20, 0), (28, 45), (20, 90), (5, 90), (28, 135), (20, 180), (28, 225), (28, 315)]
        ring = [position_from((lon1, lat), azimuth + turn, metres) for metres, turn in corners]
        area = shapely.Polygon([(lon + (360 if lon < 0 else 0) if lon1 > 90 else lon, y) for lon, y in ring])
        assert_keeps_promise(cut(area), 91.44)
        tried += 1
    assert tried > 15


@pytest.mark.parametrize("place", ["brooklyn", "new-orleans"])
def test_real_neighbourhoods_keep_both_promises(shared_data: Path, place: str) -> None:
    """As drawn by a city's clerks, with shores of hundreds of positions."""
    features = json.loads((shared_data / "zones" / f"{place}.neighborhoods.geojson").read_text())["features"]
    for feature in features[::12]:
        assert_keeps_promise(feature["geometry"], 91.44)
