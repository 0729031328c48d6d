"""What the database lets nobody change, tried as its owner, who is a superuser here.

Every table is declared below. One that is new must be declared too, or the first test fails.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from stayaway.platform.postgres import Connection
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import START, opened_desk
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

APPEND_ONLY = frozenset(
    {
        "alert_act",
        "audit_entry",
        "keys_check",
        "order_approval",
        "order_confirmation",
        "order_draft_edit",
        "order_record",
        "outbox",
        "policy",
        "registry_applied",
        "schema_migration",
    }
)
MOVES = {
    # What of a row that stays may move.
    "alert": {
        "state", "row_version", "order_versions", "zone_ids", "first_observed_at", "last_observed_at",
        "sighting_count", "match_kind", "zone_relation", "cautions", "content_conflict", "merged_into",
        "claimed_by", "claimed_until", "disposition", "disposed_at", "disposed_by",
        "to_acknowledge_by", "acknowledged_at", "revisions",
    },
    # lock_stream sets `stream` to itself; the row's own guard keeps it from changing.
    "audit_stream": {"stream", "stream_sequence", "last_entry_hash"},
    "dead_letter": {"redriven_at", "redriven_to"},
    "decision": {
        "outcome", "alert_id", "raised_observed_at", "order_version", "match_kind", "region_match",
        "description", "zone_relation", "inside_probability", "reasons", "cautions", "registry_sequence",
        "known_at", "policy_sha256", "engine", "decided_at", "detail_sealed",
    },
    "order_draft": {"state", "row_version", "version", "author_ref", "content_digest", "changed_at"},
    "order_head": {"change_number"},
    "order_request": {"answer_sealed"},
    "outbox_head": {"outbox_sequence"},
    "partition_position": {
        "next_offset", "epoch", "owner", "last_record_offset", "last_record_digest", "stream_sequence",
        "last_entry_hash", "hold_reason", "coverage_from", "coverage_opened_at", "coverage_records",
        "coverage_refused", "coverage_candidates", "coverage_matches", "coverage_registry", "coverage_policy",
        "coverage_engine", "coverage_salt", "coverage_digest", "updated_at",
    },
    "registry": {"registry_sequence", "known_at", "changed_at"},
    "registry_change": {"registry_sequence", "applied_at"},
    "sighting": {"content_conflict"},
}  # fmt: skip
MUTABLE = {
    "order_token": "removed with their order; never altered (a test below)",
    "registry_pack": "made of the records and checked against them: may be deleted at any time",
}
ROW_GUARDS = {
    "registry": [
        "registry_sequence = registry_sequence - 1",
        "known_at = known_at - interval '1 s'",
        "known_at = NULL",
    ],
    "registry_change": [
        "registry_sequence = registry_sequence + 9",
        "applied_at = applied_at + interval '1 s'",
    ],
    "order_draft": ["state = 'OPEN'", "changed_at = changed_at + interval '1 s'"],
    "order_request": ["answer_sealed = 'x'", "answer_sealed = NULL"],
    "audit_stream": ["stream_sequence = stream_sequence - 1", "stream = 'another'"],
}
IDENTITIES = frozenset({"alert_number", "draft_number", "change_number"})
"""Postgres itself lets some of these be set to nothing but DEFAULT."""
Refused = asyncpg.RestrictViolationError


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def columns_of(conn: Connection, table: str) -> set[str]:
    rows = await conn.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
        table,
    )
    return {row["attname"] for row in rows}


async def is_refused(conn: Connection, table: str, sql: str) -> bool:
    """Whether the guard of `table` refuses `sql`; what it does otherwise is taken back."""
    change = conn.transaction()
    await change.start()
    try:
        await conn.execute(sql)
    except asyncpg.PostgresError as error:  # another rule refuses only what a guard has let pass
        return isinstance(error, Refused) and f"on {table} is refused" in str(error)
    finally:
        await change.rollback()
    return False


async def test_every_table_is_declared(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'f', 'm')"
        "   AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
    )
    declared = [*APPEND_ONLY, *MOVES, *MUTABLE]
    assert sorted(row["name"] for row in rows) == sorted(declared), (
        "declare the new table here, with a reason"
    )


async def test_only_what_moves_can_be_updated(owner: asyncpg.Connection) -> None:
    """Column by column, to the value that it has, and where no row is hit."""
    for table in (*APPEND_ONLY, *MOVES):
        moving = MOVES.get(table, set())
        columns = await columns_of(owner, table)
        assert moving <= columns, table
        for column in columns:
            value = "DEFAULT" if column in IDENTITIES else column
            refused = await is_refused(owner, table, f"UPDATE {table} SET {column} = {value}")
            assert refused is (column not in moving), f"{table}.{column}"


@pytest.mark.parametrize("act", ["DELETE FROM {}", "DELETE FROM {} WHERE false", "TRUNCATE {} CASCADE"])
async def test_nothing_is_removed(owner: asyncpg.Connection, act: str) -> None:
    for table in (*APPEND_ONLY, *MOVES):
        assert await is_refused(owner, table, act.format(table)), table


async def test_tokens_are_removed_but_never_altered(owner: asyncpg.Connection) -> None:
    for act in (
        "UPDATE order_token SET token = 0",
        "UPDATE order_token SET order_id = ''",
        "TRUNCATE order_token",
    ):
        assert await is_refused(owner, "order_token", act), act
    assert not await is_refused(owner, "order_token", "DELETE FROM order_token")


async def test_a_replica_session_changes_nothing_either(owner: asyncpg.Connection) -> None:
    """session_replication_role keeps ordinary triggers from firing; these fire always."""
    await owner.execute("SET session_replication_role = replica")
    for table in APPEND_ONLY:
        column = min(await columns_of(owner, table))
        for act in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            assert await is_refused(owner, table, act), act


async def test_what_moves_goes_one_way_only(database: str, seal: FileSeal) -> None:
    """After an order's approval there is a row of each kind, and none goes back."""
    async with opened_desk(database, seal) as desk:
        await desk.in_force()
        async with desk.pool.acquire() as conn:
            for table, changes in ROW_GUARDS.items():
                assert await conn.fetchval(f"SELECT count(*) FROM {table}") > 0, table
                for change in changes:
                    assert await is_refused(conn, table, f"UPDATE {table} SET {change}"), (table, change)


async def test_rows_stand_as_they_were_recorded_after_every_try(database: str, seal: FileSeal) -> None:
    async with opened_desk(database, seal) as desk, desk.pool.acquire() as conn:
        await desk.in_force()
        await desk.open_alert(START + timedelta(minutes=5))
        for table in ("order_record", "sighting", "alert"):
            rows = await conn.fetch(f"SELECT * FROM {table}")
            assert rows, table
            for act in (f"UPDATE {table} SET order_id = 'O9'", f"DELETE FROM {table}"):
                with pytest.raises(Refused, match="neither changed nor removed") as caught:
                    await conn.execute(act)
                assert caught.value.hint == "Record beside it what is so now."
            assert await conn.fetch(f"SELECT * FROM {table}") == rows


async def test_who_tampers_must_switch_the_guard_off_first(owner: asyncpg.Connection) -> None:
    """The owner can, and no trigger stops them: what was done then the audit log and the digests tell."""
    await owner.execute("INSERT INTO policy VALUES ('0', '{}', now())")
    assert await is_refused(owner, "policy", "DELETE FROM policy")
    assert await tamper(owner, "DELETE FROM policy") == "DELETE 1"
    assert await is_refused(owner, "policy", "DELETE FROM policy")
