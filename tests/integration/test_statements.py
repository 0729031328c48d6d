"""Statements sent as one do what they do one after the other, where none needs another's rows."""

from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import asyncpg
import pytest

from stayaway.platform.statements import Statement, fetch_in_one

_TABLES = """
CREATE TABLE counted (so_far bigint);
INSERT INTO counted VALUES (0);
CREATE TABLE moved (place bigint);
INSERT INTO moved VALUES (7), (8);
CREATE TABLE noted (place bigint, text text);
"""
_COUNT = """
-- $1: texts (of any number
WITH head AS (
    UPDATE counted SET so_far = so_far + cardinality($1::text[]) RETURNING so_far
)
INSERT INTO noted
SELECT head.so_far - cardinality($1::text[]) + item.place, item.text
  FROM head, unnest($1::text[]) WITH ORDINALITY AS item (text, place);
"""
_NOTE = "INSERT INTO noted SELECT * FROM unnest($1::bigint[], $2::text[]);"
_MOVE = """
WITH given AS MATERIALIZED (SELECT coalesce($1::bigint, (SELECT 7)) AS place),
     said AS (SELECT $2::text AS text)
UPDATE moved SET place = moved.place + given.place FROM given, said
 WHERE moved.place = 8 RETURNING moved.place, said.text;
"""
STATEMENTS = (
    Statement(_NOTE, ([20, 21], ["x", "y"])),
    Statement(_COUNT, (["a", "b", "c"],)),
    Statement(_MOVE, (5, "z")),
    Statement("DELETE FROM moved WHERE place = 7 RETURNING *"),
)


@pytest.fixture
async def conn(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_database)
    await connection.execute(_TABLES)
    yield connection
    await connection.close()


async def outcome(conn: asyncpg.Connection, run: Any) -> list[Any]:
    """What it answers and leaves behind, taken back again."""
    transaction = conn.transaction()
    await transaction.start()
    answered = [tuple(row) for row in await run()]
    tables = [await conn.fetch(f"SELECT * FROM {name} ORDER BY 1") for name in ("counted", "moved", "noted")]
    await transaction.rollback()
    return [answered, *([tuple(row) for row in table] for table in tables)]


@pytest.mark.parametrize("count", range(1, len(STATEMENTS) + 1))
async def test_in_any_order_it_comes_to_the_same(conn: asyncpg.Connection, count: int) -> None:
    for chosen in permutations(STATEMENTS, count):

        async def one_by_one(chosen: Any = chosen) -> Any:
            return [await conn.fetch(item.sql, *item.arguments) for item in chosen][-1]

        async def in_one(chosen: Any = chosen) -> Any:
            return await fetch_in_one(conn, chosen)

        assert await outcome(conn, in_one) == await outcome(conn, one_by_one)


async def test_without_any_nothing_is_sent(conn: asyncpg.Connection) -> None:
    await conn.close()
    assert await fetch_in_one(conn, []) == []


async def test_all_or_none(conn: asyncpg.Connection) -> None:
    broken = Statement("INSERT INTO noted SELECT 1 / $1::bigint, 'never'", (0,))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await fetch_in_one(conn, [*STATEMENTS[:2], broken])
    assert await conn.fetch("SELECT * FROM noted") == []
