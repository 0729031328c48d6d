"""A distance around what a file holds: each feature drawn, or refused with words."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from stayaway.orders.around import MAX_FEATURES, draw_around, to_zone_feature
from stayaway.orders.distance import DistanceError
from support.commands import run_stayaway

LINE = {"type": "LineString", "coordinates": [[-111.9, 33.4], [-111.898, 33.4]]}
PARCEL = {
    "type": "Polygon",
    "coordinates": [[[-111.9, 33.4], [-111.8995, 33.4], [-111.8995, 33.4004], [-111.9, 33.4]]],
}


def collection(*geometries: dict[str, Any]) -> dict[str, Any]:
    features = [
        {"type": "Feature", "properties": {"name": f"Place {i}"}, "geometry": geometry}
        for i, geometry in enumerate(geometries, start=1)
    ]
    return {"type": "FeatureCollection", "features": features}


@pytest.mark.parametrize("body", [LINE, {"type": "Feature", "properties": None, "geometry": LINE}])
def test_a_lone_geometry_or_feature(body: dict[str, Any]) -> None:
    (drawn,) = draw_around(body, 100, "YD")
    feature = to_zone_feature(drawn, 100, "YD")
    zone, line = shapely.geometry.shape(feature["geometry"]), shapely.geometry.shape(LINE)
    assert zone.is_valid
    assert zone.contains(line)
    assert feature["properties"]["distance_unit"] == "YD"
    # A strip of 186 m by 183 m, and a circle's two halves.
    assert feature["properties"]["area_m2"] == pytest.approx(186 * 182.88 + 26_268, rel=0.01)


def test_what_cannot_be_drawn_spares_the_others() -> None:
    crossed = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    drawn = list(draw_around(collection(PARCEL, crossed, LINE), 50, "M"))
    assert [item.shape is None for item in drawn] == [False, True, False]
    assert [item.name for item in drawn] == ["Place 1", "Place 2", "Place 3"]
    assert drawn[1].remedy


@pytest.mark.parametrize(
    "body", [[], {"type": "FeatureCollection", "features": []}, {"type": "Feature", "geometry": None}, 7]
)
def test_no_geojson(body: Any) -> None:
    with pytest.raises(DistanceError, match="no GeoJSON"):
        list(draw_around(body, 100, "YD"))


def test_a_whole_layer_is_refused() -> None:
    with pytest.raises(DistanceError, match="at most"):
        list(draw_around(collection(*[LINE] * (MAX_FEATURES + 1)), 100, "YD"))


def test_by_command_into_an_order(tmp_path: Path) -> None:
    """What is written can stand in an order as it is; exit 1 where some could not be drawn."""
    source, out = tmp_path / "places.geojson", tmp_path / "zones.geojson"
    options = ("--distance", "100", "--unit", "YD", "--out", str(out))
    source.write_text(json.dumps(collection(PARCEL, {"type": "GeometryCollection", "geometries": []})))
    done = run_stayaway("zones", "around", str(source), *options)
    assert done.returncode == 1
    assert b"2 Place 2: not drawn" in done.stdout
    (feature,) = json.loads(out.read_bytes())["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    source.write_bytes(b"PK\x03\x04")
    done = run_stayaway("zones", "around", str(source), *options)
    assert done.returncode == 2
    assert b"no GeoJSON" in done.stderr
