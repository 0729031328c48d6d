"""Which stored sightings stand beside an alert: the nearest of each vehicle and device, on both sides."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stayaway.alerts.neighbours import Identity, open_neighbours
from stayaway.kernel.instants import format_instant, parse_instant
from stayaway.kernel.jsontext import canonical_json
from stayaway.platform.seal import FileSeal
from support.wire_examples import CHECK_IN, PLATE_READ

AT: datetime = parse_instant(PLATE_READ["observed_at"])
V1, V2, D9 = ("V1", None), ("V2", None), (None, "D9")
Row = dict[str, Any]


def row(seal: FileSeal, minutes: float, who: Identity = V1, *, before: bool, **changes: Any) -> Row:
    """A stored decision and its event, as the statement answers."""
    seal.ensure(["O1"])
    instants = {
        "observed_at": format_instant(AT + timedelta(minutes=minutes)),
        "received_at": format_instant(AT + timedelta(minutes=minutes)),
    }
    event = {**(PLATE_READ if who[0] else CHECK_IN), **instants, "event_id": f"e{minutes:g}"}
    value = json.dumps(event)
    content_sha256 = hashlib.sha256(value.encode()).hexdigest()
    payload = {"value": value, "content_sha256": content_sha256}
    detail = {"vehicle_id": who[0], "device_id": who[1]}
    return {
        "order_id": "O1",
        "source": event["source"],
        "event_id": event["event_id"],
        "observed_at": AT + timedelta(minutes=minutes),
        "content_digest": seal.reference("O1", content_sha256),
        "zone_id": "Z1",
        "policy_sha256": "ab" * 32,
        "topic": "reads",
        "partition": 0,
        "record_offset": round(minutes * 1_000),
        "of_device": who[0] is None,
        "is_before": before,
        "is_ours": False,
        "alert_number": 3,
        "detail_sealed": seal.seal("O1", "decision", canonical_json(detail)),
        "payload_sealed": seal.seal("O1", "sighting", canonical_json(payload)),
        **changes,
    }


def found(
    seal: FileSeal, rows: Iterable[Row], identities: set[Identity], own_minutes: Iterable[float] = ()
) -> list[tuple[float, Identity]]:
    origins = {("reads", 0, round(minutes * 1_000)) for minutes in own_minutes}
    neighbours = open_neighbours(seal, rows, identities, origins)
    assert neighbours.unopened == 0
    return sorted(
        ((item.sighting.observed_at - AT).total_seconds() / 60, (item.vehicle_id, item.device_id))
        for item in neighbours.found
    )


def test_the_nearest_on_each_side_of_each_identity(seal: FileSeal) -> None:
    rows = [
        row(seal, -30, V1, before=True),
        row(seal, -20, V1, before=True),
        row(seal, -10, V2, before=True),
        row(seal, -5, D9, before=True),
        row(seal, 15, V2, before=False),
        row(seal, 25, V1, before=False),
        row(seal, 35, V1, before=False),
    ]
    assert found(seal, rows, {V1}) == [(-20, V1), (25, V1)]
    assert found(seal, reversed(rows), {V1, D9}) == [(-20, V1), (-5, D9), (25, V1)]
    assert found(seal, rows, set()) == []


def test_the_alerts_own_sightings_are_no_neighbours(seal: FileSeal) -> None:
    rows = [row(seal, 0, before=True, is_ours=True), row(seal, 0, before=False, is_ours=True)]
    assert found(seal, [*rows, row(seal, -20, before=True)], {V1}, own_minutes=[0]) == [(-20, V1)]


def test_at_the_same_instant_it_is_found_once_and_hides_nothing(seal: FileSeal) -> None:
    both = [row(seal, 0, before=side) for side in (True, False)]
    assert found(seal, [*both, row(seal, 9, before=False)], {V1}, own_minutes=[0.5]) == [(0, V1), (9, V1)]


def test_an_event_of_this_alert_stays_so_where_another_zone_suppressed_it(seal: FileSeal) -> None:
    suppressed = row(seal, -9, before=True, zone_id="Z0", alert_number=None)
    ours = row(seal, -9, before=True, is_ours=True)
    (neighbour,) = open_neighbours(seal, [ours, suppressed], {V1}, set()).found
    assert neighbour.is_ours


def test_a_row_that_does_not_open_is_counted_and_hides_nothing(seal: FileSeal) -> None:
    broken = row(seal, -10, before=True)
    broken["payload_sealed"] = broken["payload_sealed"][:-1] + bytes([broken["payload_sealed"][-1] ^ 1])
    neighbours = open_neighbours(seal, [broken, row(seal, -20, before=True)], {V1}, set())
    assert [item.sighting.event_id for item in neighbours.found] == ["e-20"]
    assert neighbours.unopened == 1
    assert str(neighbours.unopened_words).startswith("1 sighting stored beside this alert could not be ")


def test_the_look_names_the_events_opened_that_are_not_its_own(seal: FileSeal) -> None:
    rows = [row(seal, -9, before=True), row(seal, -19, before=True), row(seal, 9, before=False, is_ours=True)]
    assert open_neighbours(seal, rows, {V1}, set()).audited == ["az/e-9"]


sides = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([V1, V2, D9])), max_size=12, unique_by=lambda pair: pair[0]
)


@given(sides, sides, st.sets(st.sampled_from([V1, V2, D9])))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_none_of_the_same_identity_lies_nearer(
    seal: FileSeal,
    before: list[tuple[int, Identity]],
    after: list[tuple[int, Identity]],
    identities: set[Identity],
) -> None:
    rows = [row(seal, -minutes, who, before=True) for minutes, who in before]
    rows += [row(seal, minutes, who, before=False) for minutes, who in after]
    expected = [
        (sign * min(minutes for minutes, other in side if other == who), who)
        for sign, side in ((-1, before), (1, after))
        for who in identities
        if any(other == who for _, other in side)
    ]
    assert set(found(seal, rows, identities)) == set(expected)
