"""What becomes of plates, accuracies and clocks that no camera should send, from `decode_batch` to `decide`.

Each is accepted for a reason or refused with its code and field, as the dead letter will say.
"""

import json
from datetime import timedelta
from typing import Any

import pytest

from stayaway.alerts.replay import replay, snapshot_known_at
from stayaway.kernel.instants import format_instant, parse_instant
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.sightings.batch import decode_batch
from stayaway.sightings.dead_letters import DeadLetter
from stayaway.sightings.model import Refusal
from support.wire_examples import CHECK_IN, ORDERS, PLATE_READ, example_policy

POLICY = example_policy()
READ_AT = parse_instant(PLATE_READ["observed_at"])


def event(**changes: Any) -> bytes:
    base = CHECK_IN if "fix_source" in changes or "device_id" in changes else PLATE_READ
    return json.dumps({**base, **changes}).encode()


def decided(value: bytes) -> dict[str, Any]:
    """The line that `decide` prints for this event under WIRE.md's order."""
    parsed = parse_orders_file(json.dumps(ORDERS).encode())
    assert parsed.known_at is not None
    snapshot = snapshot_known_at(to_orders(parsed), parsed.known_at)
    return next(replay(snapshot, POLICY, [value]))


REFUSED_PLATES = {
    "200 characters": "A" * 200,
    "200 characters, most of them dropped": "8AK-471" + " " * 193,
    "33 characters, all but 7 dropped": "8AK471" + "-" * 27,
    "11 characters in normal form": "ABCDEFGHIJK",
    "11 characters that full width hides": "\uff11" * 11,
    "Cyrillic А for A": "8\u0410K471",
    "Greek Κ for K": "8A\u039a471",
    "Cherokee Ꭺ for A": "8\u13aaK471",
    "mathematical alpha": "8\u237aK471",
    "combining mark above": "8A\u0301K471",
    "zero-width joiner": "8AK\u200d471",
    "soft hyphen": "8AK\u00ad471",
    "right-to-left mark": "8AK471\u200f",
    "an emoji": "\U0001f697",
    "an emoji among characters": "8AK\U0001f697471",
    "a flag": "\U0001f1fa\U0001f1f8 8AK471",
    "a keycap, a digit with marks": "8\ufe0f\u20e3AK471",
    "empty": "",
    "empty after normalisation": " - . ' / & + \u00b7 ",
    "empty but for full-width space": "\u3000",
    "an unread character's mark": "8AK?71",
    "a character dropped by nobody": "8AK_471",
    "sharp s, which upper-cases to two": "8AK47\u00df",
    "dotless i, which upper-cases to I": "\u0131AK471",
    "a digit that is no ASCII digit": "8AK47\u0661",
    "a line end": "8AK471\n",
}


@pytest.mark.parametrize("name", REFUSED_PLATES)
def test_a_plate_that_would_name_another_car_is_refused(name: str) -> None:
    value = event(plate=REFUSED_PLATES[name])
    refusal = Refusal("BAD_FORMAT", "/plate")
    assert decode_batch([value], POLICY).refusals == {0: refusal}
    line = decided(value)
    assert (line["outcome"], line["reasons"], line["field"]) == ("REFUSED", ["BAD_FORMAT"], "/plate")
    letter = DeadLetter.of("stayaway.plate-reads.v1", 0, 7, refusal)
    assert (letter.reason, letter.field) == ("BAD_FORMAT", "/plate")


ACCEPTED_PLATES = {
    "full width": ("\uff18\uff21\uff2b\uff0d\uff14\uff17\uff11", "8AK471"),
    "mathematical bold": ("\U0001d7d6\U0001d400\U0001d40a\U0001d7d2\U0001d7d5\U0001d7cf", "8AK471"),
    "circled and superscript digits": ("\u2467AK\u2074\u2077\u00b9", "8AK471"),
    "every dropped mark": ("8.A'K/4&7+1\u00b7", "8AK471"),
    "no-break space and long dash": ("8AK\u00a0\u2014471", "8AK471"),
    "32 characters of which 6 count": ("8AK471" + "-" * 26, "8AK471"),
    "one character": ("A", "A"),
}


@pytest.mark.parametrize("name", ACCEPTED_PLATES)
def test_a_plate_in_another_writing_is_the_same_plate(name: str) -> None:
    raw, normal = ACCEPTED_PLATES[name]
    batch = decode_batch([event(plate=raw)], POLICY)
    assert (batch.refusals, list(batch.identities)) == ({}, [normal])


def test_a_strange_plate_in_an_orders_file_is_an_error_of_that_field() -> None:
    """The other side of the comparison is as strict: no order is entered for a plate nobody can read."""
    for plate in REFUSED_PLATES.values():
        file = json.loads(json.dumps(ORDERS))
        file["orders"][0]["respondents"][0]["vehicles"][0]["plate"] = plate
        findings = parse_orders_file(json.dumps(file).encode()).findings
        assert any(
            finding.severity == "ERROR" and finding.pointer.endswith("/vehicles/0/plate")
            for finding in findings
        )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"accuracy_m": -1}, "OUT_OF_RANGE"),
        ({"accuracy_m": -0.001}, "OUT_OF_RANGE"),
        ({"accuracy_m": 1_000_000.5}, "OUT_OF_RANGE"),
        ({"accuracy_m": 10**400}, "OUT_OF_RANGE"),
        ({"accuracy_m": "15"}, "WRONG_TYPE"),
        ({"accuracy_m": None}, "WRONG_TYPE"),
        ({"accuracy_m": 0, "fix_source": "GNSS"}, "OUT_OF_RANGE"),
        ({"accuracy_m": -5, "fix_source": "GNSS"}, "OUT_OF_RANGE"),
    ],
)
def test_an_accuracy_that_none_can_have_is_refused(changes: dict[str, Any], reason: str) -> None:
    line = decided(event(**changes))
    assert (line["outcome"], line["reasons"], line["field"]) == ("REFUSED", [reason], "/accuracy_m")


@pytest.mark.parametrize(
    ("changes", "relation", "reasons"),
    [
        # A camera's exact position is a position; -0.0 is 0.
        ({"accuracy_m": 0}, "INSIDE", []),
        ({"accuracy_m": -0.0}, "INSIDE", []),
        # Over the policy's cap (500 m): judged without widening, and never an alert.
        ({"accuracy_m": 50_000}, "INSIDE", ["ACCURACY_OVER_CAP"]),
        ({"accuracy_m": 50_000, "fix_source": "GNSS"}, "INSIDE", ["ACCURACY_OVER_CAP"]),
        # At the cap the circle is far larger than the zone: the probability decides.
        ({"accuracy_m": 500}, "INSIDE_WITHIN_ERROR", ["POSITION_UNCERTAIN"]),
        ({"fix_source": "CELL"}, "INSIDE", ["ACCURACY_OVER_CAP", "CELL_ONLY"]),
    ],
)
def test_a_poor_accuracy_is_accepted_and_judged(
    changes: dict[str, Any], relation: str, reasons: list[str]
) -> None:
    (match,) = decided(event(**changes))["matches"]
    assert (match["zone_relation"], match["reasons"]) == (relation, reasons)


def test_50_km_of_accuracy_reaches_nothing_from_outside() -> None:
    """A fix 2 km away whose circle covers the zone is no match at all: over the cap nothing widens."""
    assert decided(event(accuracy_m=50_000, lat=33.418))["outcome"] == "NONE"


YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("observed_by", "received_by", "reason"),
    [
        (YEAR, timedelta(0), "FUTURE"),
        (-YEAR, timedelta(0), "TOO_OLD"),
        (timedelta(0), YEAR, "TOO_OLD"),
        (timedelta(0), -YEAR, "FUTURE"),
    ],
)
def test_one_clock_a_year_wrong_is_refused(
    observed_by: timedelta, received_by: timedelta, reason: str
) -> None:
    """The reader's or the gateway's: the age that the event itself states is past the policy's limits."""
    value = event(
        observed_at=format_instant(READ_AT + observed_by),
        received_at=format_instant(READ_AT + timedelta(seconds=2) + received_by),
    )
    line = decided(value)
    assert (line["outcome"], line["reasons"], line["field"]) == ("REFUSED", [reason], "/observed_at")
    assert decode_batch([value], POLICY).refusals == {0: Refusal(reason, "/observed_at")}  # type: ignore[arg-type]


def test_both_clocks_a_year_wrong_cannot_be_told() -> None:
    """The event is as good as any of that day, and judged by the order as it stood then."""
    value = event(
        observed_at=format_instant(READ_AT - YEAR),
        received_at=format_instant(READ_AT - YEAR + timedelta(seconds=2)),
    )
    (match,) = decided(value)["matches"]
    assert match["reasons"] == ["NOT_NOTICED", "NOT_YET_EFFECTIVE"]
