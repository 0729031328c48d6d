"""One person alone puts an order in force once for the same people, whatever the next one's order id is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from stayaway.audit.entries import open_entry
from stayaway.audit.store import list_streams, load_entries, verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.orders import emergency, tokens
from stayaway.platform.seal import FileSeal
from support.databases import SERVERS
from support.desk import TYPED, Desk, opened_desk

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    async with opened_desk(database, seal) as opened:
        yield opened


async def alone(desk: Desk, order_id: str, who: str = "ann", **changes: Any) -> httpx.Response:
    draft = await desk.draft(order_id=order_id, kind="EMERGENCY", **changes)
    return await desk.approve(draft, who, emergency_reason_text="night")


async def in_registry(desk: Desk) -> list[str]:
    return [item["order_id"] for item in (await desk.get("orders"))["orders"]]


@pytest.mark.parametrize("hours", [1, 25, 24 * 60])
async def test_no_second_one_under_another_id_while_it_runs_or_after_it_lapsed(
    desk: Desk, hours: int
) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    desk.clock.now += timedelta(hours=hours)
    for who in ("ann", "bob"):
        again = await alone(desk, "O2", who)
        assert again.status_code == 403
        assert "put order O1 in force for the same people" in again.text
        assert "Ask a second person to approve it." in again.text
    assert await in_registry(desk) == ["O1"]


async def test_a_second_person_approves_the_same_draft(desk: Desk) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    draft = await desk.draft(order_id="O2", kind="EMERGENCY")
    assert (await desk.approve(draft, "ann", emergency_reason_text="night")).status_code == 403
    assert (await desk.approve(draft, "bob")).status_code == 201
    assert await in_registry(desk) == ["O1", "O2"]


async def test_after_a_second_person_confirmed_the_first_another_is_taken(desk: Desk) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    assert (await desk.send("POST", "orders/O1/versions/1/confirmation", "bob", TYPED)).status_code == 201
    assert (await alone(desk, "O2")).status_code == 201


async def test_after_two_made_the_next_version_another_is_taken(desk: Desk) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    assert (await desk.approve(await desk.draft(), "bob")).status_code == 201
    assert (await alone(desk, "O2")).status_code == 201


async def test_a_recall_by_one_person_opens_no_way(desk: Desk) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    recall = {"recalled_at": format_instant(desk.clock.now), "reason_text": "slip", "void": True}
    assert (await desk.send("POST", "orders/O1/recalls", "ann", recall)).status_code == 201
    assert (await alone(desk, "O2")).status_code == 403


async def test_long_after_or_for_others_it_is_taken(desk: Desk) -> None:
    assert (await alone(desk, "O1")).status_code == 201
    others = [{"respondent_id": "R7", "vehicles": [], "devices": [{"device_id": "D7"}]}]
    assert (await alone(desk, "O2", respondents=others)).status_code == 201
    desk.clock.now += timedelta(days=92)
    assert (await alone(desk, "O3")).status_code == 201


async def test_of_several_at_once_under_their_own_ids_one_counts(desk: Desk) -> None:
    drafts = [await desk.draft(order_id=f"O{number}", kind="EMERGENCY") for number in range(4)]
    answers = await asyncio.gather(
        *(desk.approve(draft, "ann", emergency_reason_text="night") for draft in drafts)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403]
    assert len(await in_registry(desk)) == 1


async def test_what_too_many_orders_share_tells_nobody_apart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A respondent's id that is a placeholder would hide the first entry among a thousand orders."""
    for number in (1, 2):
        draft = await desk.draft(order_id=f"O{number}")
        assert (await desk.approve(draft, "bob")).status_code == 201
    monkeypatch.setattr(tokens, "MOST_MARKED", 1)
    answer = await alone(desk, "O3")
    assert (answer.status_code, "an id of their own" in answer.text) == (403, True)


async def test_the_refusal_tells_of_another_order_and_is_audited(desk: Desk) -> None:
    """Also what an entry that was taken was compared with."""
    assert (await alone(desk, "O1")).status_code == 201
    assert (await alone(desk, "O2")).status_code == 403
    async with desk.pool.acquire() as conn:
        entries = [
            open_entry(desk.seal, entry)
            for stream in await list_streams(conn)
            for entry in await load_entries(conn, stream)
            if entry.entry_type == "ORDERS_COMPARED"
        ]
        for stream in await list_streams(conn):
            assert await verify_stream(conn, desk.seal, stream) == []
    (told,) = [entry.details for entry in entries if entry.details["view"] == "emergency"]
    assert (told["order_ids"], told["draft_number"], told["refused"]) == (["O1"], 2, True)


async def test_without_the_rule_it_would_be_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else stands in its way."""
    monkeypatch.setattr(emergency, "concern_the_same", lambda *_: False)
    assert (await alone(desk, "O1")).status_code == 201
    assert (await alone(desk, "O2")).status_code == 201
