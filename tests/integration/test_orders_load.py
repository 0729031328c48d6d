"""Orders read from Postgres: as they were at each sequence, and what changed; never wrong in silence."""

import json

import asyncpg
import pytest

from stayaway.orders.codec import SEAL_PURPOSE, StoredOrderError
from stayaway.orders.load import BEGINNING, load_changed, load_orders, load_stored
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.store import record_orders
from stayaway.platform.seal import FileSeal, SealError
from support.databases import SERVERS
from support.recording import RECORDED, orders, record
from support.tampering import tamper
from support.whole_registry import load_registry

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

RECALL = {
    "order_id": "O1",
    "recorded_at": "2026-02-01T00:00:00Z",
    "recalled_at": "2026-02-01T00:00:00Z",
    "reason_text": "dismissed",
}


async def test_records_of_several_changes_come_together(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Versions by their numbers, whatever order they were recorded in; a snapshot stays as it was."""
    await record(conn, seal, orders("O1", "O2"))
    first = await load_registry(conn, seal)
    await record(conn, seal, orders("O1", version=3, case_number="F-3") | {"notices": []})
    await record(
        conn, seal, orders("O1", version=2, case_number="F-2") | {"recalls": [RECALL], "notices": []}
    )
    after = await load_registry(conn, seal)
    assert after.orders["O2"] == first.orders["O2"]
    assert [version.version for version in after.orders["O1"].versions] == [1, 2, 3]
    assert (len(after.orders["O1"].recalls), first.orders["O1"].recalls) == (1, ())
    assert after.head_changes == {"O1": 3, "O2": 1}


async def test_a_change_says_what_it_changed_and_when(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """The orders with new records, and for each sequence passed the instant it was published."""
    await record(conn, seal, orders("O1", "O2"))
    first = await load_changed(conn, BEGINNING)
    assert (set(first.order_ids), first.recorded) == ({"O1", "O2"}, ((1, RECORDED),))
    nothing = await load_changed(conn, first.point)
    assert nothing == (first.point, first.known_at, (), ())
    await record(conn, seal, orders("O3"))
    await record(conn, seal, orders("O1", version=2, case_number="F-2") | {"notices": []})
    change = await load_changed(conn, first.point)
    assert sorted(change.order_ids) == ["O1", "O3"]
    assert change.recorded == ((2, RECORDED), (3, RECORDED))
    assert (first.point.registry_sequence, change.point.registry_sequence) == (1, 3)


async def test_an_order_is_at_each_sequence_what_it_was_then(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """However much was recorded since; and before its first record it is not there."""
    snapshots = []
    for number in (1, 2, 3):
        await record(conn, seal, orders("O1", version=number, case_number=f"F-{number}") | {"notices": []})
        snapshots.append(await load_registry(conn, seal))
    assert await load_stored(conn, seal, ["O1"], 0) == {}
    for sequence, snapshot in enumerate(snapshots, start=1):
        stored = (await load_stored(conn, seal, ["O1", "O9"], sequence))["O1"]
        assert stored == (snapshot.orders["O1"], snapshot.head_changes["O1"])


async def test_some_orders_alone_are_those_of_the_registry(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """At the same sequence and K; an order that is not there is not there."""
    await record(conn, seal, orders("O1", "O2", "O3"))
    await record(conn, seal, orders("O2", version=2, case_number="F-2") | {"notices": []})
    whole = await load_stored(conn, seal, ["O1", "O2", "O3"], 2)
    some = await load_orders(conn, seal, ["O3", "O2", "O9"])
    assert some.orders == {name: whole[name].order for name in ("O2", "O3")}
    assert some.head_changes == {"O2": 2, "O3": 1}
    changed = await load_changed(conn, BEGINNING)
    assert (some.registry_sequence, some.known_at) == (changed.point.registry_sequence, changed.known_at)


async def test_an_import_can_be_read_in_its_own_transaction(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """So that open alerts are judged again before it commits; rolled back, nothing is left."""
    parsed = parse_orders_file(json.dumps(orders("O1")).encode())
    transaction = conn.transaction()
    await transaction.start()
    await record_orders(conn, seal, parsed, actor="clerk", recorded_now=RECORDED)
    assert set((await load_registry(conn, seal)).orders) == {"O1"}
    await transaction.rollback()
    empty = await load_registry(conn, seal)
    assert (dict(empty.orders), empty.registry_sequence) == ({}, 0)


async def test_a_changed_or_moved_row_stops_loading(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """An order is never silently left out or replaced by another of its own records."""
    await record(conn, seal, orders("O1"))
    await record(conn, seal, orders("O1", version=2, case_number="F-2") | {"notices": []})
    await tamper(
        conn,
        "UPDATE order_record SET payload_sealed = (SELECT payload_sealed FROM order_record WHERE version = 1)"
        " WHERE version = 2",
    )
    with pytest.raises(StoredOrderError):
        await load_registry(conn, seal)
    unreadable = seal.seal("O1", SEAL_PURPOSE, b'{"sha256": "", "record": {}, "shapes": {}}')
    await tamper(conn, "UPDATE order_record SET payload_sealed = $1", unreadable)
    with pytest.raises(StoredOrderError):
        await load_registry(conn, seal)
    await tamper(conn, "UPDATE order_record SET payload_sealed = 'x'::bytea")
    with pytest.raises(SealError):
        await load_registry(conn, seal)
