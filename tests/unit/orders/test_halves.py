"""A file read by two processes is the file read by one."""

import json
import os
import signal
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

import pytest

from stayaway.kernel.instants import EPOCH
from stayaway.orders import beside, halves
from stayaway.orders.advice import advise
from stayaway.orders.beside import advice_beside
from stayaway.orders.halves import read_in_halves
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.orders.model import CourtOrder, OrderVersion
from stayaway.orders.parse import parse_orders_file, read_records
from stayaway.orders.records import ParsedOrders
from stayaway.orders.shortlist import Shortlist
from stayaway.orders.standing import Met
from support.wire_examples import ORDERS


def large_file() -> bytes:
    """Some hundred records; each seventh is wrong, each eleventh stands there twice."""
    order, notice = ORDERS["orders"][0], ORDERS["notices"][0]
    orders: list[Any] = [{**order, "order_id": f"O{n}"} for n in range(120)]
    for n in range(0, 120, 7):
        orders[n] |= {"kind": "NO SUCH", "extensions": {"x": 2**70}}
    orders += [*orders[::11], 5, None]
    notices = [{**notice, "order_id": f"O{n}"} for n in range(0, 140, 3)]
    return json.dumps({"schema": "orders.v1", "orders": orders, "notices": notices}).encode()


@pytest.fixture(autouse=True)
def _small_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "MIN_RECORDS", 10)
    monkeypatch.setattr(halves, "CHUNK", 4)


def test_it_is_the_same_whoever_reads_it() -> None:
    """Values, digests and findings, in the order of the file; the progress counts every record."""
    told: list[tuple[int, int]] = []
    alone = parse_orders_file(large_file())
    together = parse_orders_file(large_file(), lambda *counts: told.append(counts), read_in_halves)
    assert together == alone
    assert alone.has_errors
    assert told[-1] == (len(alone.records), len(alone.records))


def test_few_records_are_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "MIN_RECORDS", 10_000)
    monkeypatch.setattr(halves, "_read_there", None)
    assert parse_orders_file(large_file(), read_all=read_in_halves) == parse_orders_file(large_file())


def test_what_the_other_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def broken(raws: Any) -> Any:
        if os.getpid() != here:
            raise ZeroDivisionError
        return read_records(raws)

    monkeypatch.setattr(halves, "read_records", broken)
    with pytest.raises(ZeroDivisionError):
        parse_orders_file(large_file(), read_all=read_in_halves)


def test_a_dead_reader_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a file with a part missing."""
    here = os.getpid()

    def killed(raws: Any) -> Any:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return read_records(raws)

    monkeypatch.setattr(halves, "read_records", killed)
    with pytest.raises(BrokenProcessPool):
        parse_orders_file(large_file(), read_all=read_in_halves)


async def look(parsed: ParsedOrders) -> Met:
    """A registry that has the file's first order, in an earlier version."""
    first = parsed.records[1].value
    assert isinstance(first, OrderVersion)
    other = replace(first, order_id="ELSEWHERE")
    return Met({"ELSEWHERE": CourtOrder(order_id="ELSEWHERE", versions=(other,))}, 1, EPOCH)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("at_least", [10, 10_000])
async def test_advice_from_beside_is_the_same_advice(
    monkeypatch: pytest.MonkeyPatch, at_least: int, whole: bool
) -> None:
    """Also where the file is so small that nobody is asked; the registry is looked at in both."""
    monkeypatch.setattr(beside, "MIN_RECORDS", at_least)
    parsed = parse_orders_file(large_file())
    places = KnownPlaces(readers=())
    with advice_beside(parsed, look, places, whole=whole) as advice:
        advised = await advice()
    found = advise(parsed, places, await look(parsed))
    for words in ("ELSEWHERE", "No reader covers this zone"):
        assert any(words in finding.remedy for finding in found)
    assert advised.findings == (found if whole else ())
    assert list(advised.shown.lines()) == list(Shortlist(found).lines())


async def test_what_fails_beside_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "MIN_RECORDS", 10)
    monkeypatch.setattr(beside, "advise", lambda *_, **__: 1 // 0)
    with (
        advice_beside(parse_orders_file(large_file()), look, NO_PLACES, whole=True) as advice,
        pytest.raises(ZeroDivisionError),
    ):
        await advice()
