"""The numbered steps: what each saw and concluded, as `decide`, the page and `explain` show them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stayaway.alerts.replay import replay, snapshot_known_at
from stayaway.orders.parse import parse_orders_file, to_orders
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, example_policy

Json = dict[str, Any]


def decided(event: Json, change: Callable[[Json], None] = lambda _: None, **policy: Any) -> Json:
    """The first match of `event` under WIRE.md's order, which `change` may alter."""
    file = json.loads(json.dumps(ORDERS))
    change(file)
    parsed = parse_orders_file(json.dumps(file).encode())
    assert parsed.known_at is not None
    snapshot = snapshot_known_at(to_orders(parsed), parsed.known_at)
    line = next(replay(snapshot, example_policy(**policy), [json.dumps(event).encode()]))
    match: Json = line["matches"][0]
    return match


def steps(*given: Any, **policy: Any) -> dict[str, str]:
    return {
        step["name"]: f"{step['number']}: {step['saw']} => {step['concluded']}"
        for step in decided(*given, **policy)["steps"]
    }


def vehicle(file: Json) -> Json:
    found: Json = file["orders"][0]["respondents"][0]["vehicles"][0]
    return found


def test_wires_example_is_told_whole() -> None:
    assert steps(PLATE_READ) == {
        "Read": "1: event az/12 by reader 7, observed 2026-03-06T20:15:00Z, received 2026-03-06T20:15:02Z => "
        "accepted",
        "Version": "2: order O1 with 1 version as known at 2026-01-07T19:00:00Z; in effect then: 1; counting "
        "notices: PERSONAL of version 1 at 2026-01-07T18:30:00Z => version 1 (status ACTIVE) decides for "
        "respondent R1",
        "Identity": "3: plate read 8AK471 of US-AZ; vehicle V1 has BAK471 of US-AZ; position 1: camera 8, "
        "order B => OCR_EQUIVALENT, region MATCH, description UNKNOWN",
        "Place": "4: zone Z1 (HOME), anchor to 0 m; accuracy 15 m the policy's default; circle of 15.0 m => "
        "INSIDE",
        "Reasons": "5: policy p1 allows OCR_EQUIVALENT; effective 2026-01-05T17:00:00Z; expires "
        "2028-01-08T07:00:00Z; not recalled; not suspended; no schedule; 0 exceptions, applying: none, "
        "possible within the error: none; nobody recorded whether a protected person uses the vehicle; "
        "received 2 s after it was observed (live: up to 600 s) => ALERT, a lead to be confirmed by a human",
    }


def test_a_device_has_no_plate_to_tell() -> None:
    assert steps(CHECK_IN)["Identity"] == "3: device D9, assigned to the respondent => DEVICE"


def test_candidates_and_a_conflicting_description_are_shown_and_decide_nothing() -> None:
    def described(file: Json) -> None:
        vehicle(file).update(make="Toyota", model="Corolla", colour="blue")

    event = {
        **PLATE_READ,
        "make": "TOYOTA",
        "colour": "red",
        "region_confidence": 0.97,
        "candidates": [{"plate": "BAK471"}, {"plate": "8AX471"}],
    }
    told = steps(event, described)["Identity"]
    assert "of US-AZ (confidence 0.97)" in told
    assert "colour: camera red, order blue" in told
    assert "make" not in told
    assert "the camera also considered BAK471, 8AX471, which is evidence and never matches" in told
    assert told.endswith("=> OCR_EQUIVALENT, region MATCH, description CONFLICTS")
    assert decided(event, described)["reasons"] == []


def test_the_policys_thresholds_show_in_what_is_concluded() -> None:
    """Region confidence, kinds allowed, and the shortest plate compared loosely."""
    unsure = {**PLATE_READ, "region_confidence": 0.5}
    assert "region UNKNOWN" in steps(unsure)["Identity"]
    assert "region MATCH" in steps(unsure, min_region_confidence=0.5)["Identity"]
    strict = steps(PLATE_READ, match_kinds=["EXACT"])["Reasons"]
    assert "policy p1 does not allow OCR_EQUIVALENT" in strict
    assert strict.endswith("=> SUPPRESSED: KIND_NOT_ALLOWED")
    with pytest.raises(KeyError):
        decided(PLATE_READ, loose_min_length=7)


def test_what_kept_the_order_from_binding_is_seen() -> None:
    def ended(file: Json) -> None:
        recorded = {"order_id": "O1", "recorded_at": "2026-03-01T00:00:00Z", "reason_text": "by the court"}
        file["recalls"] = [{**recorded, "recalled_at": "2026-03-06T20:15:00Z"}]
        file["suspensions"] = [
            {**recorded, "from_at": "2026-03-06T00:00:00Z", "until_at": "2026-03-07T00:00:00Z"}
        ]
        vehicle(file)["used_by"] = ["P1"]

    told = steps(PLATE_READ, ended)["Reasons"]
    assert "recalled 2026-03-06T20:15:00Z; suspended 2026-03-06T00:00:00Z to 2026-03-07T00:00:00Z" in told
    assert "protected persons who use the vehicle: P1" in told
    assert told.endswith("=> SUPPRESSED: RECALLED, SUSPENDED")


def test_the_inputs_digest_stands_for_all_that_was_looked_at() -> None:
    """Another event, notice, version or policy gives another one; NCIC's validations are not looked at."""

    def noticed_again(file: Json) -> None:
        file["notices"].append({**file["notices"][0], "noticed_at": "2026-02-01T00:00:00Z"})

    def renamed(file: Json) -> None:
        file["orders"][0]["case_number"] = "F-2"

    digests = [
        decided(PLATE_READ)["input_sha256"],
        decided({**PLATE_READ, "colour": "red"})["input_sha256"],
        decided(PLATE_READ, noticed_again)["input_sha256"],
        decided(PLATE_READ, renamed)["input_sha256"],
        decided(PLATE_READ, live_limit_s=601)["input_sha256"],
    ]
    assert len(set(digests)) == len(digests)
    assert decided(PLATE_READ)["input_sha256"] == digests[0]
