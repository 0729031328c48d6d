"""Whom else the registry links to an alert's plate: found by the index, as a look at every order finds it."""

import random
from datetime import UTC, datetime

import asyncpg
import pytest

from stayaway.alerts.plate_links import PlateLinks, find_plate_links
from stayaway.orders import tokens
from stayaway.orders.load import load_orders
from stayaway.orders.store import record_orders
from stayaway.platform.seal import FileSeal
from support.advised import Json, order, orders_file, respondent, vehicle
from support.databases import SERVERS
from support.registered import drawn_order, parsed, to_file
from support.tampering import tamper
from support.whole_registry import load_registry

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


async def record(conn: asyncpg.Connection, seal: FileSeal, file: Json) -> None:
    async with conn.transaction():
        done = await record_orders(conn, seal, parsed(file), actor="clerk", recorded_now=NOW)
    assert not done.has_errors


def of_plate(number: int, plate: str) -> Json:
    return order(number, respondents=[respondent(number, vehicles=[vehicle(plate=plate)])])


async def links(conn: asyncpg.Connection, seal: FileSeal, plate: str, own: str) -> PlateLinks:
    return await find_plate_links(conn, seal, plate, (await load_orders(conn, seal, [own])).orders[own])


async def by_looking_at_all(conn: asyncpg.Connection, seal: FileSeal) -> dict[str, set[str]]:
    """By plate, the respondents whom any version of any order links to it."""
    found: dict[str, set[str]] = {}
    for each in (await load_registry(conn, seal)).orders.values():
        for version in each.versions:
            for bound in version.respondents:
                for car in bound.vehicles:
                    found.setdefault(car.plate, set()).add(bound.respondent_id)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", [24, 2])
async def test_it_is_what_a_look_at_every_order_finds(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch, seed: int, bits: int
) -> None:
    """Also where every token is shared by chance, where plates are twins, and where only an older version or
    a recalled order has the plate.
    """
    blind = seal.blind
    monkeypatch.setattr(seal, "blind", lambda text: blind(text) % 2**bits)
    rng = random.Random(seed)
    drawn = [drawn_order(rng, number) for number in range(1, 17)]
    await record(conn, seal, to_file(drawn, [item["order_id"] for item in drawn[:3]]))
    changed = [
        {**item, "version": 2, "respondents": drawn_order(rng, number)["respondents"]}
        for number, item in enumerate(drawn[:6], start=1)
    ]
    await record(conn, seal, to_file(changed))
    expected = await by_looking_at_all(conn, seal)
    assert expected
    for plate, respondent_ids in expected.items():
        for own in (drawn[0]["order_id"], drawn[-1]["order_id"]):
            assert await links(conn, seal, plate, own) == PlateLinks(respondent_ids=frozenset(respondent_ids))


async def test_of_a_plate_that_too_many_have_it_is_said_and_none_is_opened(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A placeholder: the dispatcher is warned all the same."""
    await record(conn, seal, orders_file(*(of_plate(number, "NONE") for number in range(1, 5))))
    monkeypatch.setattr(tokens, "MOST_MARKED", 3)
    found = await links(conn, seal, "NONE", "O1")
    assert found == PlateLinks(respondent_ids=frozenset({"R1"}), is_common=True)
    assert str(found.others_words("R1")).startswith("More than 1,000 orders may link this plate")
    assert str(found.others_words("R9")).startswith(
        "Orders link this plate to 2 respondents: any of them may"
    )


async def test_another_order_that_does_not_open_hides_no_alert(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """It is counted; the one that opens still counts as a link."""
    await record(conn, seal, orders_file(*(of_plate(number, "ATO123") for number in range(1, 5))))
    await tamper(conn, "UPDATE order_record SET payload_sealed = 'x' WHERE order_id IN ('O2', 'O4')")
    found = await links(conn, seal, "ATO123", "O1")
    assert found == PlateLinks(respondent_ids=frozenset({"R1", "R3"}), unopened=2)
    assert str(found.unopened_words).startswith("2 other orders that may link this plate could not be opened")
    assert PlateLinks().unopened_words is None
