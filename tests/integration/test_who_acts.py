"""Who looks at an alert or acts on it over HTTP has a name that can be read, by the header or on the page."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import asyncpg
import pytest

from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import Desk, Json, opened_desk

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

NO_NAMES = ["%20", "dora%0A", "dora%E2%80%8B", "dora%E2%80%AE", "dora%1B%5B2J", "dora%00", "%ED%B3%BF", "%FF"]
ACTS: dict[str, Json] = {
    "claim": {},
    "acknowledge": {},
    "dismiss": {"reason_code": "MISREAD"},
    "confirm": {"second_look": True},
}


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        await opened.in_force()
        yield opened


@pytest.mark.parametrize("name", NO_NAMES)
async def test_a_name_that_is_none_is_refused_at_its_header(
    desk: Desk, conn: asyncpg.Connection, name: str
) -> None:
    """422 that names the header, for every act and look; nothing is recorded."""
    number = await desk.open_alert(desk.clock.now + timedelta(seconds=1))
    entries = await conn.fetchval("SELECT count(*) FROM audit_entry")
    answers = [await desk.send("POST", f"alerts/{number}/{act}", name, body) for act, body in ACTS.items()]
    answers += [await desk.send("GET", path, name) for path in ("alerts", f"alerts/{number}", "orders")]
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = answer.json()
        assert problem["type"] == "urn:stayaway:problem:bad-request"
        (field,) = problem["problems"]
        assert field["pointer"] == "/Stayaway-Actor"
        assert field["detail"].startswith("Say who acts: 1 to 64 characters")
    assert await conn.fetchval("SELECT count(*) FROM alert_act") == 0
    assert await conn.fetchval("SELECT count(*) FROM audit_entry") == entries


async def test_one_person_is_not_two_by_how_the_name_is_written(desk: Desk, conn: asyncpg.Connection) -> None:
    """White space is tidied and marks are joined, so that a claim is its holder's."""
    number = await desk.open_alert(desk.clock.now + timedelta(seconds=1), claimed_by="Ann%20%C3%98st")
    for name in (" Ann  Øst ", "Ann\u00a0Øst"):
        again = await desk.send("POST", f"alerts/{number}/claim", quote(name), {})
        assert (again.status_code, again.json()["claimed_by"]) == (200, "Ann Øst")
    assert {row["actor"] for row in await conn.fetch("SELECT actor FROM alert_act")} == {"Ann Øst"}


async def test_a_name_of_any_script_has_its_64_characters(desk: Desk) -> None:
    """Each takes up to twelve on the wire."""
    number = await desk.open_alert(desk.clock.now + timedelta(seconds=1))
    name = "田" * 64
    claimed = await desk.send("POST", f"alerts/{number}/claim", quote(name), {})
    assert (claimed.status_code, claimed.json()["claimed_by"]) == (200, name)
    longer = await desk.send("POST", f"alerts/{number}/claim", quote(f"{name}田"), {})
    assert longer.status_code == 422
