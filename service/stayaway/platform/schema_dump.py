"""The catalog of a migrated database as text, for comparing with the checked-in schema.txt.

`python -m stayaway.platform.schema_dump` writes schema.txt anew, from an embedded Postgres.
The text names tables, columns, constraints, indexes and views; it holds for PostgreSQL 15 and
later (NOT NULL stands with the column, not as the constraint that 18 makes of it).
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import asyncpg

from stayaway.platform.embedded.postgres import EmbeddedPostgres
from stayaway.platform.migrations import migrate
from stayaway.platform.postgres import Connection, load_queries

SCHEMA_FILE = Path(__file__).parent / "schema.txt"

_HEADING = "# Written by `python -m stayaway.platform.schema_dump`; the migrations add up to this."


async def dump_schema(connection: Connection) -> str:
    """One line for each column, constraint, index and view column, in a fixed order."""
    queries = load_queries("stayaway.platform", "schema_dump.sql")
    lines = [_HEADING]
    for name in queries.names():
        lines += ["", f"## {name}"]
        lines += [row["line"] for row in await connection.fetch(queries[name])]
    return "\n".join(lines) + "\n"


async def _dump_migrated(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection)
        return await dump_schema(connection)
    finally:
        await connection.close()


def main() -> int:
    """Write schema.txt; 0."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            server.start()
            text = asyncio.run(_dump_migrated(server.dsn))
        finally:
            server.destroy()
    SCHEMA_FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
