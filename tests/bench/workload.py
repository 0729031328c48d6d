"""The one seeded workload of every speed: full events, clustered zones, few matches.

Events of 330-400 bytes with every field; 60 % distance zones, 39 % of 8-60 vertices, 1 % over
1,000; about 30 % of reads in some candidate box, 0.5 % agreeing in identity there, a third of
those in force.
"""

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stayaway.access.policy import Policy
from stayaway.kernel.shape import Shape
from stayaway.orders.distance import circle
from stayaway.orders.model import (
    Agency,
    CourtOrder,
    Expiry,
    Notice,
    OrderVersion,
    Respondent,
    Vehicle,
    Zone,
)
from stayaway.orders.registry import RegistrySnapshot
from support.wire_examples import example_policy

START = datetime(2026, 3, 6, 12, tzinfo=UTC)
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
CLUSTERS = 40


@dataclass
class Workload:
    """Orders, one zone each, and a supply of events about them."""

    snapshot: RegistrySnapshot
    policy: Policy
    anchors: list[tuple[float, float]]
    plates: list[str]
    rng: random.Random
    near_share: float = 0.29
    """Of reads: close to some zone, somebody else's car."""
    known_share: float = 0.005
    """Of reads: at a zone, with the plate of its order."""

    def events(self, count: int, prefix: str = "e") -> list[bytes]:
        return [self._event(number, prefix) for number in range(count)]

    def _event(self, number: int, prefix: str) -> bytes:
        rng = self.rng
        draw = rng.random()
        owner = rng.randrange(len(self.anchors))
        lon, lat = self.anchors[owner]
        plate = random_plate(rng)
        if draw < self.near_share:
            lon, lat = lon + rng.uniform(-0.002, 0.002), lat + rng.uniform(-0.002, 0.002)
        elif draw < self.near_share + self.known_share:
            plate = self.plates[owner]
        else:
            lon, lat = rng.uniform(-115, -70), rng.uniform(28, 48)
        observed = START + timedelta(milliseconds=number * 7)
        body: dict[str, Any] = {
            "schema": "plate_read.v1",
            "source": "bench-network",
            "event_id": f"{prefix}-{number:09d}",
            "observed_at": _instant(observed),
            "received_at": _instant(observed + timedelta(seconds=1)),
            "reader_id": f"reader-{rng.randrange(400):04d}",
            "plate": plate,
            "plate_confidence": round(rng.uniform(0.8, 1), 3),
            "region": "US-AZ",
            "candidates": [{"plate": random_plate(rng), "plate_confidence": 0.41}],
            "position_of": "CAMERA",
            "accuracy_m": 8.5,
            "make": "Example",
            "colour": "blue",
            "lon": round(lon, 6),
            "lat": round(lat, 6),
        }
        return json.dumps(body, separators=(",", ":")).encode()


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def random_plate(rng: random.Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(3)) + f"{rng.randrange(10000):04d}"


def make_workload(zones: int, seed: int = 1, spread_degrees: float = 0.3) -> Workload:
    """`zones` orders with one zone and one vehicle each; `spread_degrees` of each cluster of zones."""
    rng = random.Random(seed)
    centres = [(rng.uniform(-115, -70), rng.uniform(28, 48)) for _ in range(CLUSTERS)]
    anchors, plates, orders = [], [], {}
    for number in range(zones):
        centre = rng.choice(centres)
        lon, lat = (
            round(rng.gauss(centre[0], spread_degrees), 6),
            round(rng.gauss(centre[1], spread_degrees), 6),
        )
        plate = random_plate(rng)
        order = one_zone_order(
            number, _shape(rng, lon, lat, rng.random()), plate, in_force=rng.random() < 1 / 3
        )
        anchors.append((lon, lat))
        plates.append(plate)
        orders[order.order_id] = order
    snapshot = RegistrySnapshot(orders=orders, registry_sequence=1, known_at=RECORDED, head_changes={})
    policy = example_policy(accuracy_cap_m=100)
    return Workload(snapshot, policy, anchors, plates, rng)


def _shape(rng: random.Random, lon: float, lat: float, draw: float) -> Shape:
    if draw < 0.6:
        return circle(lon, lat, 91.44)
    vertices = rng.randint(8, 60) if draw < 0.99 else rng.randint(1000, 1500)
    turns = [2 * math.pi * i / vertices for i in range(vertices)]
    radii = [0.001 * rng.uniform(0.8, 1.2) for _ in turns]
    ring = [(lon + r * math.cos(a), lat + r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]
    return Shape.from_parts([[[*ring, ring[0]]]])


def one_zone_order(number: int, shape: Shape, plate: str, *, in_force: bool) -> CourtOrder:
    order_id = f"B-{number:07d}"
    vehicle = Vehicle(
        vehicle_id="V",
        plate=plate,
        plate_as_entered=plate,
        region="US-AZ",
        link_basis="REGISTERED",
        used_by=None,
    )
    zone = Zone(
        zone_id="Z",
        place_type="HOME",
        shape=shape,
        distance_value=None,
        distance_unit=None,
        anchor=None,
        anchor_lon_lat=None,
        anchor_accuracy_m=0.0,
        warning_m=None,
        warning_alerts=False,
        schedule=None,
        protected_person_ids=frozenset(),
        address_confidential=False,
    )
    version = OrderVersion(
        order_id=order_id,
        version=1,
        recorded_at=RECORDED,
        kind="FINAL",
        status="ACTIVE",
        court_ori="AZ007015J",
        court_time_zone="America/Phoenix",
        agency=Agency(ori="AZ0070000", telephone="+1 555 0100"),
        case_number="F-1",
        effective_at=RECORDED,
        expiry=Expiry(),
        relief=False,
        respondents=(Respondent(respondent_id="R", name=None, vehicles=(vehicle,), device_ids=()),),
        zones=(zone,),
        exceptions=(),
        content_sha256="0" * 64,
    )
    notice = Notice(
        order_id=order_id,
        recorded_at=RECORDED,
        order_version=1,
        respondent_id="R",
        kind="PERSONAL",
        noticed_at=RECORDED,
    )
    return CourtOrder(order_id=order_id, versions=(version,), notices=(notice,) if in_force else ())


def orders_file(workload: Workload) -> dict[str, Any]:
    """The same orders as an orders.v1 file."""
    file: dict[str, Any] = {"schema": "orders.v1", "orders": [], "notices": []}
    for order in workload.snapshot.orders.values():
        version = order.versions[0]
        recorded = {"order_id": order.order_id, "recorded_at": "2026-01-01T00:00:00Z"}
        vehicle = version.respondents[0].vehicles[0]
        zone = version.zones[0]
        geometry = {"type": "MultiPolygon", "coordinates": zone.shape.to_coordinates()}
        file["orders"].append(
            {
                **recorded,
                "version": 1,
                "kind": "FINAL",
                "status": "ACTIVE",
                "court": {"ori": version.court_ori, "time_zone": version.court_time_zone},
                "agency": {"ori": version.agency.ori, "telephone": version.agency.telephone},
                "case_number": version.case_number,
                "effective_at": "2026-01-01T00:00:00Z",
                "no_expiration": True,
                "respondents": [
                    {
                        "respondent_id": "R",
                        "vehicles": [
                            {
                                "vehicle_id": "V",
                                "plate": vehicle.plate,
                                "region": "US-AZ",
                                "link_basis": "REGISTERED",
                            }
                        ],
                    }
                ],
                "zones": [{"zone_id": "Z", "place_type": "HOME", "geometry": geometry}],
            }
        )
        file["notices"] += [
            {
                **recorded,
                "order_version": 1,
                "respondent_id": "R",
                "kind": "PERSONAL",
                "noticed_at": "2026-01-01T00:00:00Z",
            }
            for _ in order.notices
        ]
    return file
