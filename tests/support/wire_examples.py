"""WIRE.md's own examples, for tests of every room."""

import json
from typing import Any

from stayaway.access.policy import Policy, parse_policy

PLATE_READ: dict[str, Any] = {
    "schema": "plate_read.v1",
    "source": "az",
    "event_id": "12",
    "observed_at": "2026-03-06T20:15:00Z",
    "received_at": "2026-03-06T20:15:02Z",
    "reader_id": "7",
    "plate": "8AK-471",
    "region": "US-AZ",
    "position_of": "CAMERA",
    "lon": -111.9,
    "lat": 33.4,
}
CHECK_IN: dict[str, Any] = {
    "schema": "check_in.v1",
    "source": "gps",
    "event_id": "77",
    "observed_at": "2026-03-06T20:16:30Z",
    "received_at": "2026-03-06T20:16:31Z",
    "device_id": "D9",
    "lon": -111.9,
    "lat": 33.4,
    "fix_source": "GNSS",
}
ORDERS: dict[str, Any] = json.loads(
    """{"schema":"orders.v1","orders":[{"order_id":"O1","version":1,"recorded_at":"2026-01-05T18:00:00Z",
    "kind":"FINAL","status":"ACTIVE","court":{"ori":"AZ007015J","time_zone":"America/Phoenix"},
    "agency":{"ori":"AZ0070000","telephone":"+1 555 0100"},"case_number":"F-1",
    "effective_at":"2026-01-05T17:00:00Z","expires_after_notice":"P2Y",
    "respondents":[{"respondent_id":"R1","vehicles":[{"vehicle_id":"V1","plate":"BAK 471","region":"US-AZ",
    "link_basis":"REGISTERED"}],"devices":[{"device_id":"D9"}]}],
    "zones":[{"zone_id":"Z1","place_type":"HOME","geometry":{"type":"Point","coordinates":[-111.9,33.4]},
    "distance_value":100,"distance_unit":"YD"}]}],
    "notices":[{"order_id":"O1","order_version":1,"respondent_id":"R1","kind":"PERSONAL",
    "noticed_at":"2026-01-07T18:30:00Z","recorded_at":"2026-01-07T19:00:00Z"}]}"""
)
POLICY: dict[str, Any] = {
    "schema": "policy.v1",
    "policy_id": "p1",
    "notice_kinds": ["PERSONAL"],
    "match_kinds": ["DEVICE", "EXACT", "OCR_EQUIVALENT"],
    "second_look_kinds": ["OCR_EQUIVALENT"],
    "min_region_confidence": 0.8,
    "loose_min_length": 5,
    "default_accuracy_m": {"CAMERA": 15, "VEHICLE": 10, "GNSS": 10, "WIFI": 50, "CELL": 1500},
    "accuracy_cap_m": 500,
    "min_inside_probability": 0.5,
    "episode_gap_s": 1800,
    "live_limit_s": 600,
    "max_age_s": 2592000,
    "max_future_s": 300,
}


def example_policy(**changes: Any) -> Policy:
    """WIRE.md's policy, with `changes`."""
    return parse_policy(json.dumps({**POLICY, **changes}).encode())
