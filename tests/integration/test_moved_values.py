"""Sealed values moved between rows of one order by whoever owns the tables: said, never shown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.alert_seed import SeededAlert, read, seed_alert
from support.databases import SERVERS
from support.desk import Desk, opened_desk
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        await opened.in_force()
        yield opened


async def swap(conn: asyncpg.Connection, table: str, column: str, by: str) -> None:
    """The values of the two rows that there are change places."""
    done = await tamper(
        conn,
        f"UPDATE {table} SET {column} = o.{column} FROM {table} AS o WHERE o.{by} <> {table}.{by}",
    )
    assert done == "UPDATE 2"


async def test_an_approvers_answers_beside_anothers_approval_are_refused(
    desk: Desk, conn: asyncpg.Connection
) -> None:
    """The history says so instead of naming the wrong person; a recall is recorded all the same."""
    second = await desk.draft("ann", case_number="F-2026-00117")
    assert (await desk.approve(second, "cleo")).status_code == 201
    records = (await desk.get("orders/O1/history"))["records"]
    named = [record["approval"]["approver"] for record in records if record["approval"]]
    assert named == ["bob", "cleo"]
    await swap(conn, "order_approval", "answers_sealed", "version")
    answer = await desk.send("GET", "orders/O1/history", "ann")
    assert (answer.status_code, "another person's than who approved it" in answer.text) == (500, True)
    recalled = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed"}
    assert (await desk.send("POST", "orders/O1/recalls", "ann", recalled)).status_code == 201


async def test_an_event_beside_anothers_decision_is_refused(desk: Desk, conn: asyncpg.Connection) -> None:
    """Not shown with the alert; the order can be recalled all the same."""
    numbers = []
    for hour in (1, 4):
        at = format_instant(desk.clock.now + timedelta(hours=hour))
        event = read(event_id=f"e{hour}", observed_at=at, received_at=at, reader_id=f"cam-{hour}")
        numbers.append(await seed_alert(conn, desk.seal, SeededAlert(events=[event])))
    for number in numbers:
        await desk.get(f"alerts/{number}")
    await swap(conn, "sighting", "payload_sealed", "event_id")
    answers = await asyncio.gather(*(desk.send("GET", f"alerts/{number}", "dora") for number in numbers))
    for answer in answers:
        assert (answer.status_code, "another sighting's" in answer.text) == (500, True)
    recalled = {"recalled_at": format_instant(desk.clock.now), "reason_text": "dismissed"}
    assert (await desk.send("POST", "orders/O1/recalls", "ann", recalled)).status_code == 201
