"""A change is written first and published last: what is long about an import keeps nobody waiting."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from stayaway.access.person import Person
from stayaway.alerts.order_acts import act_on_order
from stayaway.audit.entries import open_entry
from stayaway.audit.store import list_streams, load_entries, verify_stream
from stayaway.kernel.errors import ConflictError
from stayaway.orders import change, store
from stayaway.orders.change import AUDIT_STREAM, publish
from stayaway.orders.draft_store import lock_order
from stayaway.orders.history_load import look_at_history
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.records import ParsedOrders
from stayaway.orders.store import ImportOutcome, record_orders
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.tampering import tamper
from support.whole_registry import load_registry
from support.wire_examples import ORDERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
CLERK = Person(name="Robin Clerk", channel="web", purpose="entry")
RECALL = {"recalled_at": "2026-03-06T20:00:00Z", "reason_text": "dismissed", "void": False}


def file_of(*order_ids: str, **changes: Any) -> ParsedOrders:
    order = ORDERS["orders"][0] | changes
    orders = [copy.deepcopy(order) | {"order_id": order_id} for order_id in order_ids]
    return parse_orders_file(json.dumps({"schema": "orders.v1", "orders": orders}).encode())


async def record(conn: asyncpg.Connection, seal: FileSeal, parsed: ParsedOrders) -> ImportOutcome:
    async with conn.transaction():
        return await record_orders(conn, seal, parsed, actor="clerk", recorded_now=NOW)


async def record_under_lock(conn: asyncpg.Connection, seal: FileSeal, parsed: ParsedOrders) -> ImportOutcome:
    """As an approval does."""
    async with conn.transaction():
        await lock_order(conn, "O1")
        return await record_orders(conn, seal, parsed, actor="bob", recorded_now=NOW, holds_registry=True)


@pytest.fixture
async def conns(database: str) -> AsyncIterator[list[asyncpg.Connection]]:
    opened = [await asyncpg.connect(database) for _ in range(3)]
    yield opened
    for conn in opened:
        await conn.close()


class Held:
    """An import that has written everything and goes no further until it is told to."""

    def __init__(self) -> None:
        self.written = asyncio.Event()
        self.go_on = asyncio.Event()


@asynccontextmanager
async def held_import(
    monkeypatch: pytest.MonkeyPatch, conn: asyncpg.Connection, seal: FileSeal, parsed: ParsedOrders
) -> AsyncIterator["asyncio.Task[ImportOutcome]"]:
    """In the block the file is written and not published; after it, it is."""
    held = Held()

    async def waiting(*args: Any) -> Any:
        held.written.set()
        await held.go_on.wait()
        return await publish(*args)

    monkeypatch.setattr(store, "publish", waiting)
    task = asyncio.create_task(record(conn, seal, parsed))
    await held.written.wait()
    monkeypatch.setattr(store, "publish", publish)
    try:
        yield task
    finally:
        held.go_on.set()
        await task


async def recall(conn: asyncpg.Connection, seal: FileSeal, order_id: str) -> int:
    outcome = await act_on_order(
        conn, seal, order_id, "RECALL", RECALL, CLERK, policy=None, now=NOW, idempotency_key=None
    )
    return outcome.registry_sequence


async def test_a_recall_does_not_wait_for_an_import(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a file: not even for new versions of the very order that is recalled."""
    conn, other, third = conns
    await record(conn, seal, file_of("O1", "O2"))
    async with held_import(monkeypatch, conn, seal, file_of("O1", "O3", version=2)) as task:
        assert await asyncio.wait_for(recall(other, seal, "O1"), 10) == 2
        assert (await asyncio.wait_for(record(third, seal, file_of("O4")), 10)).registry_sequence == 3
        before = await load_registry(other, seal)
        assert set(before.orders) == {"O1", "O2", "O4"}
        assert [version.version for version in before.orders["O1"].versions] == [1]
    assert task.result().registry_sequence == 4
    after = await load_registry(other, seal)
    assert [version.version for version in after.orders["O1"].versions] == [1, 2]
    assert len(after.orders["O1"].recalls) == 1
    history = await look_at_history(other, seal, "O1", CLERK, now=NOW, view="t")
    assert [(item.kind, item.registry_sequence, item.applied_by) for item in history] == [
        ("VERSION", 1, "clerk"),
        ("RECALL", 2, "Robin Clerk"),
        ("VERSION", 4, "clerk"),
    ]


async def test_who_holds_the_registry_does_not_wait_for_the_same_order(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval of what a file is just bringing is told so at once; the file loses nothing by it."""
    conn, other, _ = conns
    await record(conn, seal, file_of("O1"))
    async with held_import(monkeypatch, conn, seal, file_of("O1", "O2", version=2)):
        for parsed in (file_of("O1", version=2, case_number="F-2"), file_of("O2", version=2)):
            with pytest.raises(ConflictError):
                await record_under_lock(other, seal, parsed)
    assert [v.version for v in (await load_registry(conn, seal)).orders["O1"].versions] == [1, 2]


async def test_whoever_holds_the_registry_makes_no_import_fail(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import waits for the registry, its holder for what the import has written: Postgres sees a
    deadlock, and at the import's side. The holder gives up, the import has lost nothing.
    """
    conn, other, third = conns
    await conn.execute("SET deadlock_timeout = '20ms'")

    async def after_the_lock(*args: Any) -> Any:
        rival = asyncio.create_task(record_under_lock(other, seal, file_of("O1")))
        waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        while not await third.fetchval(waiting, other.get_server_pid()):
            pass
        state = await publish(*args)
        with pytest.raises(ConflictError):
            await rival
        return state

    monkeypatch.setattr(store, "publish", after_the_lock)
    outcome = await asyncio.wait_for(record(conn, seal, file_of("O1")), 20)
    assert outcome.changed_order_ids == ("O1",)
    assert set((await load_registry(other, seal)).orders) == {"O1"}


async def test_an_import_that_ends_in_the_middle_leaves_nothing(
    conns: list[asyncpg.Connection], database: str, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is cut after everything was written: no order, no entry, no number that counts."""
    conn, other, _ = conns
    pid = await conn.fetchval("SELECT pg_backend_pid()")

    async def cut(*_: Any) -> Any:
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        await conn.fetch("SELECT 1")

    monkeypatch.setattr(store, "publish", cut)
    monkeypatch.setattr(change, "MAX_ORDERS_UNDER_LOCK", 1)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await record(conn, seal, file_of("O1", "O2"))
    assert not (await load_registry(other, seal)).orders
    for table in ("order_head", "order_record", "registry_change", "audit_entry", "audit_stream"):
        assert await other.fetchval(f"SELECT count(*) FROM {table}") == 0


@pytest.mark.parametrize("failing", ["build_entries", "write_tokens"])
async def test_a_large_change_that_cannot_be_written_leaves_nothing(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Records are sent while their audit entries are built: whichever fails, neither stands alone."""

    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(change, failing, fail)
    monkeypatch.setattr(change, "MAX_ORDERS_UNDER_LOCK", 1)
    with pytest.raises(ZeroDivisionError):
        await record(conns[0], seal, file_of("O1", "O2"))
    for table in ("order_head", "order_record", "registry_change", "audit_entry", "audit_stream"):
        assert await conns[0].fetchval(f"SELECT count(*) FROM {table}") == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_large_change_has_an_audit_stream_of_its_own(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry's stream names its end, so that nothing of it can be taken away."""
    monkeypatch.setattr(change, "MAX_ORDERS_UNDER_LOCK", 2)
    conn = conns[0]
    await record(conn, seal, file_of("O1", "O2", "O3"))
    await record(conn, seal, file_of("O4"))
    assert await list_streams(conn) == ["orders", "orders-1"]
    assert [entry.order_id for entry in await load_entries(conn, "orders-1")] == ["O1", "O2", "O3"]
    entries = await load_entries(conn, AUDIT_STREAM)
    assert [entry.entry_type for entry in entries] == ["ORDERS_IMPORTED", "ORDER_RECORDED", "ORDERS_IMPORTED"]
    assert open_entry(seal, entries[0]).details["entries_in"]["stream_sequence"] == 3
    for stream in await list_streams(conn):
        assert await verify_stream(conn, seal, stream) == []
    history = await look_at_history(conn, seal, "O2", CLERK, now=NOW, view="t")
    assert [item.applied_by for item in history] == ["clerk"]


@pytest.mark.parametrize(
    "tampering",
    [
        """
        DELETE FROM audit_entry WHERE stream = 'orders-1';
        DELETE FROM audit_stream WHERE stream = 'orders-1'
        """,
        """
        DELETE FROM audit_entry WHERE stream = 'orders-1' AND stream_sequence = 3;
        UPDATE audit_stream SET stream_sequence = 2, last_entry_hash = (
            SELECT leaf_hash FROM audit_entry WHERE stream = 'orders-1' AND stream_sequence = 2
        ) WHERE stream = 'orders-1'
        """,
    ],
)
async def test_a_stream_that_was_cut_or_taken_away_is_found(
    conns: list[asyncpg.Connection], seal: FileSeal, monkeypatch: pytest.MonkeyPatch, tampering: str
) -> None:
    """Also where it verifies by itself, or is gone."""
    monkeypatch.setattr(change, "MAX_ORDERS_UNDER_LOCK", 2)
    conn = conns[0]
    await record(conn, seal, file_of("O1", "O2", "O3"))
    await tamper(conn, tampering)
    problems = await verify_stream(conn, seal, AUDIT_STREAM)
    assert [(problem.stream_sequence, problem.finding) for problem in problems] == [
        (1, "stream 'orders-1' does not end as it names it")
    ]


async def test_it_takes_effect_when_it_is_published(conns: list[asyncpg.Connection], seal: FileSeal) -> None:
    """The instant of that is the one from which enforcement is measured, not that of its first row."""
    conn = conns[0]
    later = NOW + timedelta(minutes=1)
    async with conn.transaction():
        await record_orders(conn, seal, file_of("O1"), actor="clerk", recorded_now=NOW, clock=lambda: later)
    assert await conn.fetchval("SELECT applied_at FROM registry_change") == later
