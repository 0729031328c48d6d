"""The readers file, and zones that no reader covers."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from stayaway.kernel.errors import SettingsError
from stayaway.orders.cli_support import check_lines
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.known_places_files import load_known_places
from stayaway.orders.readers import DEFAULT_REACH_M, Reader, parse_readers_file
from stayaway.platform.settings import Settings
from support.advised import PHOENIX, drawn, findings, only, order, orders_file, pointers, respondent, zone

LON, LAT = PHOENIX
GEOD = Geod(ellps="WGS84")
CAMERAS = Path(__file__).parents[4] / "shared/data/cameras/east_bay_alpr_cameras.json"


def reader_at(bearing_deg: float, distance_m: float, reach_m: float = DEFAULT_REACH_M) -> Reader:
    lon, lat, _ = GEOD.fwd(LON, LAT, bearing_deg, distance_m)
    return Reader("r1", lon, lat, reach_m)


def with_zone(place: dict[str, Any]) -> dict[str, Any]:
    return orders_file(order(1, zones=[place]))


# ---------------------------------------------------------------- coverage


@settings(max_examples=100, deadline=None)
@given(
    bearing=st.floats(0, 360),
    beyond_m=st.floats(-90, 400).filter(lambda m: abs(m - 30) > 1),
)
def test_a_reader_covers_what_lies_within_its_reach(bearing: float, beyond_m: float) -> None:
    """Geodesics from the anchor of a 100-yard zone; within a metre of the threshold nothing is said."""
    found = findings(with_zone(zone(LON, LAT)), [reader_at(bearing, 91.44 + beyond_m)])
    assert bool(found) == (beyond_m > DEFAULT_REACH_M)


def test_a_zone_without_a_reader_is_noted() -> None:
    pointer, remedy = only(with_zone(zone(LON, LAT)), [])
    assert pointer == "/orders/0/zones/0/zone_id"
    assert remedy.startswith("No reader covers this zone")
    assert pointers(with_zone(zone(LON, LAT))) == []  # nobody said where readers stand


def test_reach_and_warning_ring_count() -> None:
    far = reader_at(45, 300)
    assert pointers(with_zone(zone(LON, LAT)), [far]) != []
    assert pointers(with_zone(zone(LON, LAT)), [reader_at(45, 300, reach_m=215)]) == []
    assert pointers(with_zone(zone(LON, LAT, warning_m=200)), [far]) == []


def test_one_reader_near_enough_among_many() -> None:
    crowd = [Reader(f"r{k}", LON + k / 100, LAT, 30.0) for k in range(1, 50)]
    assert pointers(with_zone(drawn(LON, LAT, 0.001)), crowd) != []
    assert pointers(with_zone(drawn(LON, LAT, 0.001)), [*crowd, Reader("r0", LON, LAT, 30.0)]) == []


def test_who_has_only_a_device_needs_no_reader() -> None:
    worn = respondent(1, vehicles=[], devices=[{"device_id": "D9"}])
    assert pointers(orders_file(order(1, respondents=[worn])), []) == []


def test_real_reader_sites() -> None:
    """Zones drawn at real sites are covered; the same zones out on the bay are not."""
    if not CAMERAS.exists():
        pytest.skip("the shared camera sites are not on this machine")
    sites = json.loads(CAMERAS.read_text())["cameras"]
    file = {
        "schema": "readers.v1",
        "readers": [{"reader_id": f"osm-{s['id']}", "lon": s["lon"], "lat": s["lat"]} for s in sites],
    }
    readers = list(parse_readers_file(json.dumps(file).encode()))
    assert len(readers) == len(sites) > 50
    california = {
        "court": {"ori": "CA999001J", "time_zone": "America/Los_Angeles"},
        "agency": {"ori": "CA9990000", "telephone": "+1 555 0100"},
    }
    near = [
        order(k, zones=[zone(s["lon"], s["lat"])], **california) for k, s in enumerate(sites[:20], start=1)
    ]
    bay = [order(k, zones=[zone(-122.36 - k / 1000, 37.75)], **california) for k in range(21, 31)]
    assert pointers(orders_file(*near, *bay), readers) == [
        f"/orders/{k}/zones/0/zone_id" for k in range(20, 30)
    ]


# ---------------------------------------------------------------- the file


def readers_file(**changes: Any) -> bytes:
    return json.dumps(
        {"schema": "readers.v1", "readers": [{"reader_id": "7", "lon": -112.0, "lat": 33.4}]} | changes
    ).encode()


def test_a_readers_file() -> None:
    assert parse_readers_file(readers_file()) == (Reader("7", -112.0, 33.4, DEFAULT_REACH_M),)
    near = [{"reader_id": "7", "lon": -112, "lat": 33.4, "reach_m": 12.5}]
    assert parse_readers_file(readers_file(readers=near))[0].reach_m == 12.5


def test_the_pages_own_example_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "deploy" / "orders-check.md").read_text(encoding="utf-8")
    example = page.partition("## A readers file")[2].partition("```json")[2].partition("```")[0]
    assert parse_readers_file(example.encode()) == (Reader("cam-7", -112.074, 33.448, 25.0),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not a JSON text"),
        (b"[]", "no JSON object"),
        (readers_file(schema="readers.v2"), "/schema"),
        (readers_file(extra=1), "/extra"),
        (readers_file(readers={}), "/readers"),
        (readers_file(readers=[{"reader_id": "7", "lon": -112.0}]), "/readers/0/lat"),
        (readers_file(readers=[{"reader_id": "7", "lon": "-112.0", "lat": 33.4}]), "/readers/0/lon"),
        (readers_file(readers=[{"reader_id": "7", "lon": -112.0, "lat": 91}]), "/readers/0/lat"),
        (
            readers_file(readers=[{"reader_id": "7", "lon": -112.0, "lat": 33.4, "reach_m": 0}]),
            "/readers/0/reach_m",
        ),
        (
            readers_file(readers=[{"reader_id": "7", "lon": -112.0, "lat": 33.4, "reach_m": None}]),
            "/readers/0/reach_m",
        ),
        (readers_file(readers=[{"reader_id": "a b", "lon": -112.0, "lat": 33.4}]), "/readers/0/reader_id"),
    ],
)
def test_a_bad_readers_file_names_the_field(data: bytes, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_readers_file(data)
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_zone_without_a_reader_refuses_nothing() -> None:
    data = json.dumps(orders_file(order(1))).encode()
    now = datetime(2026, 3, 6, tzinfo=UTC)
    lines, code = check_lines(data, KnownPlaces(readers=parse_readers_file(readers_file())), now=now)
    assert (code, len(lines), "No reader" in lines[0]) == (0, 1, True)
    assert check_lines(data, now=now) == ([], 0)


def test_without_a_list_of_readers_that_is_said_and_an_empty_list_is_one() -> None:
    (words,) = NO_PLACES.not_checked
    assert "STAYAWAY_READERS_FILE" in words
    assert KnownPlaces(readers=()).not_checked == ()


def test_the_files_named_by_the_settings_are_read_with_their_digests(tmp_path: Path) -> None:
    file = tmp_path / "readers.json"
    file.write_bytes(readers_file())
    places = load_known_places(Settings(readers_file=file))
    assert places.readers == parse_readers_file(readers_file())
    assert places.file_sha256 == {"readers": hashlib.sha256(readers_file()).hexdigest()}
    assert load_known_places(Settings()) == NO_PLACES
    with pytest.raises(SettingsError, match=r"readers file .* cannot be read"):
        load_known_places(Settings(readers_file=tmp_path / "none"))
