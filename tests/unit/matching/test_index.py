"""The index may find too many, never too few."""

import random

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from stayaway.kernel.shape import Shape
from stayaway.matching.index import ZoneIndex
from stayaway.orders.distance import circle
from support.zone_entries import ZoneEntry, boxes_of

PLACES = [(-111.9, 33.4), (179.999, -17.0), (-179.999, 60.0), (0.0, 0.0), (24.9, 84.9)]


@pytest.mark.parametrize(("lon", "lat"), PLACES)
@pytest.mark.parametrize("reach_m", [0.5, 500.0, 20_000.0])
def test_every_point_within_reach_is_found(lon: float, lat: float, reach_m: float) -> None:
    rng = random.Random(4)
    distance_m = 91.44
    others = [ZoneEntry(circle(lon, -lat + 1, 50.0), 10.0, 0)]
    index = ZoneIndex.of(boxes_of([*others, ZoneEntry(circle(lon, lat, distance_m), reach_m, 1)]))
    found = [
        Geodesic.WGS84.Direct(
            lat, lon, rng.uniform(0, 360), (distance_m - 0.6 + reach_m) * rng.uniform(0.9, 1)
        )
        for _ in range(300)
    ]
    lons = np.array([(item["lon2"] + 180) % 360 - 180 for item in found])
    rows, owners = index.query(lons, np.array([item["lat2"] for item in found]))
    assert set(rows[owners == 1].tolist()) == set(range(300))


@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_no_candidate_is_lost_and_neighbours_change_nothing(lon: float, lat: float) -> None:
    """Every (point, zone) pair within reach by geodesics is found, alone as in a batch."""
    rng = random.Random(9)

    def around(reach_m: float) -> tuple[float, float]:
        item = Geodesic.WGS84.Direct(lat, lon, rng.uniform(0, 360), rng.uniform(0, reach_m))
        return (item["lon2"] + 180) % 360 - 180, item["lat2"]

    zones = [(*around(3_000), rng.uniform(50, 400), rng.uniform(0, 600)) for _ in range(40)]
    entries = [ZoneEntry(circle(x, y, size), reach, n) for n, (x, y, size, reach) in enumerate(zones)]
    points = [around(4_000) for _ in range(60)]
    wanted = {
        (row, owner)
        for row, (x, y) in enumerate(points)
        for owner, (zone_x, zone_y, size, reach) in enumerate(zones)
        if Geodesic.WGS84.Inverse(y, x, zone_y, zone_x)["s12"] <= size + reach - 0.6
    }
    index = ZoneIndex.of(boxes_of(entries))
    columns = np.array(points)
    found = set(zip(*(column.tolist() for column in index.query(columns[:, 0], columns[:, 1])), strict=True))
    assert wanted <= found
    assert len(wanted) > 20
    alone = {
        (row, int(owner))
        for row in range(len(points))
        for owner in index.query(columns[row : row + 1, 0], columns[row : row + 1, 1])[1]
    }
    assert alone == found
    backwards = ZoneIndex.of(boxes_of(entries[::-1]))
    assert (
        set(zip(*(c.tolist() for c in backwards.query(columns[:, 0], columns[:, 1])), strict=True)) == found
    )


def test_the_two_names_of_the_meridian_find_the_same() -> None:
    index = ZoneIndex.of(boxes_of([ZoneEntry(circle(180.0, 10.0, 100.0), 5.0, 7)]))
    rows, _ = index.query(np.array([180.0, -180.0, 179.9995, -179.9995, 0.0]), np.full(5, 10.0))
    assert set(rows.tolist()) == {0, 1, 2, 3}


def test_reach_over_a_pole_goes_all_the_way_round() -> None:
    ring = [(0.0, 89.9), (1.0, 89.9), (1.0, 89.95), (0.0, 89.95), (0.0, 89.9)]
    index = ZoneIndex.of(boxes_of([ZoneEntry(Shape.from_parts([[ring]]), 20_000.0, 0)]))
    rows, _ = index.query(np.array([-179.0, 90.0]), np.array([89.95, 90.0]))
    assert set(rows.tolist()) == {0, 1}


def test_an_index_of_nothing_finds_nothing() -> None:
    rows, owners = ZoneIndex.of(boxes_of([])).query(np.array([1.0]), np.array([1.0]))
    assert (rows.size, owners.size) == (0, 0)
