"""Who enters an order is told what stands in the registry already, and only what meets is unsealed."""

import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from stayaway.access.person import Person
from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries
from stayaway.orders import history_load, tokens
from stayaway.orders.advice import advise
from stayaway.orders.load import read_row
from stayaway.orders.meet import load_met, look_at_met
from stayaway.orders.store import record_orders
from stayaway.orders.tokens import forget_tokens
from stayaway.platform.seal import FileSeal
from support.advised import notice, order, orders_file, respondent, vehicle, zone
from support.databases import SERVERS
from support.registered import RECALL, drawn_order, parsed, to_file, to_met

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
Json = dict[str, Any]


async def record(conn: asyncpg.Connection, seal: FileSeal, file: Json) -> None:
    async with conn.transaction():
        done = await record_orders(conn, seal, parsed(file), actor="clerk", recorded_now=NOW)
    assert not done.has_errors


async def beside(conn: asyncpg.Connection, seal: FileSeal, file: Json) -> list[str]:
    """What is said of the file, by remedy."""
    read = parsed(file)
    return [finding.remedy for finding in advise(read, met=await load_met(conn, seal, read))]


def of_plate(number: int, plate: str) -> Json:
    return order(number, respondents=[respondent(number, vehicles=[vehicle(plate=plate)])])


def watch_unsealing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders whose records are unsealed from now on."""
    seen: list[str] = []

    def reading(seal: Any, row: Any) -> Any:
        seen.append(row["order_id"])
        return read_row(seal, row)

    monkeypatch.setattr(history_load, "read_row", reading)
    return seen


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", [24, 2])
async def test_it_is_what_is_said_beside_the_whole_registry(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch, seed: int, bits: int
) -> None:
    """Recorded in several changes; also where every token is shared by many that do not meet."""
    blind = seal.blind
    monkeypatch.setattr(seal, "blind", lambda text: blind(text) % 2**bits)
    rng = random.Random(seed)
    drawn = [drawn_order(rng, number) for number in range(1, 25)]
    recalled = [item["order_id"] for item in drawn[:20] if rng.random() < 0.2]
    for start in range(0, 20, 5):
        await record(conn, seal, to_file(drawn[start : start + 5]))
    await record(conn, seal, to_file([], recalled))
    for new in drawn[20:]:
        read = parsed(to_file([new]))
        met = await load_met(conn, seal, read)
        assert advise(read, met=met) == advise(read, met=to_met(parsed(to_file(drawn[:20], recalled))))


async def test_only_what_meets_is_unsealed(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(conn, seal, orders_file(*(of_plate(number, f"QQ{number}") for number in range(1, 40))))
    await record(conn, seal, orders_file(of_plate(40, "ATO 123")))
    seen = watch_unsealing(monkeypatch)
    (said,) = await beside(conn, seal, orders_file(of_plate(50, "AT0 123")))
    assert said.startswith("Order O40 (in the registry, version 1, ")
    assert set(seen) == {"O40"}


async def test_a_file_that_is_recorded_already_unseals_nothing(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A court system's whole feed, sent again each night."""
    file = orders_file(*(of_plate(number, "ATO 123") for number in range(1, 5)))
    await record(conn, seal, file)
    seen = watch_unsealing(monkeypatch)
    assert await beside(conn, seal, file) == [finding.remedy for finding in advise(parsed(file))]
    assert seen == []


async def test_a_token_shared_by_chance_says_nothing_and_names_nobody(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is unsealed, found to have nothing in common, and does not appear in the audit log either."""
    monkeypatch.setattr(seal, "blind", lambda _text: 7)
    await record(conn, seal, orders_file(of_plate(1, "QQ1"), of_plate(2, "ATO 123")))
    read = parsed(orders_file(of_plate(3, "AT0 123")))
    person = Person.of("ann", "cli")
    met = await look_at_met(conn, seal, read, person, now=NOW, view="cli-check")
    assert set(met.orders) == {"O2"}
    (row,) = await load_entries(conn, "cli")
    opened = open_entry(seal, row)
    assert (row.entry_type, opened.actor) == ("ORDERS_COMPARED", "ann")
    assert opened.details["order_ids"] == ["O2"]
    assert opened.details["compared"] == 1


async def test_a_changed_order_is_found_by_what_it_says_now(conn: asyncpg.Connection, seal: FileSeal) -> None:
    await record(conn, seal, orders_file(of_plate(1, "ATO 123")))
    new = orders_file(of_plate(2, "BX 77"))
    assert await beside(conn, seal, new) == []
    await record(conn, seal, orders_file(of_plate(1, "BX 77") | {"version": 2}))
    (said,) = await beside(conn, seal, new)
    assert said.startswith("Order O1 (in the registry, version 2, ")
    assert await beside(conn, seal, orders_file(of_plate(2, "ATO 123"))) == []


async def test_a_recall_that_is_recorded_ends_the_warning(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Also for a file whose own records are older than the recall."""
    await record(conn, seal, orders_file(order(1, respondents=[respondent(9)], zones=[zone()])))
    new = orders_file(order(2, respondents=[respondent(9)], zones=[zone()]))
    (said,) = await beside(conn, seal, new)
    assert "has this place already" in said
    recall = RECALL | {"order_id": "O1"}
    await record(conn, seal, {"schema": "orders.v1", "orders": [], "recalls": [recall]})
    assert await beside(conn, seal, new) == []


async def test_the_index_says_no_plate_and_goes_with_its_order(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """Tokens are keyed: other keys give others. Without its tokens an order is compared with nothing."""
    await record(conn, seal, orders_file(of_plate(1, "ATO 123"), of_plate(2, "QQ2")))
    rows = await conn.fetch("SELECT token, order_id FROM order_token")
    assert {row["order_id"] for row in rows} == {"O1", "O2"}
    assert seal.blind("plate AT0123") in {row["token"] for row in rows if row["order_id"] == "O1"}
    assert all(0 <= row["token"] < 2**24 for row in rows)
    await forget_tokens(conn, ["O1"])
    assert {row["order_id"] for row in await conn.fetch("SELECT order_id FROM order_token")} == {"O2"}
    assert await beside(conn, seal, orders_file(of_plate(3, "AT0 123"))) == []
    assert len(await beside(conn, seal, orders_file(of_plate(3, "QQ2")))) == 1


async def test_what_is_rolled_back_leaves_no_token(conn: asyncpg.Connection, seal: FileSeal) -> None:
    transaction = conn.transaction()
    await transaction.start()
    await record_orders(conn, seal, parsed(orders_file(order(1))), actor="c", recorded_now=NOW)
    assert await conn.fetchval("SELECT count(*) FROM order_token") > 0
    await transaction.rollback()
    assert await conn.fetchval("SELECT count(*) FROM order_token") == 0


async def test_notices_write_no_token(conn: asyncpg.Connection, seal: FileSeal) -> None:
    await record(conn, seal, orders_file(order(1)))
    before = await conn.fetchval("SELECT count(*) FROM order_token")
    later = notice(order(1), noticed_at="2026-01-08T18:00:00Z", recorded_at="2026-01-08T19:00:00Z")
    await record(conn, seal, {"schema": "orders.v1", "orders": [], "notices": [later]})
    assert await conn.fetchval("SELECT count(*) FROM order_token") == before


async def test_what_a_thousand_orders_share_is_not_compared_but_said(
    conn: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A placeholder for a respondent must not unseal the whole registry; the plate still finds its twin."""
    monkeypatch.setattr(tokens, "MOST_MARKED", 3)
    same = {"respondent_id": "UNKNOWN", "name": "Robin Example"}
    cars = [[vehicle(plate=plate)] for plate in ("QQ1", "QQ2", "QQ3", "ATO 123")]
    known = [order(n, respondents=[same | {"vehicles": own}]) for n, own in enumerate(cars, start=1)]
    await record(conn, seal, orders_file(*known))
    new = order(9, respondents=[same | {"vehicles": [vehicle(plate="AT0 123")]}])
    seen = watch_unsealing(monkeypatch)
    common, twin = sorted(await beside(conn, seal, orders_file(new)), key=lambda remedy: "plate" in remedy)
    assert common.startswith("So many orders of the registry have this")
    assert twin.startswith("Order O4 (in the registry")
    assert set(seen) == {"O4"}
