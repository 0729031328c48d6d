"""Geometries as clerks' files have them: accepted, or refused with place and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from stayaway.kernel.shape import Shape
from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_point, read_polygons
from stayaway.orders.zonefiles.limits import MAX_ZONE_VERTICES

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
HOLE = [[0.2, 0.2], [0.4, 0.2], [0.4, 0.4], [0.2, 0.4], [0.2, 0.2]]
AT = ("orders", 0, "zones", 0, "geometry")
PREFIX = "/orders/0/zones/0/geometry"


def read(geometry: dict[str, Any]) -> tuple[Shape | None, list[tuple[str, str]]]:
    findings = FindingList("O1")
    shape = read_polygons(geometry, AT, findings)
    return shape, [(finding.pointer.removeprefix(PREFIX), finding.remedy) for finding in findings.findings]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_any_winding_and_holes_are_taken() -> None:
    """Clockwise or not, the shape is the same; a polygon and its one-part multipolygon are alike."""
    shape, found = read(polygon(SQUARE, HOLE))
    assert found == []
    assert shape is not None
    assert read(polygon(SQUARE[::-1], HOLE[::-1]))[0] == shape
    assert read({"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]})[0] == shape


def test_a_zone_cut_at_180_is_taken() -> None:
    """Two parts that touch 180 and -180."""
    east = [[179, 0], [180, 0], [180, 1], [179, 1], [179, 0]]
    west = [[-180, 0], [-179, 0], [-179, 1], [-180, 1], [-180, 0]]
    shape, found = read({"type": "MultiPolygon", "coordinates": [[east], [west]]})
    assert found == []
    assert shape is not None


def test_a_zone_of_very_many_positions_is_refused_before_it_is_drawn() -> None:
    """In an orders file as in a zone file."""
    ring = [[0, 0], *([index / 1e6, 1] for index in range(MAX_ZONE_VERTICES)), [0, 0]]
    shape, found = read(polygon(ring))
    assert shape is None
    assert found == [("/coordinates", "A zone has at most 500,000 positions: simplify it.")]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "crs": (polygon(SQUARE) | {"crs": {}}, "/crs", "WGS 84"),
    "bbox": (polygon(SQUARE) | {"bbox": [0, 0, 0, 1, 1, 1]}, "/bbox", "Remove"),
    "foreign member": (polygon(SQUARE) | {"name": "home"}, "/name", "Remove"),
    "line": ({"type": "LineString", "coordinates": SQUARE}, "/type", "Polygon"),
    "feature": ({"type": "Feature", "coordinates": SQUARE}, "/type", "geometry itself"),
    "no type": ({"coordinates": [SQUARE]}, "/type", "Polygon"),
    "type no text": ({"type": ["Polygon"], "coordinates": [SQUARE]}, "/type", "Polygon"),
    "no coordinates": ({"type": "Polygon"}, "/coordinates", "Add"),
    "coordinates null": ({"type": "Polygon", "coordinates": None}, "/coordinates", "list of rings"),
    "empty": ({"type": "Polygon", "coordinates": []}, "/coordinates", "list of rings"),
    "empty multi": ({"type": "MultiPolygon", "coordinates": []}, "/coordinates", "list of polygons"),
    "empty part": (
        {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
        "/coordinates/1",
        "list of rings",
    ),
    "empty ring": (polygon([]), "/coordinates/0", "ring"),
    "too shallow": ({"type": "Polygon", "coordinates": SQUARE}, "/coordinates/0/0", "[lon, lat]"),
    "open": (polygon(SQUARE[:-1]), "/coordinates/0/3", "Close"),
    "short": (polygon([[0, 0], [1, 1], [0, 0]]), "/coordinates/0", "four positions"),
    "altitude": (polygon([[0, 0, 5], *SQUARE[1:]]), "/coordinates/0/0", "altitude"),
    "one number": (polygon([*SQUARE[:2], [1], *SQUARE[3:]]), "/coordinates/0/2", "two numbers"),
    "texts": (polygon([*SQUARE[:2], ["1", "1"], *SQUARE[3:]]), "/coordinates/0/2", "without quotes"),
    "booleans": (polygon([*SQUARE[:2], [True, 1], *SQUARE[3:]]), "/coordinates/0/2", "two numbers"),
    "huge": (polygon([*SQUARE[:2], [float("inf"), 1], *SQUARE[3:]]), "/coordinates/0/2", "too large"),
    "latitude 90.0002": (
        polygon([*SQUARE[:2], [1, 90.0002], *SQUARE[3:]]),
        "/coordinates/0/2",
        "[90.0002, 1]",
    ),
    "mercator": (polygon([*SQUARE[:2], [1e7, 4e6], *SQUARE[3:]]), "/coordinates/0/2", "projected"),
    "longitude 181": (polygon([*SQUARE[:2], [181, 4], *SQUARE[3:]]), "/coordinates/0/2", "-180..180"),
    "over 180": (
        polygon([[170, 0], [-170, 0], [-170, 1], [170, 1], [170, 0]]),
        "/coordinates/0/1",
        "cut the polygon",
    ),
    "bow tie": (polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]), "/coordinates", "crosses"),
    "spike": (polygon([[0, 0], [1, 0], [1, 1], [2, 2], [1, 1], [0, 1], [0, 0]]), "/coordinates", "itself"),
    "hole outside": (polygon(SQUARE, [[x + 5, y] for x, y in HOLE]), "/coordinates", "outside its outer"),
    "nested": ({"type": "MultiPolygon", "coordinates": [[SQUARE], [HOLE]]}, "/coordinates", "inside another"),
    "overlap": (
        {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[x + 0.5, y] for x, y in SQUARE]]]},
        "/coordinates",
        "itself",
    ),
    "vanishing": (polygon([[0, 0], [1e-9, 0], [1e-9, 1e-9], [0, 0]]), "/coordinates", "1e-7"),
    "valid until rounded": (
        polygon([[0, 0], [1, 0], [1, 1e-9], [0.5, 4e-8], [0, 0]]),
        "/coordinates",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_geometry_is_refused_with_place_and_remedy(name: str) -> None:
    """Nothing is repaired; the pointer leads to the position, ring or member."""
    geometry, pointer, remedy = REFUSED[name]
    findings = FindingList("O1")
    shape = read_polygons(geometry, AT, findings)
    found = [(finding.pointer.removeprefix(PREFIX), finding.remedy) for finding in findings.findings]
    assert shape is None
    assert findings.has_errors
    assert found[0][0] == pointer
    assert remedy in found[0][1]


def test_findings_of_one_geometry_are_limited_and_counted() -> None:
    """A projected file of thousands of positions is told once, not thousands of times."""
    _, found = read(polygon([[1e6, 1e6 + n] for n in range(500)] + [[1e6, 1e6]]))
    assert len(found) == 21
    assert found[-1][0] == "/coordinates"


@pytest.mark.parametrize(
    ("coordinates", "pointer"),
    [
        ([33.4, -111.9], "/coordinates"),
        ([], "/coordinates"),
        ("x", "/coordinates"),
        ([1, 2, 3], "/coordinates"),
    ],
)
def test_a_bad_point_is_refused(coordinates: Any, pointer: str) -> None:
    """The same words as for a vertex."""
    findings = FindingList("O1")
    assert read_point({"type": "Point", "coordinates": coordinates}, AT, findings) is None
    assert [finding.pointer for finding in findings.findings] == [PREFIX + pointer]


# ---------------------------------------------------------------- real and conformance files


def _geometries(value: Any) -> list[Any]:
    """Everything in a GeoJSON document, good or bad, that could be handed in as a geometry."""
    if isinstance(value, list):
        return [found for item in value for found in _geometries(item)]
    if not isinstance(value, dict):
        return []
    inner = [value[name] for name in ("geometry", "geometries", "features") if name in value]
    if value.get("type") in ("Feature", "FeatureCollection", "GeometryCollection") or inner:
        return [
            found for item in inner for found in ([item] if not isinstance(item, list) else _geometries(item))
        ]
    return [value]


def _read_all(folder: Path) -> dict[str, list[tuple[Shape | None, list[str]]]]:
    read_files: dict[str, list[tuple[Shape | None, list[str]]]] = {}
    for path in sorted([*folder.rglob("*.geojson"), *folder.rglob("*.json")]):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        results = []
        for geometry in _geometries(document):
            findings = FindingList("O1")
            shape = read_polygons(geometry, (), findings) if isinstance(geometry, dict) else None
            results.append((shape, [finding.remedy for finding in findings.findings]))
        read_files[str(path.relative_to(folder))] = results
    return read_files


@pytest.mark.parametrize(
    "suite", ["conformance/geojson_invalid_geometry", "conformance/geojsonhint", "zones/antimeridian"]
)
def test_every_suite_geometry_is_taken_or_refused_with_a_remedy(shared_data: Path, suite: str) -> None:
    """Never a traceback, never a refusal without a word, never a shape with an error."""
    read_files = _read_all(shared_data / suite)
    assert len(read_files) > 20
    for name, results in read_files.items():
        for shape, remedies in results:
            assert shape is None or not remedies, name


def test_geometry_suite_files_are_judged_as_named(shared_data: Path) -> None:
    """Valid polygons are taken; what the suite calls invalid is refused, but for winding."""
    read_files = _read_all(shared_data / "conformance/geojson_invalid_geometry")

    def taken(name: str) -> list[bool]:
        return [shape is not None for shape, _ in read_files[name]]

    for name in read_files:
        if name.startswith("valid/") and "olygon" in name and "3d" not in name and "bbox" not in name:
            assert all(taken(name)), name
    for name in ("unclosed", "less_three_unique_nodes", "incorrect_geometry_data_type"):
        assert not any(taken(f"invalid_geometries/invalid_{name}.geojson")), name
    for name in ("exterior_not_ccw", "interior_not_cw"):
        assert all(taken(f"invalid_geometries/invalid_{name}.geojson")), name
    for name in (
        "self_intersection_large",
        "self_intersection_small",
        "outside_lat_lon_boundaries",
        "3d_coordinates",
    ):
        assert not any(taken(f"problematic_geometries/problematic_{name}.geojson")), name


def test_the_expected_antimeridian_splits_are_taken(shared_data: Path) -> None:
    """What the antimeridian package gives is a good zone, but for edges along a pole."""
    outputs = [
        item for results in _read_all(shared_data / "zones/antimeridian/output").values() for item in results
    ]
    assert sum(shape is not None for shape, _ in outputs) >= 30
    for shape, remedies in outputs:
        assert shape is not None or "180 degrees" in remedies[0] or "Use Polygon" in remedies[0]


def test_real_neighbourhoods_are_taken_or_told_why(shared_data: Path) -> None:
    """73 multipolygons with clockwise rings: real files mostly pass as they are."""
    results = _read_all(shared_data / "zones")["new-orleans.neighborhoods.geojson"]
    assert sum(shape is not None for shape, _ in results) >= 70
