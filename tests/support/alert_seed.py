"""Orders and alerts for the review page's tests: rows as the matcher would have left them."""

import hashlib
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from stayaway.access.policy import Policy, parse_policy
from stayaway.kernel.instants import format_instant, parse_instant
from stayaway.kernel.jsontext import canonical_json
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal
from support.wire_examples import POLICY

Json = dict[str, Any]
NOW = datetime(2026, 3, 6, 20, 30, tzinfo=UTC)
"""What the page's clocks say."""
LON, LAT = -111.9, 33.4
_METRE = 1 / 111_195


def review_policy() -> Policy:
    """The wire example's policy, with every kind that may alert."""
    kinds = ["DEVICE", "EXACT", "REGION_UNKNOWN", "OCR_EQUIVALENT", "ONE_DIFFERENT"]
    body = {**POLICY, "match_kinds": kinds, "second_look_kinds": ["OCR_EQUIVALENT", "ONE_DIFFERENT"]}
    return parse_policy(json.dumps(body).encode())


def order(order_id: str = "O1", **changes: Any) -> Json:
    """One order: 100 yd around a home, one respondent with two cars and a device."""
    vehicles = [
        {
            "vehicle_id": "V1",
            "plate": "8AK B71",
            "region": "US-AZ",
            "link_basis": "CO_REGISTERED",
            "make": "Toyota",
            "model": "Corolla",
            "colour": "blue",
            "used_by": [],
        },
        {
            "vehicle_id": "V2",
            "plate": "XYZ 200",
            "region": "US-AZ",
            "link_basis": "REGISTERED",
            "last_verified_at": "2026-02-20T18:00:00Z",
            "used_by": [],
        },
    ]
    zone = {
        "zone_id": "Z1",
        "place_type": "HOME",
        "geometry": {"type": "Point", "coordinates": [LON, LAT]},
        "distance_value": 100,
        "distance_unit": "YD",
        "anchor": "BUILDING",
        "address_confidential": False,
    }
    return {
        "order_id": order_id,
        "version": 1,
        "recorded_at": "2026-01-05T18:00:00Z",
        "kind": "FINAL",
        "status": "ACTIVE",
        "court": {"ori": "AZ007015J", "time_zone": "America/Phoenix"},
        "agency": {"ori": "AZ0070000", "telephone": "+1 555 0100"},
        "case_number": "F-2026-00117",
        "effective_at": "2026-01-05T17:00:00Z",
        "expires_on": "2028-01-05",
        "respondents": [
            {
                "respondent_id": "R1",
                "name": "Robin Example",
                "vehicles": vehicles,
                "devices": [{"device_id": "D9"}],
            }
        ],
        "zones": [zone],
        **changes,
    }


async def import_orders(conn: Connection, seal: Seal, orders: Sequence[Json], **lists: Any) -> None:
    """Record `orders`, each noticed to R1 two days after it took effect."""
    notices = [
        {
            "order_id": item["order_id"],
            "order_version": item["version"],
            "respondent_id": "R1",
            "kind": "PERSONAL",
            "noticed_at": "2026-01-07T18:30:00Z",
            "recorded_at": "2026-01-07T19:00:00Z",
        }
        for item in orders
    ]
    file = {"schema": "orders.v1", "orders": list(orders), "notices": notices, **lists}
    async with conn.transaction():
        outcome = await record_orders(
            conn, seal, parse_orders_file(json.dumps(file).encode()), actor="test", recorded_now=NOW
        )
    assert not [finding for finding in outcome.findings if finding.severity == "ERROR"], outcome.findings


def read(minutes_ago: float = 12, east_m: float = 0, north_m: float = 20, **changes: Any) -> Json:
    """A plate read near the home, `minutes_ago` before NOW."""
    at = NOW - timedelta(minutes=minutes_ago)
    return {
        "schema": "plate_read.v1",
        "source": "az-north",
        "event_id": f"e{minutes_ago:g}-{east_m:g}",
        "observed_at": format_instant(at),
        "received_at": format_instant(at + timedelta(seconds=2)),
        "reader_id": "cam-7",
        "plate": "XYZ-200",
        "plate_confidence": 0.94,
        "region": "US-AZ",
        "region_confidence": 0.97,
        "position_of": "CAMERA",
        "lon": round(LON + east_m * _METRE / 0.835, 6),
        "lat": round(LAT + north_m * _METRE, 6),
        "accuracy_m": 12,
        **changes,
    }


def check_in(minutes_ago: float, east_m: float = 0, north_m: float = 0) -> Json:
    """A check-in of device D9."""
    at = NOW - timedelta(minutes=minutes_ago)
    return {
        "schema": "check_in.v1",
        "source": "gps",
        "event_id": f"c{minutes_ago:g}",
        "observed_at": format_instant(at),
        "received_at": format_instant(at + timedelta(seconds=1)),
        "device_id": "D9",
        "fix_source": "GNSS",
        "lon": round(LON + east_m * _METRE / 0.835, 6),
        "lat": round(LAT + north_m * _METRE, 6),
    }


@dataclass(kw_only=True)
class SeededAlert:
    """What to write: the events, and how the matcher judged all of them."""

    events: Sequence[Json]
    match_kind: str = "EXACT"
    zone_relation: str = "INSIDE"
    inside_probability: float | None = None
    vehicle_id: str | None = "V2"
    device_id: str | None = None
    description: str = "UNKNOWN"
    region_match: str = "MATCH"
    cautions: Sequence[str] = ()
    order_id: str = "O1"
    exception_ids: Sequence[str] = ()
    state: str = "OPEN"
    steps: Sequence[Sequence[Any]] = field(
        default_factory=lambda: [
            [1, "Read", "event az-north/e12-0 by reader cam-7", "accepted"],
            [2, "Version", "order O1, noticed 2026-01-07T18:30:00Z", "version 1 decides for respondent R1"],
            [3, "Identity", "plate read XYZ200; vehicle V2 has XYZ200", "EXACT, region MATCH"],
            [4, "Place", "zone Z1 (HOME); accuracy 12 m as sent", "INSIDE"],
            [5, "Reasons", "effective, not expired", "ALERT, a lead to be confirmed by a human"],
        ]
    )


async def seed_alert(conn: Connection, seal: Seal, alert: SeededAlert, raised_at: datetime = NOW) -> int:
    """Write the alert with its sightings and decisions, and tell the outbox; its number."""
    instants = sorted(parse_instant(event["observed_at"]) for event in alert.events)
    alert_id = f"{alert.order_id}/R1/{format_instant(instants[0])}/{uuid.uuid4()}"
    async with conn.transaction():
        number: int = await conn.fetchval(
            """INSERT INTO alert (alert_id, raised_observed_at, order_id, respondent_id, raised_at, state,
                   order_versions, zone_ids, first_observed_at, last_observed_at, sighting_count, match_kind,
                   zone_relation, cautions, registry_sequence, known_at, policy_sha256, engine)
               VALUES ($1, $2, $3, 'R1', $4, $5, '{1}', '{Z1}', $2, $6, $7, $8, $9, $10, 1, $4, $11, 'test')
               RETURNING alert_number""",
            alert_id,
            instants[0],
            alert.order_id,
            raised_at,
            alert.state,
            instants[-1],
            len(alert.events),
            alert.match_kind,
            alert.zone_relation,
            list(alert.cautions),
            review_policy().sha256,
        )
        for offset, event in enumerate(alert.events):
            await _seed_event(conn, seal, alert, alert_id, instants[0], event, number * 1000 + offset)
        await tell_outbox(conn, alert_id)
    return number


async def tell_outbox(conn: Connection, alert_id: str, change: str = "RAISED") -> None:
    """As alerts.store.publish_changes does."""
    sequence = await conn.fetchval(
        "UPDATE outbox_head SET outbox_sequence = outbox_sequence + 1 RETURNING outbox_sequence"
    )
    await conn.execute("INSERT INTO outbox VALUES ($1, $2, $3, $4)", sequence, alert_id, change, NOW)
    await conn.execute("SELECT pg_notify('stayaway_outbox', $1)", str(sequence))


async def _seed_event(
    conn: Connection,
    seal: Seal,
    alert: SeededAlert,
    alert_id: str,
    raised_observed_at: datetime,
    event: Json,
    offset: int,
) -> None:
    value = json.dumps(event)
    sha256 = hashlib.sha256(value.encode()).hexdigest()
    digest = seal.reference(alert.order_id, sha256)
    observed_at = parse_instant(event["observed_at"])
    sighting = canonical_json({"content_sha256": sha256, "value": value})
    await conn.execute(
        "INSERT INTO sighting VALUES ($1, $2, $3, $4, $5, $6, 'stayaway.plate-reads.v1', 0, $7, false, $8)",
        alert.order_id,
        event["source"],
        event["event_id"],
        observed_at,
        digest,
        parse_instant(event["received_at"]),
        offset,
        seal.seal(alert.order_id, "sighting", sighting),
    )
    is_device = event["schema"] == "check_in.v1"
    detail = canonical_json(
        {
            "vehicle_id": None if is_device else alert.vehicle_id,
            "device_id": "D9" if is_device else None,
            "exception_ids": list(alert.exception_ids),
            "steps": list(alert.steps),
            "order_sha256": "ab" * 32,
            "input_sha256": "cd" * 32,
            "basis": {},
        }
    )
    await conn.execute(
        """INSERT INTO decision VALUES ($1, 'R1', 'Z1', $2, $3, $4, $5, 'ALERT', $6, $7, 1, $8, $9, $10, $11,
               $12, '{}', $13, 1, $4, $14, 'test', $4, $15)""",
        alert.order_id,
        event["source"],
        event["event_id"],
        observed_at,
        digest,
        alert_id,
        raised_observed_at,
        "DEVICE" if is_device else alert.match_kind,
        "UNKNOWN" if is_device else alert.region_match,
        alert.description,
        alert.zone_relation,
        alert.inside_probability,
        list(alert.cautions),
        review_policy().sha256,
        seal.seal(alert.order_id, "decision", detail),
    )


def plate_image(text: str) -> bytes:
    """A PNG that looks a little like a plate in a camera's picture."""
    image = Image.new("RGB", (640, 240), (58, 62, 66))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((90, 50, 550, 190), radius=16, fill=(232, 226, 205), outline=(60, 40, 30), width=6)
    draw.text((320, 122), text, font=ImageFont.load_default(size=92), fill=(40, 46, 80), anchor="mm")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


IMAGE = plate_image("8AK 871")
IMAGE_SHA256 = hashlib.sha256(IMAGE).hexdigest()


def images(sha256: str) -> bytes | None:
    """The one image there is."""
    return IMAGE if sha256 == IMAGE_SHA256 else None


def approximate_alert(**changes: Any) -> SeededAlert:
    """The hardest to judge: near plate, another colour, co-registered, position not sure."""
    event = read(
        plate="8AK-871",
        east_m=78,
        north_m=46,
        accuracy_m=25,
        image_sha256=IMAGE_SHA256,
        make="TOYOTA",
        model="Corolla",
        colour="red",
        candidates=[{"plate": "8AKB71", "plate_confidence": 0.61}],
    )
    given: Json = {
        "events": [event],
        "match_kind": "OCR_EQUIVALENT",
        "zone_relation": "INSIDE_WITHIN_ERROR",
        "inside_probability": 0.612,
        "vehicle_id": "V1",
        "description": "CONFLICTS",
        "steps": [
            [1, "Read", "event az-north/e12-78 by reader cam-7", "accepted"],
            [2, "Version", "order O1", "version 1 decides for respondent R1"],
            [3, "Identity", "position 4: camera 8, order B", "OCR_EQUIVALENT, region MATCH"],
            [4, "Place", "zone Z1 (HOME); accuracy 25 m as sent", "INSIDE_WITHIN_ERROR, probability 0.612"],
            [5, "Reasons", "effective, not expired", "ALERT, a lead to be confirmed by a human"],
        ],
    }
    return SeededAlert(**{**given, **changes})
