"""Whoever decides by the printed steps alone decides the same: no number is rounded over its limit."""

import json
import math
import re
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.alerts.replay import replay, snapshot_known_at
from stayaway.kernel.instants import format_instant, parse_instant
from stayaway.orders.parse import parse_orders_file, to_orders
from support.wire_examples import ORDERS, PLATE_READ, example_policy

Json = dict[str, Any]
OBSERVED_AT: datetime = parse_instant(PLATE_READ["observed_at"])
DEGREE_M = 110_922


@st.composite
def beside(draw: st.DrawFn, low: float, high: float) -> tuple[float, float]:
    """A number and its limit, often some doubles apart."""
    limit = draw(st.floats(low, high))
    near = limit + draw(st.integers(-3, 3)) * math.ulp(limit)
    return draw(st.one_of(st.just(min(max(near, low), high)), st.floats(low, high))), limit


def told(event: Json, zone: Json, policy: Json) -> Json | None:
    """The only match, with its steps by name; None where there is none."""
    file = json.loads(json.dumps(ORDERS))
    file["orders"][0]["zones"][0].update(zone)
    parsed = parse_orders_file(json.dumps(file).encode())
    assert parsed.known_at is not None
    snapshot = snapshot_known_at(to_orders(parsed), parsed.known_at)
    rules = example_policy(match_kinds=["EXACT", "REGION_UNKNOWN"], **policy)
    line = next(replay(snapshot, rules, [json.dumps(event).encode()]))
    if "matches" not in line:
        return None
    match: Json = line["matches"][0]
    match["told"] = {step["name"]: step["saw"] for step in match["steps"]}
    return match


def number(pattern: str, text: str) -> Fraction:
    found = re.search(pattern.replace("#", r"(\d+(?:\.\d+)?)(?![\de])"), text)
    assert found is not None, (pattern, text)
    return Fraction(found[1])


def relation(seen: str) -> str:
    """Step 4 of WIRE.md on what the step says it saw."""
    radius = Fraction(0) if "no circle" in seen else number("circle of # m", seen)
    inside = "the point is inside" in seen
    if "to the boundary" not in seen or "to the boundary over" in seen:
        assert inside
        return "INSIDE"
    distance = number("to the boundary # m", seen)
    if distance < radius:
        return "INSIDE_WITHIN_ERROR"
    if inside:
        return "INSIDE"
    assert distance <= number("warning ring of # m", seen)
    return "WARNING"


@given(
    accuracy=beside(0, 200),
    confidence=beside(0.5, 1),
    north_m=st.floats(0, 160),
    ring=st.one_of(st.none(), st.floats(0, 100)),
    anchor_m=st.sampled_from([0, 7.5]),
    age_us=st.integers(-3, 3),
    limit_s=st.sampled_from([600, 0.000002, 2_073_600]),
    least=st.floats(0, 1),
)
@settings(max_examples=150, deadline=None)
def test_the_printed_numbers_decide_as_the_engine_did(
    accuracy: tuple[float, float],
    confidence: tuple[float, float],
    north_m: float,
    ring: float | None,
    anchor_m: float,
    age_us: int,
    limit_s: float,
    least: float,
) -> None:
    received_at = OBSERVED_AT + timedelta(seconds=limit_s, microseconds=age_us)
    event = {
        **PLATE_READ,
        "plate": "BAK471",
        "lat": PLATE_READ["lat"] + north_m / DEGREE_M,
        "accuracy_m": accuracy[0],
        "region_confidence": confidence[0],
        "received_at": format_instant(received_at),
    }
    zone: Json = {"anchor_accuracy_m": anchor_m, "warning_alerts": True}
    if ring is not None:
        zone["warning_m"] = ring
    policy = {
        "accuracy_cap_m": accuracy[1],
        "min_region_confidence": confidence[1],
        "min_inside_probability": least,
        "live_limit_s": limit_s,
    }
    match = told(event, zone, policy)
    if match is None:
        return
    identity, place, reasons = (match["told"][name] for name in ("Identity", "Place", "Reasons"))
    assert relation(place) == match["zone_relation"]
    over_cap = number("accuracy # m", place) > number("policy's cap of # m", place)
    assert over_cap == ("ACCURACY_OVER_CAP" in match["reasons"]) == ("over the policy's cap" in place)
    unsure = number("confidence #", identity) < number("the policy(?:'s| asks for) #", identity)
    assert (match["region_match"] == "UNKNOWN") == unsure
    if match["zone_relation"] == "INSIDE_WITHIN_ERROR":
        printed = number("probability inside #", reasons), number("the policy asks for #", reasons)
        assert (printed[0] < printed[1]) == ("POSITION_UNCERTAIN" in match["reasons"])
    if not match["reasons"]:
        late = "before it was observed" not in reasons
        late = late and number("received # s", reasons) > number("live: up to # s", reasons)
        assert late == ("HISTORICAL" in match["cautions"])
