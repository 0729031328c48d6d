"""`stayaway zones read` explains a file and ends with the exit code that fits."""

import json
from pathlib import Path

import pytest
import shapely
from shapely.geometry import shape

from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_polygons
from support.commands import run_stayaway, says_no_traceback
from support.zone_files import (
    bowtie,
    geodanet,
    geojson,
    kml,
    kml_line,
    kml_polygon,
    polygon,
    square,
)


def test_a_good_file_is_explained_and_written(tmp_path: Path) -> None:
    """Exit 0; the zones come out as GeoJSON that can be read again."""
    file, out = tmp_path / "schools.zip", tmp_path / "out.geojson"
    file.write_bytes(geodanet("schools"))
    done = run_stayaway("zones", "read", file, "--distance", "100", "--unit", "YD", "--out", out)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"8 of 8 candidates can be used" in done.stdout
    assert len(json.loads(out.read_bytes())["features"]) == 8
    assert run_stayaway("zones", "read", out).returncode == 0
    assert list(tmp_path.glob("*.part")) == []


def test_a_crossing_zone_ends_with_1_until_its_repair_is_accepted(tmp_path: Path) -> None:
    """With --json the report is one object."""
    file = tmp_path / "zones.geojson"
    file.write_bytes(geojson(polygon(bowtie()), polygon(square())))
    done = run_stayaway("zones", "read", file, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["usable"] == 1
    done = run_stayaway("zones", "read", file, "--accept-repair", "1")
    assert done.returncode == 0
    assert b"The repair was accepted" in done.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF", b"a PDF"),
        (b"", b"empty"),
        (b'{"type":"FeatureCollection"', b"no JSON"),
        (None, b"cannot be read"),
    ],
)
def test_an_unreadable_file_ends_with_2(tmp_path: Path, content: bytes | None, words: bytes) -> None:
    """In words on standard error."""
    file = tmp_path / "zones.geojson"
    if content is not None:
        file.write_bytes(content)
    done = run_stayaway("zones", "read", file)
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in done.stderr
    assert says_no_traceback(done)


AROUND = ("--distance", "100", "--unit", "YD", "--out")


def test_a_place_given_twice_is_not_drawn_around(tmp_path: Path) -> None:
    """The last would be one of two places."""
    file, out = tmp_path / "place.geojson", tmp_path / "out.geojson"
    file.write_text('{"type":"Point","coordinates":[-111.9,33.4],"coordinates":[-111.8,33.4]}')
    done = run_stayaway("zones", "around", file, *AROUND, out)
    assert done.returncode == 1
    assert b"The name stands here 2 times" in done.stdout
    assert json.loads(out.read_bytes())["features"] == []


def test_a_distance_is_drawn_around_all_of_a_file_into_an_order(tmp_path: Path) -> None:
    """What is written can stand in an order as it is; exit 1 where some could not be drawn."""
    file, out = tmp_path / "places.kml", tmp_path / "zones.geojson"
    street = [[-111.93, 33.42], [-111.92, 33.421]]
    file.write_bytes(kml(kml_line(street, attributes="<name>Street</name>") + kml_polygon(square(), "Lot")))
    done = run_stayaway("zones", "around", file, *AROUND, out)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"1 Street: usable, Polygon, " in done.stdout
    features = json.loads(out.read_bytes())["features"]
    assert [feature["properties"]["name"] for feature in features] == ["Street", "Lot"]
    for feature, place in zip(features, (shapely.LineString(street), shapely.Polygon(square())), strict=True):
        assert (feature["properties"]["distance_value"], feature["properties"]["distance_unit"]) == (
            100,
            "YD",
        )
        assert shape(feature["geometry"]).contains(place)
        assert read_polygons(feature["geometry"], (), FindingList(None)) is not None
    file.write_bytes(kml(kml_line(street) + kml_polygon(bowtie())))
    done = run_stayaway("zones", "around", file, *AROUND, out)
    assert done.returncode == 1
    assert len(json.loads(out.read_bytes())["features"]) == 1
    assert run_stayaway("zones", "around", file, *AROUND, out, "--accept-repair", "2").returncode == 0
    file.write_bytes(b"PK\x03\x04")
    done = run_stayaway("zones", "around", file, *AROUND, out)
    assert (done.returncode, b"The zip is damaged" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        ["--distance", "100"],
        ["--unit", "YD"],
        ["--distance", "-1", "--unit", "YD"],
        ["--distance", "1", "--unit", "MI"],
    ],
)
def test_half_a_distance_is_refused(tmp_path: Path, options: list[str]) -> None:
    """Before anything is read."""
    file = tmp_path / "zones.geojson"
    file.write_bytes(geojson(polygon(square())))
    done = run_stayaway("zones", "read", file, *options)
    assert done.returncode == 2
    assert says_no_traceback(done)


def test_a_file_without_zones_has_nothing_to_use(tmp_path: Path) -> None:
    """Exit 1, though nothing in it is wrong."""
    file = tmp_path / "zones.geojson"
    file.write_bytes(geojson())
    assert run_stayaway("zones", "read", file).returncode == 1


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    """500 MB of nothing, sparse."""
    file = tmp_path / "zones.geojson"
    with file.open("wb") as handle:
        handle.truncate(500 * 1024 * 1024)
    done = run_stayaway("zones", "read", file)
    assert done.returncode == 2
    assert b"MB" in done.stderr


def test_progress_of_many_features_is_told(tmp_path: Path) -> None:
    """On standard error."""
    file = tmp_path / "zones.geojson"
    file.write_bytes(geojson(*[polygon(square())] * 1_000))
    done = run_stayaway("zones", "read", file)
    assert b"1000 of 1000 candidates read" in done.stderr
