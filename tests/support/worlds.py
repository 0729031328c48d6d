"""Small random worlds: orders, a policy and events, crowded so that every rule meets every other.

Everything is drawn from one seed. Points and vertices share a coarse grid, so that many points
lie exactly on boundaries; plates come from a tiny alphabet, so that most nearly agree.
"""

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyproj import Geod

from support.wire_examples import POLICY

Json = dict[str, Any]
GEOD = Geod(ellps="WGS84")
START = datetime(2026, 3, 6, 0, 0, tzinfo=UTC)
STATUSES = ["ACTIVE"] * 8 + ["DRAFT", "ENTERED_IN_ERROR", "PENDING_SERVICE", "MODIFIED", "EXPIRED", "VACATED"]
KINDS = ["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT", "ONE_DIFFERENT"]
ZONES = ["America/Phoenix", "America/Los_Angeles", "UTC", "Australia/Lord_Howe"]
GRID = 1e-4
CENTRES = [(-111.9, 33.4), (180.0, -17.0), (0.0, 0.0), (24.9, 70.1)]


@dataclass
class World:
    """What one seed draws."""

    orders: Json
    policy: Json
    lines: list[bytes]

    def orders_bytes(self) -> bytes:
        return json.dumps(self.orders).encode()

    def policy_bytes(self) -> bytes:
        return json.dumps(self.policy).encode()


def draw_world(seed: int, *, orders: int = 4, events: int = 120) -> World:
    """The world of `seed`."""
    return _Drawing(random.Random(seed)).world(orders, events)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


class _Drawing:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.centre = rng.choice(CENTRES)
        self.plates = [
            "".join(rng.choice("0OB81I") for _ in range(rng.choice([4, 5, 5, 5]))) for _ in range(8)
        ]
        self.circles: list[Json] = []

    def world(self, orders: int, events: int) -> World:
        file: Json = {"schema": "orders.v1", "orders": [], "notices": [], "recalls": [], "suspensions": []}
        for number in range(orders):
            self.order(f"O{number}", file)
        policy = self.policy()
        bodies = [self.event(number) for number in range(events)]
        lines = [json.dumps(b).encode() + b"\n" for b in bodies if not self.near_a_circles_edge(b, policy)]
        lines += [self.rng.choice(lines) for _ in range(events // 20)]
        self.rng.shuffle(lines)
        return World(file, policy, lines)

    def policy(self) -> Json:
        rng = self.rng
        return {
            **POLICY,
            "match_kinds": rng.sample(KINDS, rng.randint(2, 5)),
            "notice_kinds": rng.sample(["PERSONAL", "MAIL", "IN_COURT"], rng.randint(1, 3)),
            "min_region_confidence": rng.choice([0, 0.5, 0.8]),
            "loose_min_length": rng.choice([1, 4, 5]),
            "accuracy_cap_m": rng.choice([20, 100, 500]),
            "min_inside_probability": rng.choice([0, 0.25, 0.75]),
            "episode_gap_s": rng.choice([0, 600, 1800, 0.5]),
            "live_limit_s": rng.choice([0, 60, 600]),
            "max_age_s": rng.choice([3600, 2592000]),
        }

    def time(self, low_h: float = -72, high_h: float = 96) -> datetime:
        # Often on one of few round instants, so that starts and ends are met exactly.
        if self.rng.random() < 0.6:
            return START + timedelta(hours=self.rng.randint(int(low_h) // 6, int(high_h) // 6) * 6)
        return START + timedelta(seconds=round(self.rng.uniform(low_h, high_h) * 3600, 3))

    def order(self, order_id: str, file: Json) -> None:
        rng = self.rng
        people = [f"R{n}" for n in range(rng.randint(1, 2))]
        places = [self.zone(f"Z{n}") for n in range(rng.randint(1, 3))]
        statuses = ["DRAFT"] if rng.random() < 0.07 else STATUSES
        for version in range(1, rng.randint(1, 4) + 1):
            kept = [place for place in places if rng.random() < 0.8] or places[:1]
            record: Json = {
                "order_id": order_id,
                "version": version,
                "recorded_at": instant(self.time(-90, 60)),
                "kind": "FINAL",
                "status": rng.choice(statuses),
                "court": {"ori": "AZ007015J", "time_zone": rng.choice(ZONES)},
                "agency": {"ori": "AZ0070000", "telephone": "+1 555 0100"},
                "case_number": "F-1",
                "effective_at": instant(self.time(-72, 24)),
                "relief": rng.random() < 0.3,
                "respondents": [self.respondent(r) for r in people if rng.random() < 0.9]
                or [self.respondent("R0")],
                "zones": kept,
                "exceptions": [self.exception(f"E{n}", kept) for n in range(rng.choice([0, 0, 1, 2]))],
            }
            record.update(self.expiry())
            file["orders"].append(record)
            for person in people:
                if rng.random() < 0.75:
                    file["notices"].append(self.notice(order_id, version, person))
        if rng.random() < 0.3:
            recall = {
                "order_id": order_id,
                "recorded_at": instant(self.time()),
                "recalled_at": instant(self.time()),
                "reason_text": "invented",
            }
            file["recalls"].append({**recall, "void": True} if rng.random() < 0.3 else recall)
        if rng.random() < 0.3:
            start = self.time()
            file["suspensions"].append(
                {"order_id": order_id, "recorded_at": instant(self.time()), "from_at": instant(start),
                 "until_at": instant(start + timedelta(hours=rng.randint(1, 30))), "reason_text": "invented"}
            )  # fmt: skip

    def notice(self, order_id: str, version: int, person: str) -> Json:
        return {
            "order_id": order_id,
            "order_version": version,
            "respondent_id": person,
            "kind": self.rng.choice(["PERSONAL", "MAIL"]),
            "noticed_at": instant(self.time(-72, 48)),
            "recorded_at": instant(self.time(-72, 60)),
        }

    def expiry(self) -> Json:
        rng = self.rng
        return rng.choice(
            [
                {"no_expiration": True},
                {"expires_at": instant(self.time(24, 120))},
                {"expires_on": (START + timedelta(days=rng.randint(0, 3))).date().isoformat()},
                {"expires_after_notice": rng.choice(["P2Y", "P1M", "P3D", "P1D"])},
            ]
        )

    def plate(self) -> str:
        plate = self.rng.choice(self.plates)
        if self.rng.random() < 0.3:
            at = self.rng.randrange(len(plate))
            plate = plate[:at] + self.rng.choice("0OB81I") + plate[at + 1 :]
        return plate

    def respondent(self, respondent_id: str) -> Json:
        rng = self.rng
        vehicles = []
        for number in range(rng.randint(0, 2)):
            vehicle: Json = {"vehicle_id": f"V{number}", "plate": self.plate(), "link_basis": "REGISTERED"}
            if rng.random() < 0.7:
                vehicle["region"] = rng.choice(["US-AZ", "US-CA"])
            if rng.random() < 0.4:
                vehicle["used_by"] = rng.choice([[], ["P1"], ["P1", "P2"]])
            vehicle.update(
                {
                    k: rng.choice(["Example", "EXAMPLE", "Other"])
                    for k in ("make", "colour")
                    if rng.random() < 0.4
                }
            )
            vehicles.append(vehicle)
        return {
            "respondent_id": respondent_id,
            "vehicles": vehicles,
            "devices": [{"device_id": f"D{rng.randint(0, 2)}"}] if rng.random() < 0.5 else [],
        }

    def position(self, reach: int = 12) -> list[float]:
        lon = self.centre[0] + self.rng.randint(-reach, reach) * GRID
        return [
            round((lon + 180) % 360 - 180, 7),
            round(self.centre[1] + self.rng.randint(-reach, reach) * GRID, 7),
        ]

    def polygon(self) -> Json:
        """A box or a triangle on the grid; over the antimeridian two boxes that meet there."""
        rng = self.rng
        west, east = sorted(rng.sample(range(-10, 11), 2))
        south, north = sorted(rng.sample(range(-10, 11), 2))
        lon, lat = self.centre

        def corner(x: int, y: int) -> list[float]:
            return [round(lon + x * GRID, 7), round(lat + y * GRID, 7)]

        if lon == 180.0:
            boxes = []
            if west < 0:
                boxes.append((180 + west * GRID, 180 + min(east, 0) * GRID))
            if east > 0:
                boxes.append((-180 + max(west, 0) * GRID, -180 + east * GRID))
            low, high = round(lat + south * GRID, 7), round(lat + north * GRID, 7)
            rings = [
                [
                    [round(a, 7), low],
                    [round(b, 7), low],
                    [round(b, 7), high],
                    [round(a, 7), high],
                    [round(a, 7), low],
                ]
                for a, b in boxes
            ]
            return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        if rng.random() < 0.5:
            ring = [corner(west, south), corner(east, south), corner(east, north), corner(west, north)]
        else:
            ring = [
                corner(west, south),
                corner(east, rng.randint(south, north)),
                corner(rng.randint(west, east), north),
            ]
            if (ring[1][0] - ring[0][0]) * (ring[2][1] - ring[0][1]) == (ring[1][1] - ring[0][1]) * (
                ring[2][0] - ring[0][0]
            ):
                ring = [corner(west, south), corner(east, south), corner(west, north)]
        ring.append(ring[0])
        rings = [ring[:: rng.choice([1, -1])]]
        return {"type": "Polygon", "coordinates": rings}

    def zone(self, zone_id: str) -> Json:
        rng = self.rng
        zone: Json = {"zone_id": zone_id, "place_type": "HOME", "geometry": self.polygon()}
        if rng.random() < 0.2 and self.centre[0] != 180.0:
            zone["geometry"] = {"type": "Point", "coordinates": self.position(6)}
            zone.update(distance_value=rng.choice([61.37, 87.91]), distance_unit=rng.choice(["YD", "M"]))
            self.circles.append(zone)
        if rng.random() < 0.4:
            zone["warning_m"] = rng.choice([37.3, 83.7])
            zone["warning_alerts"] = rng.random() < 0.5
        if rng.random() < 0.3:
            zone["anchor_accuracy_m"] = rng.choice([0, 7.7, 23.9])
        if rng.random() < 0.3:
            zone["schedule"] = [self.window() for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.5:
            zone["protected_person_ids"] = rng.choice([["P1"], ["P2"], []])
        return zone

    def window(self) -> Json:
        rng = self.rng
        start = (START - timedelta(days=rng.randint(0, 9))).replace(tzinfo=None) + timedelta(
            hours=rng.randint(0, 23)
        )
        window: Json = {
            "time_zone": rng.choice(ZONES),
            "start_local": start.isoformat(),
            "end_local": (start + timedelta(hours=rng.choice([1, 8, 12, 30]))).isoformat(),
        }
        if rng.random() < 0.7:
            day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][start.weekday()]
            window["rrule"] = rng.choice(
                [
                    "FREQ=DAILY",
                    "FREQ=DAILY;INTERVAL=2",
                    "FREQ=WEEKLY",
                    f"FREQ=WEEKLY;BYDAY={day},SA",
                    "FREQ=DAILY;COUNT=9",
                    "FREQ=DAILY;UNTIL=20260308T120000Z",
                    f"FREQ=MONTHLY;BYMONTHDAY={start.day},7",
                ]
            )
        return window

    def exception(self, exception_id: str, zones: list[Json]) -> Json:
        rng = self.rng
        exception: Json = {
            "exception_id": exception_id,
            "kind": "CHILD_EXCHANGE",
            "authority": "invented",
            "windows": [self.window() for _ in range(rng.randint(1, 2))],
            "place": "WHOLE_ZONE" if rng.random() < 0.4 else self.polygon(),
        }
        if rng.random() < 0.4:
            exception["zone_ids"] = [rng.choice(zones)["zone_id"]]
        return exception

    def near_a_circles_edge(self, body: Json, policy: Json) -> bool:
        """Whether the engine's polygon within the circle and the circle itself may say different things."""
        source = body.get("position_of") or body.get("fix_source")
        accuracy_m = body.get("accuracy_m", policy["default_accuracy_m"][source])
        lon, lat = body["lon"], body["lat"]
        for zone in self.circles if isinstance(lat, float) else ():
            distance_m = zone["distance_value"] * (0.9144 if zone["distance_unit"] == "YD" else 1)
            east, north = zone["geometry"]["coordinates"]
            beyond_m = GEOD.inv(east, north, lon, lat)[2] - distance_m
            radius_m = math.hypot(accuracy_m, zone.get("anchor_accuracy_m", 0))
            edges = (0.0, radius_m, -radius_m, zone.get("warning_m", 0.0))
            if any(abs(beyond_m - edge) < 0.1 for edge in edges) or (radius_m < 6 and abs(beyond_m) < 8):
                return True
        return False

    def event(self, number: int) -> Json:
        rng = self.rng
        observed = self.time(-12, 90)
        body: Json = {
            "source": rng.choice(["s1", "s2"]),
            "event_id": f"e{number if rng.random() < 0.9 else 0}",
            "observed_at": instant(observed),
            "received_at": instant(
                observed + timedelta(seconds=rng.choice([0, 1, 60, 61, 700, 4000, -300, -301]))
            ),
        }
        body["lon"], body["lat"] = self.position()
        if rng.random() < 0.2:
            body["lon"] = max(-180.0, min(180.0, body["lon"] + rng.uniform(-GRID, GRID)))
        if rng.random() < 0.6:
            body["accuracy_m"] = rng.choice([0.5, 3.3, 9.1, 27.7, 150.1, 700])
        if rng.random() < 0.3:
            body.update(schema="check_in.v1", device_id=f"D{rng.randint(0, 2)}",
                        fix_source=rng.choice(["GNSS", "WIFI", "CELL"]))  # fmt: skip
        else:
            body.update(schema="plate_read.v1", reader_id="r", plate=self.plate(),
                        position_of=rng.choice(["CAMERA", "VEHICLE"]))  # fmt: skip
            if rng.random() < 0.7:
                body["region"] = rng.choice(["US-AZ", "US-CA"])
                if rng.random() < 0.5:
                    body["region_confidence"] = rng.choice([0.4, 0.5, 0.9])
            body.update(
                {k: rng.choice(["example", "other"]) for k in ("make", "colour") if rng.random() < 0.4}
            )
            if rng.random() < 0.1:
                body["accuracy_m"] = 0
        if rng.random() < 0.03:
            body[rng.choice(["zz", "lat", "plate"])] = rng.choice([None, 91, ""])
        return body
