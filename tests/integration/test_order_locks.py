"""Acts, approvals, reviewers and looks at once: nobody waits for ever, nothing is half done."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stayaway.audit.store import list_streams, verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import Desk, opened_desk
from support.lives import draft_content

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

ALERTS = 6


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


async def test_reviewers_and_the_registry_at_once_end_without_a_deadlock(desk: Desk) -> None:
    """Whatever came first: each alert ends withdrawn, and whoever had claimed it before must acknowledge."""
    await desk.in_force()
    at = desk.clock.now
    numbers = [await desk.open_alert(at + timedelta(seconds=second)) for second in range(ALERTS)]
    other = await desk.draft(order_id="O2")
    body = await desk.statement(other)
    recall = {"recalled_at": format_instant(at), "reason_text": "another case", "void": True}
    answers = await asyncio.gather(
        *(desk.send("POST", f"alerts/{number}/claim", f"p{number}", {}) for number in numbers),
        desk.send("POST", "orders/O1/recalls", "ann", recall),
        *(desk.send("GET", f"alerts/{number}", "dora") for number in numbers),
        desk.send("POST", "order-drafts/2/approval", "bob", body, if_match=other["etag"]),
        *(desk.send("POST", "order-drafts", "ann", {"order": draft_content("O3")}) for _ in range(3)),
        desk.send("GET", "orders/O1", "dora"),
    )
    claims = [answer.status_code for answer in answers[:ALERTS]]
    assert set(claims) <= {200, 409}
    assert {answer.status_code for answer in answers[ALERTS:]} <= {200, 201}
    for number, claim in zip(numbers, claims, strict=True):
        alert = await desk.get(f"alerts/{number}")
        assert alert["state"] == "WITHDRAWN"
        assert alert["to_acknowledge_by"] == (f"p{number}" if claim == 200 else None)
    async with desk.pool.acquire() as conn:
        for stream in await list_streams(conn):
            assert await verify_stream(conn, desk.seal, stream) == []
