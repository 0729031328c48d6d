"""Migrations in plain SQL, applied in order, once, and never changed afterwards."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from stayaway.kernel.errors import StayawayError
from stayaway.platform.postgres import Connection

# The key of the advisory lock that lets only one process migrate: "stayaway" in ASCII.
_LOCK_KEY = int.from_bytes(b"stayaway", "big") - (1 << 63)

_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class SchemaError(StayawayError):
    """The database's schema is not the one this software was built for."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder `migrations`; `sha256` in hex, of its bytes."""

    name: str
    sha256: str
    sql: str


def load_migrations() -> tuple[Migration, ...]:
    """All migrations that this software brings, in the order of their names."""
    folder = files("stayaway.platform") / "migrations"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    loaded = []
    for name in found:
        data = (folder / name).read_bytes()
        loaded.append(Migration(name, hashlib.sha256(data).hexdigest(), data.decode()))
    return tuple(loaded)


async def migrate(connection: Connection) -> list[str]:
    """Apply what is missing, all in one transaction; the names applied, oldest first.

    Two processes at once are safe: the second waits and finds nothing to do. Raises SchemaError
    if an applied migration differs from the file of its name, or is unknown here, and where a
    migration refuses what it finds.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
        await connection.execute(_CREATE_TABLE)
        pending = await _pending(connection)
        for migration in pending:
            try:
                await connection.execute(migration.sql)
            except asyncpg.RaiseError as error:  # what a migration itself refuses, in its own words
                raise SchemaError(f"migration {migration.name}: {error}", "Nothing was changed.") from None
            await connection.execute(
                "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)",
                migration.name,
                migration.sha256,
            )
    return [migration.name for migration in pending]


async def check_schema(connection: Connection) -> None:
    """Raise SchemaError, with what to do, unless every migration is applied as it stands here."""
    if await connection.fetchval("SELECT to_regclass('schema_migration')") is None:
        raise SchemaError("the database has no stayaway tables", "Run `stayaway migrate` first.")
    pending = await _pending(connection)
    if pending:
        names = ", ".join(migration.name for migration in pending)
        raise SchemaError(f"the database lacks migrations: {names}", "Run `stayaway migrate`.")


async def _pending(connection: Connection) -> list[Migration]:
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migration ORDER BY name")
    applied = {row["name"]: row["sha256"] for row in rows}
    known = load_migrations()
    unknown = sorted(applied.keys() - {migration.name for migration in known})
    if unknown:
        raise SchemaError(
            f"the database has migrations that this version does not know: {', '.join(unknown)}",
            "Upgrade stayaway, or name another database.",
        )
    for migration in known:
        if applied.get(migration.name, migration.sha256) != migration.sha256:
            raise SchemaError(
                f"migration {migration.name} was applied with other content",
                "An applied migration never changes: restore its file and write a new migration.",
            )
    return [migration for migration in known if migration.name not in applied]
