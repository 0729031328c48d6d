"""What is asked about the project's own files: each question has a planted reason, and no other is asked."""

import json
import logging
from pathlib import Path

import pytest

from stayaway.orders.advice import advise, with_advice
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.readers import Reader
from support.commands import json_lines, run_stayaway
from support.worlds import draw_world

FIXTURES = Path(__file__).parents[2] / "fixtures"
DAY = FIXTURES / "day" / "orders.json"

PLANTED = {
    "FC-2026-00006": "has a plate that readers take for this one",
    "FC-2026-00010": "links this plate to another respondent",
    "FC-2026-00011": "links this plate to another respondent",
    "FC-2026-00012": "Not served",
    "FC-2026-00016": "It ended at",
    "FC-2026-00017": "It ended at",
    "FC-2026-00018": "It ended at",
    "FC-2026-00019": "It ended at",
    "FC-2026-00028": "Not served",
    "FC-2026-00029": "Told of version 1 only",
    "FC-2026-00032": "Mutual orders",
    "FC-2026-00033": "Mutual orders",
    "FC-2026-00037": "NOT MONITORED",
    "FC-2026-00044": "It ended at",
    "FC-2026-00056": "outside the box of US-AZ",
}
"""The second plate of one car, one car of two respondents, the unnoticed orders, those that end during
the day, the unnoticed tightening, the mutual ones, firearms only, and the real track in Istria."""


def test_the_days_orders_are_asked_what_was_planted_in_them() -> None:
    found = advise(parse_orders_file(DAY.read_bytes()))
    assert {finding.severity for finding in found} == {"WARNING"}
    rest = [finding for finding in found if not finding.remedy.startswith("Nobody was asked whether")]
    assert sorted(str(finding.order_id) for finding in rest) == sorted(PLANTED)
    for finding in rest:
        assert PLANTED[str(finding.order_id)] in finding.remedy


def test_every_pointer_of_the_advice_leads_somewhere() -> None:
    """To the field, or to the object where a field is missing."""
    file = json.loads(DAY.read_bytes())
    for finding in advise(parse_orders_file(DAY.read_bytes())):
        value = file
        *steps, last = finding.pointer.split("/")[1:]
        for step in steps:
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert isinstance(value, list) or last in value or finding.value == ""


def test_wires_example_lacks_one_answer_only() -> None:
    found = advise(parse_orders_file((FIXTURES / "example" / "orders.json").read_bytes()))
    assert [finding.pointer for finding in found] == ["/orders/0/respondents/0/vehicles/0/used_by"]


def test_advice_changes_nothing_that_decides() -> None:
    """The same records, the same orders, no error more."""
    parsed = parse_orders_file(DAY.read_bytes())
    advised = with_advice(parsed)
    assert to_orders(advised) == to_orders(parsed)
    assert (advised.has_errors, advised.blocks_orders) == (parsed.has_errors, parsed.blocks_orders)
    assert advised.findings[: len(parsed.findings)] == parsed.findings


def test_the_same_file_gets_the_same_advice_in_the_same_order() -> None:
    first, second = (advise(parse_orders_file(DAY.read_bytes())) for _ in range(2))
    assert first == second


def test_nothing_of_the_advice_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert advise(parse_orders_file(DAY.read_bytes()))
    assert caplog.records == []


def test_the_command_exits_0_with_advice_and_takes_a_readers_file(tmp_path: Path) -> None:
    readers = tmp_path / "readers.json"
    readers.write_text(json.dumps({"schema": "readers.v1", "readers": []}))
    plain = run_stayaway("orders", "check", DAY, "--json")
    with_readers = run_stayaway("orders", "check", DAY, "--readers", readers, "--json")
    assert (plain.returncode, with_readers.returncode) == (0, 0)
    extra = len(json_lines(with_readers.stdout)) - len(json_lines(plain.stdout))
    assert extra > 80  # every zone of a respondent with a vehicle
    readers.write_text("{}")
    assert run_stayaway("orders", "check", DAY, "--readers", readers).returncode == 2
    assert run_stayaway("orders", "check", DAY, "--readers", tmp_path / "none").returncode == 2


@pytest.mark.parametrize("seed", range(40))
def test_advice_on_random_worlds_warns_and_never_fails(seed: int) -> None:
    """Over the antimeridian, at 0/0 and in the far north; crowded, with every kind of record."""
    parsed = parse_orders_file(draw_world(seed, orders=6, events=1).orders_bytes())
    readers = (Reader("r1", 180.0, -17.0, 30.0), Reader("r2", -111.9, 33.4, 500.0))
    found = advise(parsed, KnownPlaces(readers=readers))
    assert {finding.severity for finding in found} <= {"WARNING"}
    assert to_orders(with_advice(parsed)) == to_orders(parsed)
