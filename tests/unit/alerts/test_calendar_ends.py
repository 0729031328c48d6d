"""Dates at the calendar's ends, as some systems write where they know none: findings, never a crash."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stayaway.alerts.replay import replay, snapshot_known_at
from stayaway.matching.engine import Engine
from stayaway.matching.steps_told import tell_steps
from stayaway.orders.advice import advise
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.sightings.batch import decode_batch
from support.rich_orders import rich
from support.wire_examples import CHECK_IN, PLATE_READ, example_policy

POLICY = example_policy()
ENDS = {
    "_at": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    "_local": ("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
    "_on": ("0001-01-01", "9999-12-31"),
}
Path = tuple[str | int, ...]


def in_force() -> dict[str, Any]:
    """The rich example without what takes an order out of force: all advice is asked for."""
    file = rich()
    file["recalls"], file["suspensions"] = [], []
    return file


FILES = {"rich": rich, "in force": in_force}


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where an instant, a wall clock or a date stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        if isinstance(inner, str) and isinstance(name, str) and name.endswith(tuple(ENDS)):
            yield (*at, name)
        yield from places(inner, (*at, name))


def with_value(file: dict[str, Any], place: Path, value: str) -> dict[str, Any]:
    holder: Any = file
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return file


CASES = [
    pytest.param(name, place, value, id=f"{name}: {'/'.join(map(str, place))} = {value}")
    for name, make in FILES.items()
    for place in places(make())
    for value in ENDS["_" + str(place[-1]).rsplit("_", 1)[1]]
]


@pytest.mark.parametrize(("name", "place", "value"), CASES)
def test_every_date_of_an_order_may_be_the_first_or_the_last(name: str, place: Path, value: str) -> None:
    parsed = parse_orders_file(json.dumps(with_value(FILES[name](), place, value)).encode())
    advise(parsed)
    if parsed.has_errors:
        return
    assert parsed.known_at is not None
    snapshot = snapshot_known_at(to_orders(parsed), parsed.known_at)
    events = [
        json.dumps({**event, "observed_at": instant, "received_at": instant}).encode()
        for event in (PLATE_READ, CHECK_IN)
        for instant in ("2026-03-06T20:15:00Z", *ENDS["_at"])
    ]
    *_, summary = replay(snapshot, POLICY, events)
    assert (summary["read"], summary["refused"]) == (6, 0)
    for decision in Engine(snapshot, POLICY).judge(decode_batch(events, POLICY)).decisions:
        for match in decision.matches:
            assert tell_steps(match)
