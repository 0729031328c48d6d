"""Changing what the database refuses to have changed, as its owner can: for tests of what that would do."""

import re

import asyncpg

from stayaway.platform.postgres import Connection

_GUARDS = """
SELECT t.tgrelid::regclass::text AS of_table, t.tgname
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE p.proname LIKE 'refuse\\_%'
"""


async def tamper(conn: Connection, sql: str, *arguments: object) -> str:
    """Execute `sql` with the guards of the tables it names off, and on again after it; its command tag."""
    guards = [row for row in await conn.fetch(_GUARDS) if re.search(rf"\b{row['of_table']}\b", sql)]
    async with conn.transaction():
        await _switch(conn, guards, "DISABLE")
        done: str = await conn.execute(sql, *arguments)
        await _switch(conn, guards, "ENABLE ALWAYS")
    return done


async def _switch(conn: Connection, guards: list[asyncpg.Record], how: str) -> None:
    for guard in guards:
        await conn.execute(f"ALTER TABLE {guard['of_table']} {how} TRIGGER {guard['tgname']}")
