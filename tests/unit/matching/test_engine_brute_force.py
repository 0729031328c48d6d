"""The gates only choose whom to judge: with them every event gets what judging it under every order gives."""

import hashlib
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.bucketmap import BucketMap
from stayaway.matching.case import DecisionInput
from stayaway.matching.decision import circle_radius_m, decide
from stayaway.matching.engine import Engine
from stayaway.matching.layers import LayeredIndex
from stayaway.orders.model import Zone
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import decode_batch
from stayaway.sightings.model import Refusal
from stayaway.sightings.wire import parse_sighting
from support.changing_orders import AT, POLICY, World, fix

CAP_M = POLICY.accuracy_cap_m


def reach_m(zone: Zone) -> float:
    """How far out a zone can matter."""
    return max(zone.warning_m or 0.0, circle_radius_m(CAP_M, zone.anchor_accuracy_m))


def watched(world: World) -> RegistrySnapshot:
    """Its orders, each with device D1 for its respondent."""
    orders = {}
    for order_id, order in world.snapshot.orders.items():
        versions = [
            replace(v, respondents=tuple(replace(r, device_ids=("D1",)) for r in v.respondents))
            for v in order.versions
        ]
        orders[order_id] = replace(order, versions=tuple(versions))
    return replace(world.snapshot, orders=BucketMap(orders))


def at_the_reach(snapshot: RegistrySnapshot, rng: random.Random, count: int) -> list[bytes]:
    """Fixes at a zone's reach from a corner of it, a little nearer or farther."""
    zones = [zone for order in snapshot.orders.values() for v in order.versions for zone in v.zones]
    lines = []
    for number in range(count):
        zone = rng.choice(zones)
        lon, lat = rng.choice(zone.shape.parts[0][0])
        away_m = reach_m(zone) * rng.choice([0.5, 0.999, 0.99999, 1.0, 1.00001, 1.001])
        spot = Geodesic.WGS84.Direct(lat, lon, rng.choice([0, 90, 180, 270, rng.uniform(0, 360)]), away_m)
        lines.append(fix(number, (spot["lon2"] + 180) % 360 - 180, spot["lat2"]))
    return lines


def test_at_the_edge_of_their_reach_no_zone_is_missed() -> None:
    """Warning rings, the largest circle that counts, the anchor's own accuracy, the cut and a pole."""
    relations = set[str]()
    for seed in range(3):
        world = World(seed)
        world.change([f"O{n}" for n in range(25)])
        snapshot = watched(world)
        lines = at_the_reach(snapshot, random.Random(seed), 120)
        batch = decode_batch(lines, POLICY)
        found = {d.index: d.matches for d in Engine(snapshot, POLICY).judge(batch).decisions}
        for number, line in enumerate(lines):
            sighting = parse_sighting(line)
            assert not isinstance(sighting, Refusal)
            given = [
                DecisionInput(
                    sighting=sighting,
                    content_sha256=hashlib.sha256(line).digest(),
                    order=snapshot.orders[order_id],
                    policy=POLICY,
                    policy_sha256=POLICY.sha256,
                    known_at=snapshot.known_at,
                )
                for order_id in sorted(snapshot.orders)
            ]
            expected = [match for one in given for match in decide(one)]
            assert list(found.get(number, ())) == expected
            relations |= {match.zone_relation for match in expected}
    assert relations == {"INSIDE", "INSIDE_WITHIN_ERROR", "WARNING"}


NUMBERS = st.one_of(
    st.floats(-200, 200),
    st.sampled_from([180.0, -180.0, 90.0, -90.0, 180.00000000000003, -90.00000000000001, 1e308, -0.0]),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "1e400", "-1e999", "null", '"33.4"', "[]", "1e3"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30))
def test_only_finite_numbers_in_range_reach_the_index(places: list[tuple[Any, Any]]) -> None:
    lines = [fix(0, -111.9, 33.4)]
    lines += [
        fix(number, 0.0, 0.0)
        .replace(b'"lon": 0.0', f'"lon": {lon}'.encode())
        .replace(b'"lat": 0.0', f'"lat": {lat}'.encode())
        for number, (lon, lat) in enumerate(places, start=1)
    ]
    asked: list[tuple[Any, Any]] = []
    original = LayeredIndex.query

    def query(self: LayeredIndex, lon: Any, lat: Any) -> Any:
        asked.append((lon, lat))
        return original(self, lon, lat)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LayeredIndex, "query", query)
        Engine(RegistrySnapshot(BucketMap(), 0, AT, BucketMap()), POLICY).judge(decode_batch(lines, POLICY))
    (lon, lat), *more = asked
    assert not more
    assert len(lon) == len(lat) >= 1
    assert (np.isfinite(lon) & (np.abs(lon) <= 180)).all()
    assert (np.isfinite(lat) & (np.abs(lat) <= 90)).all()
    good = [
        p for p in places if all(isinstance(v, float) for v in p) and abs(p[0]) <= 180 and abs(p[1]) <= 90
    ]
    assert len(lon) == 1 + len(good)
