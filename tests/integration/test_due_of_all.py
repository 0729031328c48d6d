"""What is due of the whole registry, read in pieces."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from stayaway.kernel.instants import format_instant
from stayaway.orders import due_load
from stayaway.orders.due import due_of
from stayaway.orders.load import load_stored
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import FileSeal, Seal
from support.alert_seed import import_orders, order
from support.databases import SERVERS
from support.desk import POLICY, START, Desk, opened_desk
from support.lives import registry_policy
from support.whole_registry import load_registry

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

Named = set[tuple[str, str]]
"""(kind, order id) of each that is due."""


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    """With seven orders, two of them served."""
    async with opened_desk(database, seal) as opened, opened.pool.acquire() as conn:
        await import_orders(conn, seal, [order(f"S{number}") for number in (1, 3, 4, 6, 7)], notices=[])
        await import_orders(conn, seal, [order(f"S{number}") for number in (2, 5)])
        yield opened


async def listed(desk: Desk) -> Named:
    return {(item["kind"], item["order_id"]) for item in (await desk.get("orders-due"))["due"]}


async def by_looking_at_all(desk: Desk) -> Named:
    """With every order in memory."""
    async with desk.pool.acquire() as conn:
        registry = await load_registry(conn, desk.seal)
    within, kinds = timedelta(days=30), POLICY.notice_kinds
    return {
        (item.kind, item.order_id)
        for each in registry.orders.values()
        for item in due_of(
            each, policy=registry_policy(), notice_kinds=kinds, within=within, now=START, known_at=START
        )
    }


@pytest.mark.parametrize("at_once", [1, 2, 7, 100])
async def test_the_pieces_are_the_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(due_load, "_AT_ONCE", at_once)
    found = await listed(desk)
    assert found == await by_looking_at_all(desk)
    assert {name for kind, name in found if kind == "NOT_SERVED"} == {"S1", "S3", "S4", "S6", "S7"}


async def test_what_is_recorded_meanwhile_shows_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pieces are of the registry as it stood at the first; no more than a piece is opened at once."""
    before, pieces = await listed(desk), list[list[str]]()

    async def and_recall(conn: Connection, seal: Seal, ids: Sequence[str], upto: int) -> Any:
        if not pieces:
            body = {"recalled_at": format_instant(START), "reason_text": "dismissed"}
            assert (await desk.send("POST", "orders/S7/recalls", "bob", body)).status_code == 201
        pieces.append(list(ids))
        return await load_stored(conn, seal, ids, upto)

    monkeypatch.setattr(due_load, "_AT_ONCE", 3)
    monkeypatch.setattr(due_load, "load_stored", and_recall)
    assert await listed(desk) == before
    assert pieces == [["S1", "S2", "S3"], ["S4", "S5", "S6"], ["S7"]]
    assert await listed(desk) == {item for item in before if item[1] != "S7"}
