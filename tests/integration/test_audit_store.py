"""Audit entries in Postgres: appended with the act, and any change to them found."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from stayaway.audit.entries import (
    AuditRow,
    EntryType,
    NewEntry,
    StreamHead,
    build_entries,
    partition_stream,
)
from stayaway.audit.store import (
    AuditError,
    Problem,
    insert_rows,
    list_streams,
    load_entries,
    record_entries,
    record_entry,
    record_stream,
    verify_stream,
)
from stayaway.kernel.errors import ConflictError
from stayaway.platform.postgres import load_queries
from stayaway.platform.seal import FileSeal, SealError
from support.databases import SERVERS
from support.keys import made_keys
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

AT = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)


def new_entry(n: int = 0, order_id: str | None = "O1") -> NewEntry:
    return NewEntry(
        entry_type=EntryType.ALERT_VIEWED,
        order_id=order_id,
        actor="ann",
        subject=f"alert {n}",
        payload={"n": n},
        recorded_at=AT,
        policy_sha256="ab" * 32,
    )


@pytest.fixture
async def recorded(conn: asyncpg.Connection, seal: FileSeal) -> asyncpg.Connection:
    """Three entries in stream "web"."""
    seal.ensure(["O1", "O2"])
    for n in range(3):
        async with conn.transaction():
            await record_entry(conn, seal, "web", new_entry(n, "O2" if n == 1 else "O1"))
    return conn


async def test_recorded_entries_verify(recorded: asyncpg.Connection, seal: FileSeal) -> None:
    assert await verify_stream(recorded, seal, "web") == []
    assert await list_streams(recorded) == ["web"]
    assert [row.stream_sequence for row in await load_entries(recorded, "web")] == [1, 2, 3]


async def test_an_act_that_fails_leaves_no_entry(recorded: asyncpg.Connection, seal: FileSeal) -> None:
    transaction = recorded.transaction()
    await transaction.start()
    await record_entry(recorded, seal, "web", new_entry())
    await transaction.rollback()
    assert await verify_stream(recorded, seal, "web") == []
    assert len(await load_entries(recorded, "web")) == 3


async def test_an_entry_needs_its_acts_transaction(conn: asyncpg.Connection, seal: FileSeal) -> None:
    with pytest.raises(AuditError, match="transaction"):
        await record_entry(conn, seal, "web", new_entry(order_id=None))


async def test_a_partitions_stream_is_not_for_acts(conn: asyncpg.Connection, seal: FileSeal) -> None:
    async with conn.transaction():
        with pytest.raises(AuditError, match="fenced row"):
            await record_entry(conn, seal, partition_stream("t", 0), new_entry(order_id=None))


async def test_without_a_key_the_act_fails(conn: asyncpg.Connection, seal: FileSeal) -> None:
    with pytest.raises(SealError):
        async with conn.transaction():
            await record_entry(conn, seal, "web", new_entry(order_id="O9"))


async def test_several_entries_stand_together(recorded: asyncpg.Connection, seal: FileSeal) -> None:
    async with recorded.transaction():
        assert await record_entries(recorded, seal, "web", []) == ()
        rows = await record_entries(recorded, seal, "web", [new_entry(n) for n in range(5)])
    assert [row.stream_sequence for row in rows] == [4, 5, 6, 7, 8]
    assert await load_entries(recorded, "web") != list(rows)
    assert (await load_entries(recorded, "web"))[3:] == list(rows)
    assert await verify_stream(recorded, seal, "web") == []


async def test_a_stream_is_recorded_as_a_whole_once(
    recorded: asyncpg.Connection, seal: FileSeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In as many pieces as it takes; never after entries that somebody else wrote."""
    monkeypatch.setattr("stayaway.audit.store._INSERTED_AT_ONCE", 2)
    rows, head = build_entries(seal, StreamHead("orders-7"), [new_entry(n) for n in range(5)])
    with pytest.raises(AuditError, match="transaction"):
        await record_stream(recorded, rows)
    async with recorded.transaction():
        assert await record_stream(recorded, rows) == head
    assert await verify_stream(recorded, seal, "orders-7") == []
    assert await load_entries(recorded, "orders-7") == list(rows)
    again, _ = build_entries(seal, StreamHead("orders-7"), [new_entry(5)])
    with pytest.raises(ConflictError):
        async with recorded.transaction():
            await record_stream(recorded, again)
    assert await load_entries(recorded, "orders-7") == list(rows)


async def test_rivals_make_one_chain(database: str, seal: FileSeal) -> None:
    """Eight connections that append to one new stream at once leave no gap and no fork."""
    seal.ensure(["O1"])
    pool = await asyncpg.create_pool(database, min_size=8, max_size=8)

    async def act(n: int) -> None:
        async with pool.acquire() as conn, conn.transaction():
            await record_entry(conn, seal, "web", new_entry(n))

    await asyncio.gather(*(act(n) for n in range(60)))
    async with pool.acquire() as conn:
        assert await verify_stream(conn, seal, "web") == []
        assert len(await load_entries(conn, "web")) == 60
    await pool.close()


async def test_a_partitions_head_is_its_fenced_row(conn: asyncpg.Connection, seal: FileSeal) -> None:
    stream = partition_stream("reads.v1", 4)
    rows, head = build_entries(seal, StreamHead(stream), [new_entry(n, None) for n in range(3)])
    with pytest.raises(asyncpg.CheckViolationError, match="not where the stream's head is"):
        await insert_rows(conn, rows)
    await insert_rows(conn, [])
    await conn.execute(
        """INSERT INTO partition_position (topic, partition, next_offset, epoch, owner, first_offset,
               stream_sequence, last_entry_hash, coverage_from, coverage_opened_at, coverage_policy,
               coverage_engine, coverage_salt, coverage_digest, updated_at)
           VALUES ('reads.v1', 4, 0, 1, 'm', 0, $1, $2, 0, $3, 'p', 'e', '', '', $3)""",
        head.stream_sequence, head.last_entry_hash, AT,
    )  # fmt: skip
    assert (await verify_stream(conn, seal, stream)) == [
        Problem(stream, 0, "the head says entry 3 is the last: the tail differs")
    ]
    await insert_rows(conn, rows)
    assert await verify_stream(conn, seal, stream) == []
    assert await list_streams(conn) == [stream]


async def test_an_unknown_stream_is_said(conn: asyncpg.Connection, seal: FileSeal) -> None:
    assert [p.finding for p in await verify_stream(conn, seal, "x")] == ["there is no such stream"]


TAMPERINGS = {
    "entry_id": "gen_random_uuid()",
    "entry_type": "'ALERT_CLAIMED'",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "order_id": "'O2'",
    "order_id nulled": "NULL",
    "actor_ref": "sha256(actor_ref)",
    "subject_ref": "sha256(subject_ref)",
    "policy_sha256": "NULL",
    "previous_hash": "sha256(previous_hash)",
    "commitment": "sha256(commitment)",
    "leaf_hash": "sha256(leaf_hash)",
    "payload_sealed": "set_byte(payload_sealed, 40, 255 - get_byte(payload_sealed, 40))",
    "payload_sealed of another": "(SELECT payload_sealed FROM audit_entry WHERE stream_sequence = 3)",
    "stream_sequence": "9",
    "stream": "'cli'",
}


@pytest.mark.parametrize("what", TAMPERINGS)
@pytest.mark.parametrize("sequence", [1, 2, 3])
async def test_a_changed_column_is_found(
    recorded: asyncpg.Connection, seal: FileSeal, what: str, sequence: int
) -> None:
    column = what.split(maxsplit=1)[0]
    if (what, sequence) in {("order_id", 2), ("payload_sealed of another", 3)}:
        return  # the value that stands there already
    done = await tamper(
        recorded, f"UPDATE audit_entry SET {column} = {TAMPERINGS[what]} WHERE stream_sequence = $1", sequence
    )
    assert done == "UPDATE 1"
    problems = await verify_stream(recorded, seal, "web")
    assert problems
    assert all(problem.stream == "web" for problem in problems)


async def test_every_column_is_tampered_with(conn: asyncpg.Connection) -> None:
    columns = await conn.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'audit_entry'"
    )
    assert {row["column_name"] for row in columns} == {what.split()[0] for what in TAMPERINGS}


@pytest.mark.parametrize("sequence", [1, 2, 3])
async def test_a_deleted_entry_is_found(recorded: asyncpg.Connection, seal: FileSeal, sequence: int) -> None:
    """In the middle by the gap, at the end by the head."""
    await tamper(recorded, "DELETE FROM audit_entry WHERE stream_sequence = $1", sequence)
    assert await verify_stream(recorded, seal, "web")


async def test_swapped_entries_are_found(recorded: asyncpg.Connection, seal: FileSeal) -> None:
    for old, new in ((1, 9), (3, 1), (9, 3)):
        await tamper(
            recorded, "UPDATE audit_entry SET stream_sequence = $2 WHERE stream_sequence = $1", old, new
        )
    assert await verify_stream(recorded, seal, "web")


@pytest.mark.parametrize("change", ["stream_sequence = 2", "last_entry_hash = sha256(last_entry_hash)"])
async def test_a_changed_head_is_found(recorded: asyncpg.Connection, seal: FileSeal, change: str) -> None:
    await tamper(recorded, f"UPDATE audit_stream SET {change}")
    (problem,) = await verify_stream(recorded, seal, "web")
    assert problem.finding.startswith("the head says")


async def test_an_inserted_entry_is_found(recorded: asyncpg.Connection, seal: FileSeal) -> None:
    """Even one made with the keys and the right code, if it was not appended through the head."""
    rows = await load_entries(recorded, "web")
    forged, _ = build_entries(seal, StreamHead("web", 3, rows[-1].leaf_hash), [new_entry(7)])
    sql = load_queries("stayaway.audit", "audit.sql").insert_entries
    assert await tamper(recorded, sql, *zip(*forged, strict=True)) == "INSERT 0 1"
    assert await verify_stream(recorded, seal, "web")


async def test_no_entry_takes_a_number_that_its_stream_has_not_come_to(
    recorded: asyncpg.Connection, seal: FileSeal
) -> None:
    """It could never be removed, and the next act would fail on it for ever."""
    rows = await load_entries(recorded, "web")
    end = StreamHead("web", 3, rows[-1].leaf_hash)
    for head in (end, StreamHead("web", 4, bytes(32)), StreamHead("none", 0)):
        beside, _ = build_entries(seal, head, [new_entry(7)])
        with pytest.raises(asyncpg.CheckViolationError, match="not where the stream's head is"):
            await insert_rows(recorded, beside)
    two, after = build_entries(seal, end, [new_entry(8), new_entry(9)])
    for broken in ((two[1],), (two[0]._replace(leaf_hash=bytes(32)), two[1])):
        with pytest.raises(asyncpg.CheckViolationError):
            await moved(recorded, after, broken)
    assert await verify_stream(recorded, seal, "web") == []
    await moved(recorded, after, two)
    assert await verify_stream(recorded, seal, "web") == []


async def moved(conn: asyncpg.Connection, head: StreamHead, rows: Sequence[AuditRow]) -> None:
    """The head to its place, then these entries."""
    async with conn.transaction():
        await move_head(conn, head)
        await insert_rows(conn, rows)


async def move_head(conn: asyncpg.Connection, head: StreamHead) -> None:
    sql = "UPDATE audit_stream SET stream_sequence = $2, last_entry_hash = $3 WHERE stream = $1"
    await conn.execute(sql, head.stream, head.stream_sequence, head.last_entry_hash)


@pytest.mark.parametrize("sequence", [3, 4, 2**63 - 1])
async def test_no_head_moves_without_its_entries(
    recorded: asyncpg.Connection, seal: FileSeal, sequence: int
) -> None:
    """The next act would leave a gap, or find no number any more."""
    with pytest.raises(asyncpg.CheckViolationError, match="without entries that lead there"):
        await move_head(recorded, StreamHead("web", sequence, bytes(31) + b"x"))
    with pytest.raises(asyncpg.CheckViolationError, match="without entries that lead there"):
        await recorded.execute("INSERT INTO audit_stream VALUES ('another', $1, $2)", sequence, bytes(32))
    assert await verify_stream(recorded, seal, "web") == []


async def test_a_partitions_stream_has_no_head_among_those_of_acts(conn: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="audit_stream_of_acts"):
        await conn.execute("INSERT INTO audit_stream VALUES ('reads.v1/4', 0, $1)", bytes(32))


async def test_a_payload_is_unreadable_without_its_orders_key(
    recorded: asyncpg.Connection, seal: FileSeal, tmp_path: Any
) -> None:
    """The chain of hashes holds all the same: only the payloads do not open."""
    problems = await verify_stream(recorded, made_keys(tmp_path / "other-keys.jsonl"), "web")
    assert [problem.stream_sequence for problem in problems] == [1, 2, 3]
    assert all("does not prove itself" in problem.finding for problem in problems)
