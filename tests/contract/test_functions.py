"""Our functions in the database look at our tables, whatever a session has put before them."""

import asyncpg
import pytest

from support.databases import SERVERS

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

PINNED = "search_path=pg_catalog, public, pg_temp"
FUNCTIONS = """
SELECT p.oid::regprocedure::text AS name, p.proconfig AS settings
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""


async def test_every_function_names_where_it_looks(database: str) -> None:
    """pg_temp last: where it is not named, it comes first."""
    conn = await asyncpg.connect(database)
    try:
        found = {row["name"]: row["settings"] for row in await conn.fetch(FUNCTIONS)}
    finally:
        await conn.close()
    assert {"refuse_change()", "refuse_approval_by_a_writer()"} <= set(found)
    assert {name for name, settings in found.items() if PINNED not in (settings or ())} == set(), (
        "a function needs: SET search_path = pg_catalog, public, pg_temp"
    )
