"""The order registry in Postgres: all or nothing, append-only, sealed, followed by sequence."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from stayaway.audit.entries import open_entry
from stayaway.audit.store import load_entries, verify_stream
from stayaway.kernel.instants import parse_instant
from stayaway.orders.change import AUDIT_STREAM, REGISTRY_CHANNEL
from stayaway.orders.load import BEGINNING, load_changed
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.orders.store import (
    ImportOutcome,
    RegistryError,
    record_orders,
)
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.recording import RECORDED, orders, try_record
from support.whole_registry import load_registry
from support.wire_examples import ORDERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

SQUARE = [[-111.9, 33.4], [-111.8, 33.4], [-111.8, 33.5], [-111.9, 33.5], [-111.9, 33.4]]
RECALL: dict[str, Any] = {
    "order_id": "O1",
    "recorded_at": "2026-02-01T00:00:00Z",
    "recalled_at": "2026-02-01T00:00:00Z",
    "reason_text": "dismissed",
    "void": False,
}


def errors(outcome: ImportOutcome) -> list[str]:
    return [finding.pointer for finding in outcome.findings if finding.severity == "ERROR"]


async def test_what_is_recorded_is_what_decide_reads(conn: asyncpg.Connection, seal: FileSeal) -> None:
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
    outcome = await try_record(conn, seal, body)
    assert (outcome.registry_sequence, outcome.changed_order_ids) == (1, ("O1", "O2"))
    assert dict(outcome.applied) == {"VERSION": 2, "NOTICE": 2}
    snapshot = await load_registry(conn, seal)
    assert snapshot.orders == to_orders(parse_orders_file(json.dumps(body).encode()))
    assert snapshot.known_at == outcome.known_at == parse_instant("2026-01-07T19:00:00Z")
    assert snapshot.head_changes == {"O1": 1, "O2": 1}
    assert (await load_changed(conn, BEGINNING)).point.registry_sequence == snapshot.registry_sequence == 1


async def test_the_same_file_again_changes_nothing(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """However it is written; the sequence stays, the act is audited."""
    body = orders("O1")
    await try_record(conn, seal, body)
    body["orders"][0] = dict(reversed(body["orders"][0].items()))
    outcome = await try_record(conn, seal, body)
    assert (outcome.registry_sequence, outcome.changed_order_ids, outcome.unchanged) == (1, (), 2)
    assert not outcome.has_errors
    assert len(await load_entries(conn, AUDIT_STREAM)) == 3


async def test_versions_are_all_or_nothing_and_recalls_apply(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """One bad order stops the others of its file; a recall in it takes effect all the same."""
    await try_record(conn, seal, orders("O1"))
    body = orders("O2", "O3")
    body["orders"][1]["zones"] = []
    body |= {"recalls": [RECALL]}
    outcome = await try_record(conn, seal, body)
    assert dict(outcome.applied) == {"RECALL": 1}
    assert outcome.changed_order_ids == ("O1",)
    assert errors(outcome) == ["/orders/1/zones", "/notices/0/order_id", "/notices/1/order_id"]
    snapshot = await load_registry(conn, seal)
    assert set(snapshot.orders) == {"O1"}
    assert len(snapshot.orders["O1"].recalls) == 1


async def test_a_recorded_version_is_never_overwritten(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Other content under the same number is an error and stops the versions; the next number is none."""
    await try_record(conn, seal, orders("O1"))
    body = orders("O1", "O2", case_number="F-2")
    body["notices"] = []
    outcome = await try_record(conn, seal, body)
    assert errors(outcome) == ["/orders/0/version"]
    assert outcome.changed_order_ids == ()
    body["orders"][0]["version"] = 2
    outcome = await try_record(conn, seal, body)
    assert outcome.changed_order_ids == ("O1", "O2")
    snapshot = await load_registry(conn, seal)
    assert [version.case_number for version in snapshot.orders["O1"].versions] == ["F-1", "F-2"]
    assert snapshot.head_changes == {"O1": 2, "O2": 2}


async def test_a_notice_of_an_unknown_order_is_an_error(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Neither the file nor the registry has it; the rest of the file applies."""
    body = orders("O1")
    body["notices"].append(body["notices"][0] | {"order_id": "O9"})
    outcome = await try_record(conn, seal, body)
    assert errors(outcome) == ["/notices/1/order_id"]
    assert dict(outcome.applied) == {"VERSION": 1, "NOTICE": 1}


async def test_a_notice_that_reaches_nobody_is_said(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Of a version that is not there, or to somebody it does not name, in the registry or in the file: the
    warning names what there is. It is recorded, as the right ones are: the version may come yet.
    """
    first = orders("O1")
    await try_record(conn, seal, first | {"notices": []})
    notice = first["notices"][0]
    body = orders("O1", "O2", version=2)
    body["notices"] = [
        notice | {"order_version": 7},
        notice | {"respondent_id": "R2"},
        notice | {"order_version": 2},
        notice,
        notice | {"order_id": "O2"},
    ]
    outcome = await try_record(conn, seal, body | {"recalls": [RECALL]})
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
    noticed = (await load_registry(conn, seal)).orders["O1"].notices
    assert sorted(item.order_version for item in noticed) == [1, 1, 2, 7]


async def test_versions_held_back_are_counted_and_their_notices_refused(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """Two are right; one has an error, and another contradicts the registry."""
    await try_record(conn, seal, orders("O1"))
    body = orders("O1", "O2", "O3", "O4", case_number="F-2")
    body["orders"][3]["zones"] = []
    outcome = await try_record(conn, seal, body | {"notices": body["notices"][1:]})
    assert (dict(outcome.applied), outcome.held_back) == ({}, 2)
    assert errors(outcome) == [
        "/orders/3/zones",
        "/orders/0/version",
        *(f"/notices/{index}/order_id" for index in range(3)),
    ]


async def test_what_says_it_was_recorded_in_the_future_is_refused(
    conn: asyncpg.Connection, seal: FileSeal
) -> None:
    """By whatever road, since all end here; K stays, and what is right about other orders applies."""
    await try_record(conn, seal, orders("O1"))
    ahead = "2099-01-01T00:00:00Z"
    outcome = await try_record(conn, seal, orders("O2", recorded_at=ahead))
    assert errors(outcome) == ["/orders/0/recorded_at", "/notices/0/order_id"]
    recalls = [RECALL, RECALL | {"recorded_at": ahead, "recalled_at": ahead}]
    outcome = await try_record(conn, seal, {"schema": "orders.v1", "orders": [], "recalls": recalls})
    assert errors(outcome) == ["/recalls/1/recorded_at"]
    assert dict(outcome.applied) == {"RECALL": 1}
    assert outcome.known_at == parse_instant(RECALL["recorded_at"])
    assert (await load_registry(conn, seal)).known_at == outcome.known_at


async def test_an_import_needs_a_transaction(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Otherwise a crash could leave half of it."""
    with pytest.raises(RegistryError):
        await record_orders(
            conn, seal, parse_orders_file(json.dumps(ORDERS).encode()), actor="clerk", recorded_now=RECORDED
        )


async def test_nothing_personal_is_stored_in_the_clear(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """Plates, names, telephone, place and the actor stand sealed or keyed only."""
    body = orders("O1", case_number="CASE-70417")
    body["orders"][0]["respondents"][0] |= {"name": "Jo Doe-Smith", "devices": [{"device_id": "DEVICE-9321"}]}
    await try_record(conn, seal, body)
    rows = await conn.fetch("SELECT * FROM order_record")
    entries = await conn.fetch("SELECT * FROM audit_entry")
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


async def test_imports_are_audited_in_their_transaction(conn: asyncpg.Connection, seal: FileSeal) -> None:
    """One entry an order, with the digests of its records, and one for the import; the chain holds."""
    await try_record(conn, seal, orders("O1", "O2"))
    entries = await load_entries(conn, AUDIT_STREAM)
    assert [(entry.entry_type, entry.order_id) for entry in entries] == [
        ("ORDER_RECORDED", "O1"),
        ("ORDER_RECORDED", "O2"),
        ("ORDERS_IMPORTED", None),
    ]
    details = open_entry(seal, entries[0]).details
    assert [record["kind"] for record in details["records"]] == ["VERSION", "NOTICE"]
    assert await verify_stream(conn, seal, AUDIT_STREAM) == []


async def test_matchers_get_a_hint(conn: asyncpg.Connection, database: str, seal: FileSeal) -> None:
    """NOTIFY with the new sequence, once the import has committed."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database)
    await listener.add_listener(REGISTRY_CHANNEL, lambda *args: heard.put_nowait(str(args[3])))
    await try_record(conn, seal, orders("O1"))
    assert await asyncio.wait_for(heard.get(), 5) == "1"
    await listener.close()


async def test_imports_at_once_follow_one_another(database: str, seal: FileSeal) -> None:
    """Twelve imports of overlapping orders on twelve connections: every sequence once, all records there."""

    async def one(number: int) -> ImportOutcome:
        opened = await asyncpg.connect(database)
        try:
            shared = orders("A", "B", version=number, case_number=f"F-{number}") | {"notices": []}
            return await try_record(opened, seal, shared)
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
            return await try_record(opened, seal, orders("O1"))
        finally:
            await opened.close()

    outcomes = await asyncio.gather(one(), one())
    assert sorted(outcome.unchanged for outcome in outcomes) == [0, 2]
    assert not any(outcome.has_errors for outcome in outcomes)
