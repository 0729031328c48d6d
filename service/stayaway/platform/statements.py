"""Several statements sent as one, so that whoever waits for the server's answers waits once.

Each room writes its own statement; who commits joins them. In Postgres all parts of one statement see the
database as it was before it, and none of them what another one did: only statements that do not need
each other's rows may be joined (PostgreSQL 15, 7.8.4, "Data-Modifying Statements in WITH"). The names in
one's WITH are seen by all: none may be a table's.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from stayaway.platform.postgres import Connection

_PARAMETER = re.compile(r"\$([0-9]+)", re.ASCII)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_WITH = "WITH "


class Statement(NamedTuple):
    """One SQL statement and its arguments."""

    sql: str
    arguments: tuple[Any, ...] = ()


def of_rows(sql: str, rows: Sequence[tuple[Any, ...]], *arguments: Any) -> list[Statement]:
    """The statement that takes an array for each column of `rows`, and `arguments`; nothing without rows."""
    return [Statement(sql, (*zip(*rows, strict=True), *arguments))] if rows else []


async def fetch_in_one(conn: Connection, statements: Sequence[Statement]) -> list[Any]:
    """Run all of them in one statement; the rows of the last one. Without any nothing is sent.

    What only changes rows comes before it: a SELECT that nobody asks for the rows of would not be run.
    """
    if not statements:
        return []
    sql = _joined(tuple((item.sql, len(item.arguments)) for item in statements))
    rows: list[Any] = await conn.fetch(sql, *(value for item in statements for value in item.arguments))
    return rows


@lru_cache(maxsize=64)
def _joined(statements: tuple[tuple[str, int], ...]) -> str:
    """The text of (SQL, number of arguments) of each, the arguments numbered through."""
    tables, mains, before = list[str](), list[str](), 0
    for sql, count in statements:
        own, main = _taken_apart(_renumbered(_COMMENT.sub("", sql).strip().rstrip(";"), before))
        tables += own
        mains.append(main)
        before += count
    steps = [f"step_{number} AS (\n{main}\n)" for number, main in enumerate(mains[:-1], start=1)]
    listed = ",\n".join([*tables, *steps])
    return f"{_WITH}{listed}\n{mains[-1]}" if listed else mains[-1]


def _renumbered(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)


def _taken_apart(sql: str) -> tuple[list[str], str]:
    """The tables of a statement's WITH, `name AS (...)` each, and what comes after them: what changes rows
    may stand in the outermost WITH only. No text in our SQL has a bracket in a string.
    """
    if not sql.startswith(_WITH):
        return [], sql
    tables, depth, start = list[str](), 0, len(_WITH)
    for at in range(start, len(sql)):
        depth += (sql[at] == "(") - (sql[at] == ")")
        if sql[at] == ")" and depth == 0:
            tables.append(sql[start : at + 1].strip())
            rest = sql[at + 1 :].lstrip()
            if not rest.startswith(","):
                return tables, rest
            start = len(sql) - len(rest) + 1
    raise AssertionError("a WITH that does not end")
