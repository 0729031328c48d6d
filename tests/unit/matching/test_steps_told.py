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
        "Identity": '3: plate read 8AK471 (sent as "8AK-471") of US-AZ (no confidence given); vehicle V1 has '
        'BAK471 (entered as "BAK 471") of US-AZ; position 1: camera 8, order B; near plates count from 5 '
        "characters on by the policy => OCR_EQUIVALENT, region MATCH, description UNKNOWN",
        "Place": "4: position of the CAMERA at lon -111.9, lat 33.4; accuracy 15 m by the policy for CAMERA, "
        "within the policy's cap of 500 m; zone Z1 (HOME), anchor to 0 m, no warning ring; circle of 15.0 m; "
        "the point is inside, its distance to the boundary over 15.0 m => INSIDE",
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
    assert "of US-AZ (confidence 0.97, the policy asks for 0.8)" in told
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
    assert "protected persons who use the vehicle: P1; protected persons of the zone: none named" in told
    assert told.endswith("=> SUPPRESSED: RECALLED, SUSPENDED")


def zone(file: Json) -> Json:
    found: Json = file["orders"][0]["zones"][0]
    return found


def test_what_the_camera_said_and_what_the_clerk_typed_stay_beside_what_was_compared() -> None:
    """A full-width digit in normal form is another text; told alone it would be a corrected plate."""
    told = steps({**PLATE_READ, "plate": "BAK4\uff171"})["Identity"]
    assert 'plate read BAK471 (sent as "BAK4\uff171") of US-AZ' in told
    assert 'has BAK471 (entered as "BAK 471") of US-AZ' in told
    assert told.endswith("=> EXACT, region MATCH, description UNKNOWN")
    assert "plate read BAK471 of" in steps({**PLATE_READ, "plate": "BAK471"})["Identity"]


def test_a_region_is_not_rounded_up_to_the_limit() -> None:
    told = steps({**PLATE_READ, "plate": "BAK471", "region_confidence": 0.79999999})["Identity"]
    assert "US-AZ (confidence 0.79999999, under the policy's 0.8: taken as unknown)" in told
    assert "=> REGION_UNKNOWN, region UNKNOWN" in told


def test_an_accuracy_is_not_rounded_down_to_the_cap() -> None:
    told = steps({**PLATE_READ, "accuracy_m": 1234.5678}, accuracy_cap_m=1234.5677)
    assert "accuracy 1234.5678 m as sent, over the policy's cap of 1234.5677 m" in told["Place"]
    assert "no circle; the point is inside => INSIDE" in told["Place"]
    assert told["Reasons"].endswith("=> SUPPRESSED: ACCURACY_OVER_CAP")


@pytest.mark.parametrize(
    ("received", "told", "concluded"),
    [
        ("2026-03-06T20:25:00Z", "received 600 s after it was observed", "human"),
        ("2026-03-06T20:25:00.000001Z", "received 600.000001 s after it was observed", "HISTORICAL"),
        ("2026-03-06T20:25:02.5Z", "received 602.5 s after it was observed", "HISTORICAL"),
        ("2026-03-30T20:15:00Z", "received 2073600 s after it was observed", "HISTORICAL"),
        ("2026-03-06T20:14:57.9Z", "received 2.1 s before it was observed", "human"),
    ],
)
def test_an_age_is_told_to_the_microsecond(received: str, told: str, concluded: str) -> None:
    reasons = steps({**PLATE_READ, "received_at": received})["Reasons"]
    assert f"{told} (live: up to 600 s)" in reasons
    assert reasons.endswith(concluded)


NORTH_110_M = PLATE_READ["lat"] + 110 / 110_922


def test_the_warning_ring_is_told_from_the_zone() -> None:
    """Where the point is, how far from the boundary, how wide the ring is and whether it alerts."""

    def quiet(file: Json) -> None:
        zone(file)["warning_m"] = 50

    def loud(file: Json) -> None:
        zone(file).update(warning_m=50, warning_alerts=True)

    event = {**PLATE_READ, "lat": NORTH_110_M}
    place = steps(event, quiet)["Place"]
    assert f"position of the CAMERA at lon -111.9, lat {NORTH_110_M!r};" in place
    assert (
        "warning ring of 50 m; circle of 15.0 m; the point is outside, its distance to the boundary 18."
        in place
    )
    assert place.endswith("=> WARNING")
    silent, heard = steps(event, quiet)["Reasons"], steps(event, loud)["Reasons"]
    assert "the zone's warning ring raises no alerts by the order" in silent
    assert silent.endswith("SUPPRESSED: WARNING_RING")
    assert "the zone's warning ring raises alerts by the order" in heard
    assert "=> ALERT" in heard


def test_an_uncertain_position_is_told_beside_the_policys_limit() -> None:
    told = steps({**PLATE_READ, "lat": NORTH_110_M, "accuracy_m": 40})
    assert "=> INSIDE_WITHIN_ERROR, probability inside 0." in told["Place"]
    assert "the point is outside, its distance to the boundary 18." in told["Place"]
    assert "probability inside 0." in told["Reasons"]
    assert ", the policy asks for 0.5;" in told["Reasons"]
    assert told["Reasons"].endswith("SUPPRESSED: POSITION_UNCERTAIN")


def test_a_fix_by_cell_alone_and_a_shared_vehicle_are_told() -> None:
    def shared(file: Json) -> None:
        vehicle(file)["used_by"] = ["P1"]
        file["orders"][0]["protected_persons"] = [{"protected_person_id": "P1"}]
        zone(file)["protected_person_ids"] = ["P1"]

    cell = steps({**CHECK_IN, "fix_source": "CELL", "accuracy_m": 400})
    assert "position of the device by CELL at" in cell["Place"]
    assert "a fix by CELL alone, which raises no alert" in cell["Reasons"]
    told = steps(PLATE_READ, shared)["Reasons"]
    assert "who use the vehicle: P1; protected persons of the zone: P1;" in told
    assert told.endswith("SUPPRESSED: SHARED_VEHICLE")


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
