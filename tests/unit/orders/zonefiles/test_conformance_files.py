"""Published suites of good and bad files: each is taken or refused as its suite says, in words."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely
from shapely.geometry import shape

from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_point, read_polygons
from stayaway.orders.zonefiles.model import ReadOptions, UnreadableZoneFileError, ZoneFileReport
from stayaway.orders.zonefiles.read import read_zone_file
from support.zone_files import HUNDRED_YARDS, geojson, polygon, read, refusal, remedies, square

LINE = "A line is no zone"


def _read(path: Path) -> ZoneFileReport | UnreadableZoneFileError:
    options = ReadOptions(file_name=path.name, distance=HUNDRED_YARDS)
    try:
        return read_zone_file(path.read_bytes(), options)
    except UnreadableZoneFileError as error:
        return error


def _words(result: ZoneFileReport | UnreadableZoneFileError) -> list[str]:
    """Why something in the file is refused; nothing where all is taken."""
    return [str(result)] if isinstance(result, UnreadableZoneFileError) else remedies(result)


def _suite(folder: Path) -> Iterator[tuple[str, list[str]]]:
    paths = sorted(folder.rglob("*.geojson"))
    assert len(paths) > 15
    for path in paths:
        yield f"{path.parent.name}/{path.stem}", _words(_read(path))


# What a suite about form takes and a zone cannot be.
_NO_ZONES = {
    "good/good-geometrycollection": "No polygon is in the collection",
    "good/issue82": "latitude -90..90",
    "valid/valid_geometry_multipoint": "Give each point as a feature of its own",
    "valid/valid_geometry_geometrycollection_empty_geometries": "has a list of geometries",
}
# What a suite refuses or advises against and we take, saying so: WIRE.md takes any winding; the others are
# "should" in RFC 7946.
_TAKEN = {
    "invalid_geometries/invalid_exterior_not_ccw",
    "invalid_geometries/invalid_interior_not_cw",
    "bad/bad-polygon-interiorring-rhr",
    "bad/polygon_winding_order",
    "bad/excessive_precision_truncated",
    "bad/point-toomany",
    "bad/geometrycollection_single",
}


def test_good_files_are_taken_or_are_no_zones(shared_data: Path) -> None:
    """Every file that a suite calls valid is taken, lines by a distance; the rest is told apart."""
    conformance = shared_data / "conformance"
    for folder in (conformance / "geojsonhint/good", conformance / "geojson_invalid_geometry/valid"):
        for name, words in _suite(folder):
            if name in _NO_ZONES:
                assert any(_NO_ZONES[name] in text for text in words), (name, words)
            else:
                assert words == [], name


def test_bad_files_are_refused_each_in_its_own_words(shared_data: Path) -> None:
    """Every file that a suite calls invalid is refused with a remedy; the words tell causes apart."""
    said: dict[str, list[str]] = {}
    conformance = shared_data / "conformance"
    for folder in ("invalid_geometries", "invalid_structure"):
        paths = (conformance / "geojson_invalid_geometry" / folder).glob("*.geojson")
        said |= {f"{folder}/{path.stem}": _words(_read(path)) for path in sorted(paths)}
    said |= dict(_suite(conformance / "geojsonhint/bad"))
    assert {name for name, words in said.items() if not words} == _TAKEN
    assert all(len(text) > 20 for words in said.values() for text in words)
    assert len({words[0] for words in said.values() if words}) >= 25


def test_problematic_files_are_explained(shared_data: Path) -> None:
    """What is legal but doubtful is taken with a word about it, or refused with one."""
    folder = shared_data / "conformance/geojson_invalid_geometry"
    results = {path.stem[len("problematic_") :]: _read(path) for path in folder.glob("problematic_*/*")}
    expected = {
        "3d_coordinates": "Heights",
        "4d_coordinates": "Heights",
        "crosses_antimeridian": "180 degree meridian",
        "crs_defined": "no `crs` member",
        "duplicate_nodes": "Repeated positions",
        "feature_null_geometry": "no geometry",
        "geometrycollection_single": "collection of one",
        "inner_and_exterior_ring_intersect": "crosses or touches itself",
        "nested_geometrycollection": "Collections in collections",
        "outside_lat_lon_boundaries": "Longitude must be",
        "self_intersection_large": "crosses or touches itself",
        "self_intersection_small": "crosses or touches itself",
        "zero_length_linestring": "two or more different positions",
    }
    for name, words in expected.items():
        result = results.pop(name)
        assert isinstance(result, ZoneFileReport), name
        assert any(words in finding.remedy for finding in result.findings), name
    for name, result in results.items():
        assert isinstance(result, ZoneFileReport), name
        assert not result.has_errors, name


def test_json_texts_are_refused_as_json_or_as_no_geojson(shared_data: Path) -> None:
    """What is no JSON is refused as that, with the place; what is JSON is refused as no GeoJSON."""
    paths = sorted((shared_data / "conformance/json_test_suite/test_parsing").glob("*.json"))
    assert len(paths) > 300
    is_no_geojson = ("JSON but no GeoJSON", "spelt")
    for path in paths:
        words = refusal(path.read_bytes())
        if path.name.startswith("y_"):
            assert any(text in words for text in is_no_geojson), (path.name, words)
        elif path.name.startswith("n_"):
            # Not one of them may pass for a GeoJSON text that merely holds nothing.
            assert not any(text in words for text in is_no_geojson), (path.name, words)


def test_naughty_names_are_kept_or_left_out_with_a_word(shared_data: Path) -> None:
    """Any text may be a name; one with control characters is left out, and the zone stays usable."""
    texts = json.loads((shared_data / "conformance/naughty_strings/blns.json").read_text(encoding="utf-8"))
    report = read(geojson(*[polygon(square())] * len(texts), names=texts))
    assert len(report.usable) == len(texts) > 400
    warned = {finding.candidate for finding in report.findings if finding.severity == "WARNING"}
    for candidate, text in zip(report.candidates, texts, strict=True):
        if candidate.number not in warned:
            assert candidate.name == (text.strip() or None)
        else:
            assert candidate.name is None
            assert any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text.strip())


# Outlines whose inside is not clear, or that are invalid: refused, in words.
_UNCLEAR = {
    "extra-crossing": "either side could be meant",
    "force-north-pole": "either side could be meant",
    "issues-124": "either side could be meant",
    "issues-182": "crosses or touches itself",
    "issues-187": "Close the ring",
    "line": LINE,
    "multi-line": LINE,
    "overlap": "crosses or touches itself",
}


def test_zones_over_the_180_degree_meridian_are_cut_as_expected(shared_data: Path) -> None:
    """Cut as the antimeridian package's own expected files have it, or refused in words."""
    folder = shared_data / "zones/antimeridian"
    compared = 0
    for path in sorted((folder / "input").glob("*.json")):
        report = read(path.read_bytes())
        if path.stem in _UNCLEAR:
            assert any(_UNCLEAR[path.stem] in text for text in remedies(report)), path.stem
            assert not report.usable
            continue
        (candidate,) = report.usable
        assert candidate.geometry is not None
        assert read_polygons(candidate.geometry, (), FindingList(None)) is not None
        expected_path = folder / "output/flat" / path.name
        if not expected_path.exists():
            continue
        expected = json.loads(expected_path.read_text(encoding="utf-8"))
        wanted, got = shape(expected.get("geometry", expected)), shape(candidate.geometry)
        # Vertices are rounded to 1e-7 degree here, and edges along a pole have a vertex more.
        assert shapely.symmetric_difference(got, shapely.make_valid(wanted)).area < 1e-6, path.stem
        compared += 1
    assert compared >= 20


@pytest.mark.parametrize(
    ("name", "zones"),
    [
        ("brooklyn.neighborhoods.geojson", 54),
        ("new-orleans.neighborhoods.geojson", 73),
        ("nybb_16a_EPSG2263.zip", 5),
        ("subset_50m_alaska_louisiana_california_newyork.geojson", 5),
        ("subset_50m_antimeridian_polar_holes.geojson", 11),
    ],
)
def test_real_files_give_usable_zones(shared_data: Path, name: str, zones: int) -> None:
    """Every zone of real layers is usable, and as the orders file's own check wants it."""
    report = read((shared_data / "zones" / name).read_bytes(), file_name=name)
    assert not report.has_errors
    assert len(report.usable) == zones
    for candidate in report.usable:
        assert candidate.geometry is not None
        assert read_polygons(candidate.geometry, (), FindingList(None)) is not None


def test_boroughs_in_us_feet_lie_where_they_do(shared_data: Path) -> None:
    """New York's boroughs come out of State Plane feet with their published areas and places."""
    report = read((shared_data / "zones/nybb_16a_EPSG2263.zip").read_bytes())
    assert (report.crs.code, report.crs.accuracy_m) == ("EPSG:2263", 4.0)
    areas = {candidate.name: candidate.area_m2 for candidate in report.candidates}
    # Shape_Area of the layer, in square US feet.
    published = {
        "Staten Island": 1_623_819_823.81,
        "Queens": 3_049_947_210.41,
        "Brooklyn": 1_937_478_507.74,
        "Manhattan": 636_471_539.77,
        "Bronx": 1_186_926_686.25,
    }
    assert areas.keys() == published.keys()
    foot = 1200 / 3937
    for name, area in published.items():
        got = areas[name]
        assert got is not None
        assert got == pytest.approx(area * foot * foot, rel=2e-3), name
    manhattan = next(candidate for candidate in report.candidates if candidate.name == "Manhattan")
    assert shape(manhattan.geometry).contains(shapely.Point(-73.9654, 40.7829))  # Central Park


def test_a_real_layer_of_schools_gives_points_with_the_distance_given() -> None:
    """Points in Arizona State Plane feet become zones once the distance is said, and only then."""
    from support.zone_files import geodanet

    report = read(geodanet("schools"))
    assert not report.usable
    assert all("needs the distance" in text for text in remedies(report))
    report = read(geodanet("schools"), distance=HUNDRED_YARDS)
    assert len(report.usable) == 8
    for candidate in report.usable:
        assert candidate.geometry is not None
        position = read_point(candidate.geometry, (), FindingList(None))
        assert position is not None
        assert -111.9 < position[0] < -111.8
        assert 33.3 < position[1] < 33.5
    streets = read(geodanet("streets"))
    assert len(streets.candidates) == 293
    assert not streets.usable
    assert all(LINE in text for text in remedies(streets))
