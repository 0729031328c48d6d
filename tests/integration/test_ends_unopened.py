"""An order that does not open hides no other order's end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from stayaway.alerts.order_expiry import MarkedEnds, mark_ended_orders
from stayaway.audit.store import verify_stream
from stayaway.kernel.instants import format_instant
from stayaway.platform.seal import FileSeal
from support.alert_seed import SeededAlert, read, seed_alert
from support.commands import STAYAWAY, plain_environment, run_stayaway
from support.databases import SERVERS
from support.desk import POLICY, Desk, opened_desk
from support.tampering import tamper

pytestmark = pytest.mark.parametrize("databases", SERVERS, indirect=True)

EXPIRES = "2026-03-06T20:00:00Z"
ENDED = {"expires_at": EXPIRES}
VEHICLE = {
    "vehicle_id": "V7",
    "plate": "7AA 777",
    "region": "US-AZ",
    "link_basis": "REGISTERED",
    "used_by": [],
}
RESPONDENT = {"respondent_id": "R1", "vehicles": [VEHICLE], "devices": []}


@pytest.fixture
async def desk(database: str, seal: FileSeal) -> AsyncIterator[Desk]:
    """O1 and O2 have ended, each with an open alert."""
    async with opened_desk(database, seal) as opened:
        await opened.in_force(**ENDED)
        await opened.open_alert(opened.clock.now + timedelta(seconds=1))
        other = await opened.draft(order_id="O2", respondents=[RESPONDENT], **ENDED)
        assert (await opened.approve(other, "bob", expiry=EXPIRES)).status_code == 201
        noticed = {"respondent_id": "R1", "kind": "PERSONAL", "noticed_at": format_instant(opened.clock.now)}
        told = await opened.send("POST", "orders/O2/notices", "ann", {"order_version": 1, **noticed})
        assert told.status_code == 201, told.text
        at = format_instant(opened.clock.now + timedelta(seconds=2))
        async with opened.pool.acquire() as conn:
            event = read(event_id="e2", plate="7AA777", observed_at=at, received_at=at)
            await seed_alert(conn, seal, SeededAlert(order_id="O2", events=[event]))
        yield opened


def lose_key(keys: Path, order_id: str) -> None:
    lines = keys.read_bytes().splitlines(keepends=True)
    left = keys.with_name("left")
    left.write_bytes(b"".join(line for line in lines if f'"{order_id}"'.encode() not in line))
    left.chmod(0o600)
    left.replace(keys)


async def look(desk: Desk, keys: Path) -> MarkedEnds:
    seal = FileSeal(keys, must_exist=True)
    async with desk.pool.acquire() as conn:
        at = desk.clock.now + timedelta(days=1)
        return await mark_ended_orders(conn, seal, POLICY, actor="timer", at=at)


async def marked_orders(desk: Desk) -> list[str]:
    async with desk.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT order_id FROM alert WHERE 'ORDER_SINCE_ENDED' = ANY (cautions) ORDER BY order_id"
        )
        return [row["order_id"] for row in rows]


@pytest.mark.parametrize(("lost", "whole"), [("O1", "O2"), ("O2", "O1")])
async def test_an_order_whose_key_is_lost_is_named_and_the_other_marked(
    desk: Desk, tmp_path: Path, lost: str, whole: str
) -> None:
    """Whichever comes first; the next look says the same and finds no more to mark."""
    keys = tmp_path / "keys.jsonl"
    lose_key(keys, lost)
    found = await look(desk, keys)
    assert [alert_id.split("/")[0] for alert_id in found.alert_ids] == [whole]
    assert dict(found.unread) == {lost: f"the keys file holds no key for scope '{lost}'"}
    assert await marked_orders(desk) == [whole]
    again = await look(desk, keys)
    assert (again.alert_ids, list(again.unread)) == ((), [lost])
    async with desk.pool.acquire() as conn:
        assert await verify_stream(conn, desk.seal, "orders") == []


@pytest.mark.parametrize("table", ["sighting", "order_record"])
async def test_one_changed_row_keeps_only_its_own_order_from_being_marked(
    desk: Desk, tmp_path: Path, table: str
) -> None:
    """Of the order itself, or of what its alert was raised on: that is opened only under the locks."""
    async with desk.pool.acquire() as conn:
        assert await tamper(conn, f"UPDATE {table} SET payload_sealed = 'x' WHERE order_id = 'O1'")
    found = await look(desk, tmp_path / "keys.jsonl")
    assert list(found.unread) == ["O1"]
    assert await marked_orders(desk) == ["O2"]


def environment(database: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "policy.json").write_text(POLICY.model_dump_json(by_alias=True))
    return plain_environment(
        STAYAWAY_DATABASE=database,
        STAYAWAY_KEYS_FILE=str(tmp_path / "keys.jsonl"),
        STAYAWAY_POLICY_FILE=str(tmp_path / "policy.json"),
    )


async def test_a_single_look_names_what_does_not_open_and_exits_with_1(
    desk: Desk, database: str, tmp_path: Path
) -> None:
    lose_key(tmp_path / "keys.jsonl", "O1")
    env = environment(database, tmp_path)
    done = await asyncio.to_thread(run_stayaway, "orders", "expire", env=env)
    assert done.returncode == 1
    assert done.stdout.startswith(b"alerts marked as ended: 1\n- O2/R1/")
    assert done.stderr.decode() == (
        "NOT LOOKED AT, as they do not open: 1 orders with open alerts: O1. The first: the keys"
        " file holds no key for scope 'O1'. If they have ended, their alerts do not say so.\n"
    )
    assert await marked_orders(desk) == ["O2"]


async def test_looking_again_and_again_goes_on_and_says_so_each_time(
    desk: Desk, database: str, tmp_path: Path
) -> None:
    lose_key(tmp_path / "keys.jsonl", "O1")
    looking = await asyncio.create_subprocess_exec(
        *STAYAWAY, "orders", "expire", "--every", "1",
        env=environment(database, tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert looking.stderr is not None
    try:
        async with asyncio.timeout(30):
            lines = [await looking.stderr.readline() for _ in "12"]
        assert all(line.startswith(b"NOT LOOKED AT, as they do not open: 1 orders") for line in lines)
        assert looking.returncode is None
    finally:
        looking.terminate()
        await looking.communicate()
    assert await marked_orders(desk) == ["O2"]
