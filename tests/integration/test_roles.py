"""The product under the roles of deploy/roles.sql: each does its work, and is refused everything else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from contract.test_append_only import APPEND_ONLY, IDENTITIES, MOVES, MUTABLE, columns_of
from stayaway.alerts.order_changes import import_orders
from stayaway.alerts.order_expiry import mark_ended_orders
from stayaway.audit.store import list_streams, verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.platform.embedded.broker import EmbeddedBroker
from stayaway.platform.migrations import check_schema
from stayaway.platform.seal import FileSeal
from stayaway.worker.partitions import record_gap
from support.alert_seed import NOW, SeededAlert, read, seed_alert
from support.databases import SERVERS, TestDatabases, run_apart
from support.desk import POLICY, TYPED, Desk, opened_desk
from support.packing import until
from support.packing import write as write_a_pack
from support.wire_examples import ORDERS
from support.worker_rig import READS, Rig, running
from support.worker_rig import read as a_read

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

ROLES = Path(__file__).parents[2] / "deploy" / "roles.sql"
NAMES = ("matcher", "api", "auditor")
Denied = asyncpg.InsufficientPrivilegeError


@dataclass(frozen=True)
class Accounts:
    """Addresses of one database, by account; `owner` is the superuser who made it."""

    owner: str

    def of(self, name: str) -> str:
        return self.owner.replace("postgresql://postgres@", f"postgresql://try_{name}@")


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(dsn)
    try:
        yield conn
    finally:
        await conn.close()


async def give(dsn: str) -> None:
    async with connected(dsn) as conn:
        for _ in "12":  # again changes nothing
            await conn.execute(ROLES.read_text())
        for name in NAMES:
            if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", f"try_{name}"):
                await conn.execute(f"CREATE ROLE try_{name} LOGIN IN ROLE stayaway_{name}")


@pytest.fixture
def accounts(database: str, databases: TestDatabases) -> Accounts:
    run_apart(give(database))
    return Accounts(database)


# ---------------------------------------------------------------- what each does


async def test_a_matcher_judges_a_stream(
    accounts: Accounts, embedded_broker: EmbeddedBroker, seal: FileSeal
) -> None:
    """Alerts, merges, a conflict of contents, dead letters, a change of the registry followed, a pack."""
    owner = Rig(accounts.owner, embedded_broker.bootstrap, seal)
    rig = replace(owner, dsn=accounts.of("matcher"), databases=[])
    await owner.make_topics()
    await owner.import_orders()
    rig.publish(READS, [at("20:15"), at("21:15"), at("20:15", event_id="e20:15", colour="red"), b"{"])
    await rig.run_until(4)
    rig.publish(READS, [at("20:45")])
    worker = rig.worker("m2")
    async with running(worker):
        await rig.wait_for(5)
        await owner.import_orders(another_order())
        await until(lambda: applied(rig))
    states = sorted(row["state"] for row in await owner.alerts())
    assert states == ["MERGED", "OPEN"]
    assert [row["reason"] for row in await owner.rows("SELECT reason FROM dead_letter")] == ["NOT_JSON"]
    assert len(await owner.rows("SELECT FROM sighting WHERE content_conflict")) == 2
    await owner.streams_verify()
    async with connected(rig.dsn) as conn:
        await check_schema(conn)
        assert await write_a_pack(conn, seal) == 2
        await owner.execute("UPDATE partition_position SET hold_reason = 'OFFSET_GONE' WHERE partition = 0")
        await record_gap(conn, seal, (READS, 0), 9, actor="op", reason_text="Kafka deleted it", at=NOW)
    await owner.streams_verify()


def at(clock: str, **changes: Any) -> bytes:
    known = {"event_id": f"e{clock}", "observed_at": f"2026-03-06T{clock}:00Z"}
    return a_read(**{**known, "received_at": f"2026-03-06T{clock}:02Z", **changes})


def another_order() -> bytes:
    record = {**ORDERS["orders"][0], "order_id": "O2"}
    return json.dumps({"schema": "orders.v1", "orders": [record]}).encode()


async def applied(rig: Rig) -> bool:
    return bool(await rig.rows("SELECT FROM registry_applied"))


async def test_the_api_takes_an_order_through_its_life(accounts: Accounts, seal: FileSeal) -> None:
    """Drafts, approvals, acts, alerts reviewed, emergencies, files, ends by themselves; all audited."""
    async with opened_desk(accounts.of("api"), seal) as desk:
        spare = await desk.draft(order_id="O9")
        path = f"order-drafts/{spare['draft_number']}"
        content = {"order": spare["order"] | {"case_number": "F-9"}}
        edited = await desk.send("PUT", path, "cleo", content, if_match=spare["etag"])
        withdrawn = await desk.send("POST", f"{path}/withdrawal", "ann", {}, if_match=edited.json()["etag"])
        assert withdrawn.status_code in (200, 201), withdrawn.text
        await desk.in_force()
        number = await an_alert(accounts, desk)
        assert (await desk.send("POST", f"alerts/{number}/claim", "dora", {})).status_code == 200
        alone = await desk.draft(order_id="O3", kind="EMERGENCY", respondents=OTHERS)
        answer = await desk.approve(alone, "ann", emergency_reason_text="night")
        assert answer.status_code == 201, answer.text
        confirmed = await desk.send("POST", "orders/O3/versions/1/confirmation", "bob", TYPED)
        assert confirmed.status_code == 201, confirmed.text
        file = {"schema": "orders.v1", "orders": [{**ORDERS["orders"][0], "order_id": "O4"}]}
        data = json.dumps(file).encode()
        imported = await import_orders(desk.pool, seal, data, POLICY, actor="feed", at=desk.clock())
        assert dict(imported.outcome.applied) == {"VERSION": 1}
        recalled = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed", "void": True}
        done = await desk.send("POST", "orders/O1/recalls", "ann", recalled)
        assert done.status_code == 201, done.text
        assert (await desk.get(f"alerts/{number}"))["state"] == "WITHDRAWN"
        told = await desk.send("POST", f"alerts/{number}/acknowledge", "dora", {})
        assert told.status_code == 200, told.text
        assert len((await desk.get("orders/O1/history"))["records"]) == 3
        async with desk.pool.acquire() as conn:
            await check_schema(conn)
            later = desk.clock.now + timedelta(days=2)
            await mark_ended_orders(conn, seal, POLICY, actor="timer", at=later)
            for stream in await list_streams(conn):
                assert await verify_stream(conn, seal, stream) == []


OTHERS = [{"respondent_id": "R7", "vehicles": [], "devices": [{"device_id": "D7"}]}]


async def an_alert(accounts: Accounts, desk: Desk) -> int:
    """As a matcher leaves it."""
    seen = format_instant(desk.clock.now + timedelta(seconds=1))
    event = read(observed_at=seen, received_at=seen)
    async with connected(accounts.owner) as conn:
        return await seed_alert(conn, desk.seal, SeededAlert(events=[event]))


async def test_an_auditor_verifies_streams_and_reads_the_views(accounts: Accounts, seal: FileSeal) -> None:
    async with opened_desk(accounts.of("api"), seal) as desk:
        await desk.in_force()
        await an_alert(accounts, desk)
    async with connected(accounts.of("auditor")) as conn:
        streams = await list_streams(conn)
        assert streams
        for stream in streams:
            assert await verify_stream(conn, seal, stream) == []
        assert await conn.fetchval("SELECT count(*) FROM export.alerts_v1") == 1
        for table in ("sighting", "decision", "order_record", "order_approval", "alert"):
            with pytest.raises(Denied):
                await conn.fetch(f"SELECT * FROM {table}")


# ---------------------------------------------------------------- what each may not


WRITTEN_BY_BOTH = {"alert", "audit_entry", "keys_check", "outbox", "policy"}
INSERTS = {
    "matcher": WRITTEN_BY_BOTH
    | {"dead_letter", "decision", "partition_position", "registry_applied", "registry_pack", "sighting"},
    "api": WRITTEN_BY_BOTH
    | {"alert_act", "audit_stream", "order_approval", "order_confirmation", "order_draft"}
    | {"order_draft_edit", "order_head", "order_record", "order_request", "order_token", "registry_change"},
    "auditor": set[str](),
}
HIDDEN = {
    # What a role may not read at all.
    "matcher": {"alert_act", "audit_entry", "order_approval", "order_confirmation", "order_draft"}
    | {"order_draft_edit", "order_request", "order_token", "outbox"},
    "api": {"registry_pack"},
}
TO_LOCK_ONLY = {("matcher", "order_head", "order_id"), ("api", "order_approval", "draft_number")}
DELETES = {("matcher", "registry_pack")}
MOVES_OF = {
    "matcher": {"alert", "decision", "outbox_head", "partition_position", "sighting"},
    "api": {"alert", "audit_stream", "dead_letter", "decision", "order_draft", "order_head"}
    | {"order_request", "outbox_head", "registry", "registry_change"},
    "auditor": set[str](),
}


@pytest.mark.parametrize("name", NAMES)
async def test_what_a_role_may_read_and_insert(accounts: Accounts, name: str) -> None:
    async with connected(accounts.of(name)) as conn:
        tables = [
            row["tablename"]
            for row in await conn.fetch("SELECT * FROM pg_tables WHERE schemaname = 'public'")
        ]
        readable = {"audit_entry", "audit_stream", "partition_position", "schema_migration"}
        for table in tables:
            may_insert = await conn.fetchval("SELECT has_any_column_privilege($1, 'INSERT')", table)
            assert may_insert is (table in INSERTS[name]), table
            may_read = await conn.fetchval("SELECT has_any_column_privilege($1, 'SELECT')", table)
            expected = table in readable if name == "auditor" else table not in HIDDEN[name]
            assert may_read is expected, table


@pytest.mark.parametrize("name", NAMES)
async def test_what_a_role_may_change(accounts: Accounts, name: str) -> None:
    """Tried column by column: nothing but what moves, by whose part it is; nothing is removed."""
    async with connected(accounts.of(name)) as conn:
        for table in (*APPEND_ONLY, *MOVES, *MUTABLE):
            changed = set()
            for column in await columns_of(conn, table):
                value = "DEFAULT" if column in IDENTITIES else "NULL"
                outcome = await tried(conn, f"UPDATE {table} SET {column} = {value} WHERE false")
                assert outcome in (None, Denied, asyncpg.RestrictViolationError), (table, column, outcome)
                assert (outcome is asyncpg.RestrictViolationError) is ((name, table, column) in TO_LOCK_ONLY)
                if outcome is None:
                    changed.add(column)
            assert changed <= MOVES.get(table, set())
            assert bool(changed) is (table in MOVES_OF[name]), table
            deleted = await tried(conn, f"DELETE FROM {table}")
            assert deleted is (None if (name, table) in DELETES else Denied), table
            assert await tried(conn, f"TRUNCATE {table}") is Denied, table


@pytest.mark.parametrize("name", NAMES)
async def test_no_role_can_take_a_guard_off(accounts: Accounts, name: str) -> None:
    async with connected(accounts.of(name)) as conn:
        for act in (
            "ALTER TABLE order_record DISABLE TRIGGER order_record_stays",
            "DROP TRIGGER order_record_stays ON order_record",
            "ALTER FUNCTION refuse_change() RENAME TO never",
            "DROP TABLE audit_entry",
            "SET session_replication_role = replica",
            "CREATE TABLE more (x integer)",
            "CREATE TEMPORARY TABLE order_draft_edit (x integer)",
        ):
            assert await tried(conn, act) is Denied, act


@pytest.mark.parametrize("name", ["matcher", "api"])
async def test_no_role_can_stop_the_acts_to_come(accounts: Accounts, seal: FileSeal, name: str) -> None:
    """An entry where the next one goes could never be removed: no recall could be recorded any more."""
    async with opened_desk(accounts.of("api"), seal) as desk:
        await desk.in_force()
        async with connected(accounts.of("api")) as conn:
            head = await conn.fetchval("SELECT stream_sequence FROM audit_stream WHERE stream = 'orders'")
        async with connected(accounts.of(name)) as conn:
            with pytest.raises(asyncpg.CheckViolationError):
                await conn.execute(NEXT_ENTRY, head + 1)
        recalled = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed"}
        assert (await desk.send("POST", "orders/O1/recalls", "ann", recalled)).status_code == 201


NEXT_ENTRY = """INSERT INTO audit_entry (stream, stream_sequence, entry_id, entry_type, recorded_at,
    actor_ref, subject_ref, previous_hash, commitment, leaf_hash, payload_sealed)
VALUES ('orders', $1, gen_random_uuid(), 'ORDER_ACTED', now(), '', '', '', '', '', '')"""


async def test_a_matcher_closes_no_alert(accounts: Accounts, seal: FileSeal) -> None:
    """Nor takes it from whoever holds it, nor raises one closed; it merges one into another, as it must."""
    async with opened_desk(accounts.of("api"), seal) as desk:
        await desk.in_force()
        number = await an_alert(accounts, desk)
        async with connected(accounts.of("matcher")) as conn:
            for state in ("CLAIMED", "CONFIRMED", "DISMISSED", "WITHDRAWN", "MERGED"):
                assert await tried(conn, f"UPDATE alert SET state = '{state}'") is Denied, state
            merged = "UPDATE alert SET state = 'MERGED', merged_into = alert_id || '/2'"
            assert await tried(conn, merged) is None
            assert await tried(conn, raised_as("DISMISSED")) is Denied
            assert await tried(conn, raised_as("OPEN")) is None
        assert (await desk.send("POST", f"alerts/{number}/claim", "dora", {})).status_code == 200


def raised_as(state: str) -> str:
    """Another alert like the one there is."""
    columns = (
        "raised_observed_at, order_id, respondent_id, raised_at, order_versions, zone_ids, first_observed_at,"
        " last_observed_at, sighting_count, match_kind, zone_relation, cautions, registry_sequence, known_at,"
        " policy_sha256, engine"
    )
    values = f"SELECT alert_id || '/3', '{state}', {columns} FROM alert"
    return f"INSERT INTO alert (alert_id, state, {columns}) {values}"


async def tried(conn: asyncpg.Connection, sql: str) -> type[Exception] | None:
    """What kind of error stands in the way, on tables without rows; nothing stays done."""
    change = conn.transaction()
    await change.start()
    try:
        await conn.execute(sql)
    except asyncpg.PostgresError as error:
        return type(error)
    finally:
        await change.rollback()
    return None
