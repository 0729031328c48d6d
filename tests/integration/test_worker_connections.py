"""The matcher's own connections: never used without their limits, instants as they went in."""

from datetime import timedelta

import asyncpg
import pytest

from stayaway.kernel.instants import FIRST_INSTANT, LAST_INSTANT
from stayaway.platform.postgres import connect, open_pool
from stayaway.worker import database as database_module
from stayaway.worker.database import Database
from support.databases import SERVERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

INSTANTS = [
    at
    for end, inward in (
        (FIRST_INSTANT, timedelta(microseconds=1)),
        (LAST_INSTANT, timedelta(microseconds=-1)),
    )
    for at in (end, end + inward)
]


async def test_a_connection_that_was_cut_before_it_had_its_limits_is_not_used(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database_module._LIMITS, "no_such_setting", "1")
    opened = Database(database, wait_s=5, on_wait=print)
    with pytest.raises(asyncpg.UndefinedObjectError):
        await opened.connection()
    opened._settings.pop("no_such_setting")
    conn = await opened.connection()
    limit_s = database_module.IDLE_IN_TRANSACTION_S
    assert await conn.fetchval("SHOW idle_in_transaction_session_timeout") == f"{limit_s}s"
    await opened.close()


async def test_every_instant_comes_back_as_it_went_in(database: str) -> None:
    """Alone and in lists, over a connection and a pool; and Postgres knows it as that instant."""
    single = await connect(database, wait_s=5, on_wait=print)
    pool = await open_pool(database, wait_s=5, on_wait=print)
    async with pool, pool.acquire() as pooled:
        for conn in (single, pooled):
            found = await conn.fetch("SELECT at, isfinite(at) FROM unnest($1::timestamptz[]) AS at", INSTANTS)
            assert [tuple(row) for row in found] == [(at, True) for at in INSTANTS]
            for at in INSTANTS:
                back = await conn.fetchval("SELECT $1::timestamptz", at)
                assert (back, back.tzinfo) == (at, at.tzinfo)
            assert (
                await conn.fetchval("SELECT array_agg(at) FROM unnest($1::timestamptz[]) AS at", INSTANTS)
                == INSTANTS
            )
            assert await conn.fetchval("SELECT NULL::timestamptz") is None
    await single.close()
