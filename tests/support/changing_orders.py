"""Orders that change in every way orders change, around a few places, and events close to them."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.shape import Shape
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
        zones = tuple(example_zone(f"Z{n}", rng.choice(self.shapes), rng) for n in range(rng.randrange(4)))
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


def example_zone(zone_id: str, shape: Shape, rng: random.Random) -> Zone:
    """A home, perhaps with a warning ring and an anchor that is not exact."""
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


def fix(number: int, lon: float, lat: float, **changes: Any) -> bytes:
    """A check-in of device D1, as accurate as the cap just allows."""
    body = {**CHECK_IN, "event_id": str(number), "device_id": "D1", "accuracy_m": POLICY.accuracy_cap_m}
    return json.dumps({**body, "lon": lon, "lat": lat, **changes}).encode()
