"""An engine that grew by changes judges, bit for bit, as one that was built from what there is now."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.shape import Shape
from stayaway.kernel.steps import Steps, finish
from stayaway.matching import index, layers
from stayaway.matching.engine import Engine
from stayaway.matching.layers import Compacted
from stayaway.matching.model import Judgement
from stayaway.orders.distance import circle
from stayaway.orders.model import (
    Agency,
    CourtOrder,
    Expiry,
    Notice,
    OrderVersion,
    Recall,
    Respondent,
    Vehicle,
    Zone,
)
from stayaway.orders.registry import RegistrySnapshot
from stayaway.sightings.batch import SightingBatch, decode_batch
from support.wire_examples import CHECK_IN, PLATE_READ, example_policy

POLICY = example_policy(accuracy_cap_m=100, match_kinds=["DEVICE", "EXACT", "OCR_EQUIVALENT"])
AT = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
DAY = timedelta(days=1)
PLACES = [(-111.9, 33.4), (179.9995, -17.0), (-180.0, 60.0), (24.9, 84.9), (0.0, 0.0)]
POLE = Shape.from_parts([[[(0.0, 89.9), (1.0, 89.9), (1.0, 89.95), (0.0, 89.95), (0.0, 89.9)]]])
COUNTY = Shape.from_parts(
    [[[(-112.5, 33.0), (-111.5, 33.0), (-111.5, 34.0), (-112.5, 34.0), (-112.5, 33.0)]]]
)
PLATES = ["8AK471", "BAK471", "8AK47I", "ZZZ9999", "0OD1"]
DEVICES = ["D1", "D2", "D3"]


class World:
    """Orders that change, drawn from one seed, and what a registry holds of them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.shapes = [POLE, COUNTY]
        for lon, lat in PLACES:
            for size_m in (20.0, 91.44, 91.44, 900.0, 3_000.0):
                self.shapes.append(circle(*self._near(lon, lat, 0.004), size_m))
        self.snapshot = RegistrySnapshot(BucketMap(), 0, AT - 100 * DAY, BucketMap())

    def _near(self, lon: float, lat: float, by: float) -> tuple[float, float]:
        lon += self.rng.uniform(-by, by)
        return (lon + 180) % 360 - 180, max(-90.0, min(90.0, lat + self.rng.uniform(-by, by)))

    def change(self, order_ids: list[str]) -> RegistrySnapshot:
        """The registry after these orders changed, each in one of the ways orders change."""
        before = self.snapshot
        changed = {order_id: self._changed(before.orders.get(order_id), order_id) for order_id in order_ids}
        sequence = before.registry_sequence + 1
        orders, heads = before.orders, before.head_changes
        assert isinstance(orders, BucketMap)
        assert isinstance(heads, BucketMap)
        self.snapshot = RegistrySnapshot(
            orders.updated(changed),
            sequence,
            before.known_at + timedelta(seconds=1),
            heads.updated(dict.fromkeys(order_ids, sequence)),
        )
        return self.snapshot

    def _changed(self, order: CourtOrder | None, order_id: str) -> CourtOrder:
        if order is None:
            return CourtOrder(order_id=order_id, versions=(self._version(order_id, 1),))
        way = self.rng.choice(["version", "version", "notice", "recall", "gone", "anew"])
        if way == "version":
            return replace(
                order, versions=(*order.versions, self._version(order_id, len(order.versions) + 1))
            )
        if way == "notice":
            last = order.versions[-1]
            notice = Notice(
                order_id=order_id,
                recorded_at=AT - DAY,
                order_version=last.version,
                respondent_id="R",
                kind="PERSONAL",
                noticed_at=AT - self.rng.choice([-1, 1, 2]) * DAY,
            )
            return replace(order, notices=(*order.notices, notice))
        if way == "recall":
            recall = Recall(
                order_id=order_id, recorded_at=AT, recalled_at=AT, reason_text="dismissed", void=False
            )
            return replace(order, recalls=(*order.recalls, recall))
        if way == "gone":
            return replace(order, versions=(replace(order.versions[-1], zones=()),))
        return replace(order, versions=(self._version(order_id, 1),))

    def _version(self, order_id: str, number: int) -> OrderVersion:
        rng = self.rng
        vehicles = tuple(_vehicle(f"V{n}", rng.choice(PLATES)) for n in range(rng.randrange(3)))
        devices = tuple(rng.sample(DEVICES, rng.randrange(2)))
        zones = tuple(_zone(f"Z{n}", rng.choice(self.shapes), rng) for n in range(rng.randrange(4)))
        return OrderVersion(
            order_id=order_id,
            version=number,
            recorded_at=AT - 90 * DAY,
            kind="FINAL",
            status="ACTIVE",
            court_ori="AZ007015J",
            court_time_zone="America/Phoenix",
            agency=Agency(ori="AZ0070000", telephone="+1 555 0100"),
            case_number="F-1",
            effective_at=AT - rng.choice([3, 5]) * DAY,
            expiry=Expiry(),
            relief=rng.random() < 0.3,
            respondents=(Respondent(respondent_id="R", name=None, vehicles=vehicles, device_ids=devices),),
            zones=zones,
            exceptions=(),
            content_sha256=f"{rng.getrandbits(256):064x}",
        )

    def batch(self, count: int) -> SightingBatch:
        """Events close to the places, with plates and devices of the orders and of others."""
        return decode_batch([self._event(number) for number in range(count)], POLICY)

    def _event(self, number: int) -> bytes:
        lon, lat = self.rng.choice(self.rng.choice(self.shapes).parts[0][0])
        lon, lat = self._near(lon, lat, 0.002)
        body: dict[str, Any]
        if self.rng.random() < 0.3:
            body = {**CHECK_IN, "device_id": self.rng.choice([*DEVICES, "D9"]), "accuracy_m": 20}
        else:
            body = {**PLATE_READ, "plate": self.rng.choice([*PLATES, "QQQ111"]), "accuracy_m": 8.5}
        body |= {"event_id": str(number), "lon": round(lon, 7), "lat": round(lat, 7)}
        return json.dumps(body).encode()


def _vehicle(vehicle_id: str, plate: str) -> Vehicle:
    return Vehicle(
        vehicle_id=vehicle_id,
        plate=plate,
        plate_as_entered=plate,
        region="US-AZ",
        link_basis="REGISTERED",
        used_by=None,
    )


def _zone(zone_id: str, shape: Shape, rng: random.Random) -> Zone:
    return Zone(
        zone_id=zone_id,
        place_type="HOME",
        shape=shape,
        distance_value=None,
        distance_unit=None,
        anchor=None,
        anchor_lon_lat=None,
        anchor_accuracy_m=rng.choice([0.0, 30.0]),
        warning_m=rng.choice([None, 250.0, 20_000.0]),
        warning_alerts=False,
        schedule=None,
        protected_person_ids=frozenset(),
        address_confidential=False,
    )


@pytest.fixture(autouse=True, scope="module")
def _small_layers() -> Iterator[None]:
    """Layers and trees so small that a few orders fill them: every way through is taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "TOP_BOXES", 12)
        patch.setattr(layers, "MIDDLE_BOXES", 40)
        patch.setattr(index, "_TREE_BOXES", 16)
        yield


def _same(one: Judgement, other: Judgement) -> bool:
    return one.decisions == other.decisions and np.array_equal(one.candidates, other.candidates)


class _Compactor:
    """Compacts when that is due, in pieces between the changes, as a matcher does."""

    def __init__(self) -> None:
        self.done = 0
        self._steps: Steps[Compacted] | None = None

    def turn(self, engine: Engine, steps: int) -> Engine:
        if self._steps is None:
            if not engine.is_compaction_due:
                return engine
            self._steps = engine.compaction_steps()
        try:
            for _ in range(steps):
                next(self._steps)
        except StopIteration as stopped:
            self._steps = None
            self.done += 1
            return engine.with_compacted(stopped.value)
        return engine


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.sampled_from([1, 1, 1, 2, 3, 25]), min_size=1, max_size=120),
    compact_steps=st.integers(1, 6),
)
def test_changes_make_the_engine_that_would_be_built(seed: int, sizes: list[int], compact_steps: int) -> None:
    """Decisions and candidate counts, whatever came, went, was recalled, replaced or compacted."""
    world = World(seed)
    engine = Engine(world.change(["O0", "O1"]), POLICY)
    compactor = _Compactor()
    for number, size in enumerate(sizes):
        changed = world.rng.sample([f"O{n}" for n in range(40)], size)
        engine = engine.with_changes(world.change(changed), changed)
        engine = compactor.turn(engine, compact_steps)
        if number % 15 == 0 or number == len(sizes) - 1:
            batch = world.batch(60)
            assert _same(engine.judge(batch), Engine(world.snapshot, POLICY).judge(batch))


def test_thousands_of_changes_of_one_registry() -> None:
    """With several compactions on the way; and the events do find something."""
    world = World(7)
    engine = Engine(world.change([f"O{n}" for n in range(60)]), POLICY)
    compactor = _Compactor()
    matched = candidates = 0
    for number in range(3_000):
        changed = world.rng.sample([f"O{n}" for n in range(90)], 1)
        engine = engine.with_changes(world.change(changed), changed)
        engine = compactor.turn(engine, 3)
        if number % 100 == 0:
            batch = world.batch(30)
            judgement = engine.judge(batch)
            assert _same(judgement, Engine(world.snapshot, POLICY).judge(batch))
            matched += len(judgement.decisions)
            candidates += int(judgement.candidates.sum())
    assert compactor.done > 5
    assert matched > 100
    assert candidates > 1_000


def test_an_earlier_engine_judges_as_before() -> None:
    """A batch in hand goes on with the engine it began with; two changes of one engine know nothing
    of each other.
    """
    world = World(3)
    first = Engine(world.change([f"O{n}" for n in range(30)]), POLICY)
    snapshot = world.snapshot
    batch = world.batch(200)
    before = first.judge(batch)
    one = first.with_changes(world.change(["O1", "N1"]), ["O1", "N1"])
    one_snapshot = world.snapshot
    world.snapshot = snapshot
    other = first.with_changes(world.change(["O2", "N2"]), ["O2", "N2"])
    assert _same(first.judge(batch), before)
    assert _same(one.judge(batch), Engine(one_snapshot, POLICY).judge(batch))
    assert _same(other.judge(batch), Engine(world.snapshot, POLICY).judge(batch))


def test_without_the_mark_of_death_old_zones_are_found() -> None:
    """What keeps old boxes out is `home`: without it a change leaves the former zone in place."""
    world = World(5)
    orders = [f"O{n}" for n in range(40)]
    engine = Engine(world.change(orders), POLICY)
    changed = orders[:10]
    engine = engine.with_changes(world.change(changed), changed)
    zones = engine.parts.zones
    batch = world.batch(300)
    rows, owners = zones.query(batch.lon, batch.lat)
    every = [
        layer.index.query(batch.lon, batch.lat)
        for layer in (zones.base, zones.middle, zones.top)
        if layer.index.size
    ]
    assert sum(len(found) for found, _ in every) > len(rows)
    wanted = Engine(world.snapshot, POLICY).parts.zones.query(batch.lon, batch.lat)
    assert len(wanted[0]) == len(rows) == len(owners)


def test_nothing_takes_long_at_once() -> None:
    """The steps yield: a change of many orders is many steps, none over more than some orders."""
    world = World(11)
    engine = Engine(world.change(["O0"]), POLICY)
    many = [f"M{n}" for n in range(500)]
    steps = engine.change_steps(world.change(many), many)
    taken = sum(1 for _ in steps)
    assert taken > 20
    assert _same(
        finish(engine.change_steps(world.snapshot, many)).judge(batch := world.batch(50)),
        Engine(world.snapshot, POLICY).judge(batch),
    )
