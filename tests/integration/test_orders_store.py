"""The order registry in Postgres: all or nothing, append-only, sealed, followed by sequence."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries, verify_stream
from stayaway.kernel.instants import parse_instant
from stayaway.orders.change import AUDIT_STREAM, REGISTRY_CHANNEL, SEAL_PURPOSE
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.load import BEGINNING, load_changed, load_orders, load_stored
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.store import (
    ImportOutcome,
    RegistryError,
    record_orders,
)
from stayaway.platform.seal import FileSeal, SealError
from support.databases import SERVERS
from support.tampering import tamper
from support.whole_registry import load_registry
from support.wire_examples import ORDERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
SQUARE = [[-111.9, 33.4], [-111.8, 33.4], [-111.8, 33.5], [-111.9, 33.5], [-111.9, 33.4]]
RECALL: dict[str, Any] = {
    "order_id": "O1",
    "recorded_at": "2026-02-01T00:00:00Z",
    "recalled_at": "2026-02-01T00:00:00Z",
    "reason_text": "dismissed",
    "void": False,
}


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


def orders(*order_ids: str, **changes: Any) -> dict[str, Any]:
    """WIRE.md's file with its order under these ids, and its notice to each."""
    order, notice = ORDERS["orders"][0] | changes, ORDERS["notices"][0]
    return copy.deepcopy(
        {
            "schema": "orders.v1",
            "orders": [order | {"order_id": order_id} for order_id in order_ids],
            "notices": [notice | {"order_id": order_id} for order_id in order_ids],
        }
    )


async def apply(connection: asyncpg.Connection, seal: FileSeal, body: dict[str, Any]) -> ImportOutcome:
    parsed = parse_orders_file(json.dumps(body).encode())
    async with connection.transaction():
        return await record_orders(connection, seal, parsed, actor="clerk", recorded_now=NOW)


def errors(outcome: ImportOutcome) -> list[str]:
    return [finding.pointer for finding in outcome.findings if finding.severity == "ERROR"]


async def test_what_is_recorded_is_what_decide_reads(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """The snapshot equals the file's orders, shapes and hashes included; K is the latest recording."""
    body = orders("O2", "O1")
    body["orders"][0]["zones"][0] |= {"geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
    body["orders"][0]["exceptions"] = [
        {
            "exception_id": "E1",
            "kind": "OTHER",
            "authority": "par. 1",
            "windows": [],
            "place": {"type": "Polygon", "coordinates": [SQUARE]},
        }
    ]
    outcome = await apply(connection, seal, body)
    assert (outcome.registry_sequence, outcome.changed_order_ids) == (1, ("O1", "O2"))
    assert dict(outcome.applied) == {"VERSION": 2, "NOTICE": 2}
    snapshot = await load_registry(connection, seal)
    assert snapshot.orders == to_orders(parse_orders_file(json.dumps(body).encode()))
    assert snapshot.known_at == outcome.known_at == parse_instant("2026-01-07T19:00:00Z")
    assert snapshot.head_changes == {"O1": 1, "O2": 1}
    assert (
        (await load_changed(connection, BEGINNING)).point.registry_sequence == snapshot.registry_sequence == 1
    )


async def test_the_same_file_again_changes_nothing(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """However it is written; the sequence stays, the act is audited."""
    body = orders("O1")
    await apply(connection, seal, body)
    body["orders"][0] = dict(reversed(body["orders"][0].items()))
    outcome = await apply(connection, seal, body)
    assert (outcome.registry_sequence, outcome.changed_order_ids, outcome.unchanged) == (1, (), 2)
    assert not outcome.has_errors
    assert len(await load_entries(connection, AUDIT_STREAM)) == 3


async def test_versions_are_all_or_nothing_and_recalls_apply(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """One bad order stops the others of its file; a recall in it takes effect all the same."""
    await apply(connection, seal, orders("O1"))
    body = orders("O2", "O3")
    body["orders"][1]["zones"] = []
    body |= {"recalls": [RECALL]}
    outcome = await apply(connection, seal, body)
    assert dict(outcome.applied) == {"RECALL": 1}
    assert outcome.changed_order_ids == ("O1",)
    assert errors(outcome) == ["/orders/1/zones", "/notices/0/order_id", "/notices/1/order_id"]
    snapshot = await load_registry(connection, seal)
    assert set(snapshot.orders) == {"O1"}
    assert len(snapshot.orders["O1"].recalls) == 1


async def test_a_recorded_version_is_never_overwritten(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """Other content under the same number is an error and stops the versions; the next number is none."""
    await apply(connection, seal, orders("O1"))
    body = orders("O1", "O2", case_number="F-2")
    body["notices"] = []
    outcome = await apply(connection, seal, body)
    assert errors(outcome) == ["/orders/0/version"]
    assert outcome.changed_order_ids == ()
    body["orders"][0]["version"] = 2
    outcome = await apply(connection, seal, body)
    assert outcome.changed_order_ids == ("O1", "O2")
    snapshot = await load_registry(connection, seal)
    assert [version.case_number for version in snapshot.orders["O1"].versions] == ["F-1", "F-2"]
    assert snapshot.head_changes == {"O1": 2, "O2": 2}


async def test_a_notice_of_an_unknown_order_is_an_error(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """Neither the file nor the registry has it; the rest of the file applies."""
    body = orders("O1")
    body["notices"].append(body["notices"][0] | {"order_id": "O9"})
    outcome = await apply(connection, seal, body)
    assert errors(outcome) == ["/notices/1/order_id"]
    assert dict(outcome.applied) == {"VERSION": 1, "NOTICE": 1}


async def test_a_notice_that_reaches_nobody_is_said(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """Of a version that is not there, or to somebody it does not name, in the registry or in the file: the
    warning names what there is. It is recorded, as the right ones are: the version may come yet.
    """
    first = orders("O1")
    await apply(connection, seal, first | {"notices": []})
    notice = first["notices"][0]
    body = orders("O1", "O2", version=2)
    body["notices"] = [
        notice | {"order_version": 7},
        notice | {"respondent_id": "R2"},
        notice | {"order_version": 2},
        notice,
        notice | {"order_id": "O2"},
    ]
    outcome = await apply(connection, seal, body | {"recalls": [RECALL]})
    assert errors(outcome) == []
    assert [(finding.severity, finding.pointer) for finding in outcome.findings[-3:]] == [
        ("WARNING", "/notices/0/order_version"),
        ("WARNING", "/notices/1/respondent_id"),
        ("WARNING", "/notices/4/order_version"),
    ]
    assert "it has 1, 2." in outcome.findings[-3].remedy
    assert outcome.findings[-2].remedy.endswith("it names R1.")
    assert "it has 2." in outcome.findings[-1].remedy
    assert (dict(outcome.applied), outcome.held_back) == ({"VERSION": 2, "NOTICE": 5, "RECALL": 1}, 0)
    noticed = (await load_registry(connection, seal)).orders["O1"].notices
    assert sorted(item.order_version for item in noticed) == [1, 1, 2, 7]


async def test_versions_held_back_are_counted_and_their_notices_refused(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """Two are right; one has an error, and another contradicts the registry."""
    await apply(connection, seal, orders("O1"))
    body = orders("O1", "O2", "O3", "O4", case_number="F-2")
    body["orders"][3]["zones"] = []
    outcome = await apply(connection, seal, body | {"notices": body["notices"][1:]})
    assert (dict(outcome.applied), outcome.held_back) == ({}, 2)
    assert errors(outcome) == [
        "/orders/3/zones",
        "/orders/0/version",
        *(f"/notices/{index}/order_id" for index in range(3)),
    ]


async def test_what_says_it_was_recorded_in_the_future_is_refused(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """By whatever road, since all end here; K stays, and what is right about other orders applies."""
    await apply(connection, seal, orders("O1"))
    ahead = "2099-01-01T00:00:00Z"
    outcome = await apply(connection, seal, orders("O2", recorded_at=ahead))
    assert errors(outcome) == ["/orders/0/recorded_at", "/notices/0/order_id"]
    recalls = [RECALL, RECALL | {"recorded_at": ahead, "recalled_at": ahead}]
    outcome = await apply(connection, seal, {"schema": "orders.v1", "orders": [], "recalls": recalls})
    assert errors(outcome) == ["/recalls/1/recorded_at"]
    assert dict(outcome.applied) == {"RECALL": 1}
    assert outcome.known_at == parse_instant(RECALL["recorded_at"])
    assert (await load_registry(connection, seal)).known_at == outcome.known_at


async def test_records_of_several_changes_come_together(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """Versions by their numbers, whatever order they were recorded in; a snapshot stays as it was."""
    await apply(connection, seal, orders("O1", "O2"))
    first = await load_registry(connection, seal)
    await apply(connection, seal, orders("O1", version=3, case_number="F-3") | {"notices": []})
    await apply(
        connection, seal, orders("O1", version=2, case_number="F-2") | {"recalls": [RECALL], "notices": []}
    )
    after = await load_registry(connection, seal)
    assert after.orders["O2"] == first.orders["O2"]
    assert [version.version for version in after.orders["O1"].versions] == [1, 2, 3]
    assert (len(after.orders["O1"].recalls), first.orders["O1"].recalls) == (1, ())
    assert after.head_changes == {"O1": 3, "O2": 1}


async def test_a_change_says_what_it_changed_and_when(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """The orders with new records, and for each sequence passed the instant it was published."""
    await apply(connection, seal, orders("O1", "O2"))
    first = await load_changed(connection, BEGINNING)
    assert (set(first.order_ids), first.recorded) == ({"O1", "O2"}, ((1, NOW),))
    nothing = await load_changed(connection, first.point)
    assert nothing == (first.point, first.known_at, (), ())
    await apply(connection, seal, orders("O3"))
    await apply(connection, seal, orders("O1", version=2, case_number="F-2") | {"notices": []})
    change = await load_changed(connection, first.point)
    assert sorted(change.order_ids) == ["O1", "O3"]
    assert change.recorded == ((2, NOW), (3, NOW))
    assert (first.point.registry_sequence, change.point.registry_sequence) == (1, 3)


async def test_an_order_is_at_each_sequence_what_it_was_then(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """However much was recorded since; and before its first record it is not there."""
    snapshots = []
    for number in (1, 2, 3):
        await apply(
            connection, seal, orders("O1", version=number, case_number=f"F-{number}") | {"notices": []}
        )
        snapshots.append(await load_registry(connection, seal))
    assert await load_stored(connection, seal, ["O1"], 0) == {}
    for sequence, snapshot in enumerate(snapshots, start=1):
        stored = (await load_stored(connection, seal, ["O1", "O9"], sequence))["O1"]
        assert stored == (snapshot.orders["O1"], snapshot.head_changes["O1"])


async def test_some_orders_alone_are_those_of_the_registry(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """At the same sequence and K; an order that is not there is not there."""
    await apply(connection, seal, orders("O1", "O2", "O3"))
    await apply(connection, seal, orders("O2", version=2, case_number="F-2") | {"notices": []})
    whole = await load_stored(connection, seal, ["O1", "O2", "O3"], 2)
    some = await load_orders(connection, seal, ["O3", "O2", "O9"])
    assert some.orders == {name: whole[name].order for name in ("O2", "O3")}
    assert some.head_changes == {"O2": 2, "O3": 1}
    changed = await load_changed(connection, BEGINNING)
    assert (some.registry_sequence, some.known_at) == (changed.point.registry_sequence, changed.known_at)


async def test_an_import_can_be_read_in_its_own_transaction(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """So that open alerts are judged again before it commits; rolled back, nothing is left."""
    parsed = parse_orders_file(json.dumps(orders("O1")).encode())
    transaction = connection.transaction()
    await transaction.start()
    await record_orders(connection, seal, parsed, actor="clerk", recorded_now=NOW)
    assert set((await load_registry(connection, seal)).orders) == {"O1"}
    await transaction.rollback()
    empty = await load_registry(connection, seal)
    assert (dict(empty.orders), empty.registry_sequence) == ({}, 0)


async def test_an_import_needs_a_transaction(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """Otherwise a crash could leave half of it."""
    with pytest.raises(RegistryError):
        await record_orders(
            connection, seal, parse_orders_file(json.dumps(ORDERS).encode()), actor="clerk", recorded_now=NOW
        )


async def test_nothing_personal_is_stored_in_the_clear(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """Plates, names, telephone, place and the actor stand sealed or keyed only."""
    body = orders("O1", case_number="CASE-70417")
    body["orders"][0]["respondents"][0] |= {"name": "Jo Doe-Smith", "devices": [{"device_id": "DEVICE-9321"}]}
    await apply(connection, seal, body)
    rows = await connection.fetch("SELECT * FROM order_record")
    entries = await connection.fetch("SELECT * FROM audit_entry")
    stored = b"".join(
        value if isinstance(value, bytes) else str(value).encode()
        for row in (*rows, *entries)
        for value in row.values()
    )
    for secret in (
        b"BAK 471",
        b"BAK471",
        b"DEVICE-9321",
        b"555 0100",
        b"-111.9",
        b"clerk",
        b"CASE-70417",
        b"Doe-Smith",
    ):
        assert secret not in stored


async def test_imports_are_audited_in_their_transaction(
    connection: asyncpg.Connection, seal: FileSeal
) -> None:
    """One entry an order, with the digests of its records, and one for the import; the chain holds."""
    await apply(connection, seal, orders("O1", "O2"))
    entries = await load_entries(connection, AUDIT_STREAM)
    assert [(entry.entry_type, entry.order_id) for entry in entries] == [
        ("ORDER_RECORDED", "O1"),
        ("ORDER_RECORDED", "O2"),
        ("ORDERS_IMPORTED", None),
    ]
    details = open_entry(seal, entries[0]).details
    assert [record["kind"] for record in details["records"]] == ["VERSION", "NOTICE"]
    assert await verify_stream(connection, seal, AUDIT_STREAM) == []


async def test_a_changed_or_moved_row_stops_loading(connection: asyncpg.Connection, seal: FileSeal) -> None:
    """An order is never silently left out or replaced by another of its own records."""
    await apply(connection, seal, orders("O1"))
    await apply(connection, seal, orders("O1", version=2, case_number="F-2") | {"notices": []})
    await tamper(
        connection,
        "UPDATE order_record SET payload_sealed = (SELECT payload_sealed FROM order_record WHERE version = 1)"
        " WHERE version = 2",
    )
    with pytest.raises(StoredOrderError):
        await load_registry(connection, seal)
    unreadable = seal.seal("O1", SEAL_PURPOSE, b'{"sha256": "", "record": {}, "shapes": {}}')
    await tamper(connection, "UPDATE order_record SET payload_sealed = $1", unreadable)
    with pytest.raises(StoredOrderError):
        await load_registry(connection, seal)
    await tamper(connection, "UPDATE order_record SET payload_sealed = 'x'::bytea")
    with pytest.raises(SealError):
        await load_registry(connection, seal)


async def test_matchers_get_a_hint(connection: asyncpg.Connection, database: str, seal: FileSeal) -> None:
    """NOTIFY with the new sequence, once the import has committed."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database)
    await listener.add_listener(REGISTRY_CHANNEL, lambda *args: heard.put_nowait(str(args[3])))
    await apply(connection, seal, orders("O1"))
    assert await asyncio.wait_for(heard.get(), 5) == "1"
    await listener.close()


async def test_imports_at_once_follow_one_another(database: str, seal: FileSeal) -> None:
    """Twelve imports of overlapping orders on twelve connections: every sequence once, all records there."""

    async def one(number: int) -> ImportOutcome:
        opened = await asyncpg.connect(database)
        try:
            shared = orders("A", "B", version=number, case_number=f"F-{number}") | {"notices": []}
            return await apply(opened, seal, shared)
        finally:
            await opened.close()

    outcomes = await asyncio.gather(*(one(number) for number in range(1, 13)))
    assert sorted(outcome.registry_sequence for outcome in outcomes) == list(range(1, 13))
    opened = await asyncpg.connect(database)
    snapshot = await load_registry(opened, seal)
    assert [version.version for version in snapshot.orders["A"].versions] == list(range(1, 13))
    assert await verify_stream(opened, seal, AUDIT_STREAM) == []
    await opened.close()


async def test_the_later_of_two_equal_imports_changes_nothing(database: str, seal: FileSeal) -> None:
    """A clerk who sends the same file twice at once gets one import and one "unchanged"."""

    async def one() -> ImportOutcome:
        opened = await asyncpg.connect(database)
        try:
            return await apply(opened, seal, orders("O1"))
        finally:
            await opened.close()

    outcomes = await asyncio.gather(one(), one())
    assert sorted(outcome.unchanged for outcome in outcomes) == [0, 2]
    assert not any(outcome.has_errors for outcome in outcomes)
