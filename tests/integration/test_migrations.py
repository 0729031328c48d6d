"""Migrations: applied once, in order, by one process at a time, and never changed afterwards."""

import asyncio

import asyncpg
import pytest

from stayaway.platform import migrations
from stayaway.platform.migrations import Migration, SchemaError, check_schema, migrate
from stayaway.platform.schema_dump import SCHEMA_FILE, dump_schema
from support.databases import SERVERS
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)


async def test_all_migrations_add_up_to_the_checked_in_schema(empty_database: str) -> None:
    """If this fails, write schema.txt anew and look at what changed in it."""
    connection = await asyncpg.connect(empty_database)
    await migrate(connection)
    assert await dump_schema(connection) == SCHEMA_FILE.read_text(encoding="utf-8")
    await connection.close()


async def test_a_second_time_does_nothing(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    names = [migration.name for migration in migrations.load_migrations()]
    assert await migrate(connection) == names
    assert await migrate(connection) == []
    await check_schema(connection)
    await connection.close()


async def test_two_processes_at_once_apply_each_once(empty_database: str) -> None:
    async def one() -> list[str]:
        connection = await asyncpg.connect(empty_database)
        try:
            return await migrate(connection)
        finally:
            await connection.close()

    applied = await asyncio.gather(*(one() for _ in range(4)))
    assert sum(map(len, applied)) == len(migrations.load_migrations())


async def test_an_empty_database_is_refused_with_what_to_do(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    with pytest.raises(SchemaError, match="no stayaway tables"):
        await check_schema(connection)
    await connection.close()


async def test_a_changed_migration_is_refused(database: str) -> None:
    connection = await asyncpg.connect(database)
    await tamper(connection, "UPDATE schema_migration SET sha256 = repeat('0', 64)")
    for act in (migrate, check_schema):
        with pytest.raises(SchemaError, match=r"0001_first\.sql was applied with other content"):
            await act(connection)
    await connection.close()


async def test_a_newer_database_is_refused(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO schema_migration (name, sha256) VALUES ('9999_later.sql', '')")
    for act in (migrate, check_schema):
        with pytest.raises(SchemaError, match=r"does not know: 9999_later\.sql"):
            await act(connection)
    await connection.close()


async def test_orders_in_the_earlier_form_are_refused_and_kept(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can rewrite what is sealed: the database stays as it was, and says what to do."""
    connection = await asyncpg.connect(empty_database)
    known = migrations.load_migrations()
    monkeypatch.setattr(migrations, "load_migrations", lambda: known[:3])
    await migrate(connection)
    await connection.execute("INSERT INTO order_head VALUES ('O1', 1)")
    await connection.execute(
        "INSERT INTO order_record VALUES ('O1', 1, 1, 'RECALL', NULL, now(), now(), '', '', '')"
    )
    monkeypatch.setattr(migrations, "load_migrations", lambda: known)
    with pytest.raises(SchemaError, match="import them into a new database"):
        await migrate(connection)
    assert await connection.fetchval("SELECT count(*) FROM order_record") == 1
    await connection.close()


async def test_orders_without_tokens_are_refused_and_kept(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison would pass over them in silence."""
    connection = await asyncpg.connect(empty_database)
    known = migrations.load_migrations()
    (before,) = [place for place, item in enumerate(known) if item.name == "0007_order_token.sql"]
    monkeypatch.setattr(migrations, "load_migrations", lambda: known[:before])
    await migrate(connection)
    number = await connection.fetchval("INSERT INTO registry_change DEFAULT VALUES RETURNING change_number")
    await connection.execute("INSERT INTO order_head (order_id, change_number) VALUES ('O1', $1)", number)
    await connection.execute(
        "INSERT INTO order_record (order_id, change_number, ordinal, record_kind, recorded_at,"
        " applied_by_ref, content_digest, payload_sealed, source_sealed)"
        " VALUES ('O1', $1, 1, 'RECALL', now(), '', '', '', '')",
        number,
    )
    monkeypatch.setattr(migrations, "load_migrations", lambda: known)
    with pytest.raises(SchemaError, match="without the tokens by which they are compared"):
        await migrate(connection)
    assert await connection.fetchval("SELECT count(*) FROM order_record") == 1
    await connection.close()


async def test_a_failing_migration_leaves_everything_as_it_was(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations.load_migrations()
    good = Migration("0998_good.sql", "a" * 64, "CREATE TABLE good (x integer)")
    bad = Migration("0999_bad.sql", "b" * 64, "CREATE TABLE bad (x no_such_type)")
    monkeypatch.setattr(migrations, "load_migrations", lambda: (*known, good, bad))
    connection = await asyncpg.connect(database)
    with pytest.raises(asyncpg.UndefinedObjectError):
        await migrate(connection)
    assert await connection.fetchval("SELECT to_regclass('good')") is None
    with pytest.raises(SchemaError, match=r"lacks migrations: 0998_good\.sql, 0999_bad\.sql"):
        await check_schema(connection)
    monkeypatch.setattr(migrations, "load_migrations", lambda: (*known, good))
    assert await migrate(connection) == ["0998_good.sql"]
    await connection.close()
