"""The live stream's follower under faults of the database: it goes on, or says that it does not."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import NOW, SeededAlert, import_orders, order, read, review_policy, seed_alert
from support.site import served

_SOON_S = 20.0
_FOLLOWER = "SELECT pid FROM pg_stat_activity WHERE application_name = 'stayaway live' AND datname = $1"


@dataclass
class Site:
    """A served page, its pool, and a connection that is not the pool's."""

    client: httpx.AsyncClient
    pool: Pool
    seal: FileSeal
    admin: asyncpg.Connection

    async def seed(self, minutes_ago: float = 5) -> int:
        return await seed_alert(self.admin, self.seal, SeededAlert(events=[read(minutes_ago)]))

    async def wait_ready(self, status: int) -> Any:
        async with asyncio.timeout(_SOON_S):
            while True:
                answer = await self.client.get("/health/ready")
                if answer.status_code == status:
                    return answer.json()
                await asyncio.sleep(0.1)

    async def events(self, cursor: int) -> AsyncIterator[tuple[str, Any, int]]:
        async with self.client.stream("GET", f"/alerts/stream?cursor={cursor}") as answer:
            name, place = "", 0
            async for line in answer.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "id":
                    place = int(value)
                elif kind == "data":
                    yield name, json.loads(value), place


@pytest.fixture
async def site(database: str, seal: FileSeal) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(database, wait_s=5, on_wait=print))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        admin = await asyncpg.connect(database)
        stack.push_async_callback(admin.close)
        await import_orders(admin, seal, [order()])
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=review_policy(),
            clock=lambda: NOW,
            wall_clock=lambda: NOW,
            status=lambda: StreamStatus(last_read_s=4),
        )
        server = await stack.enter_async_context(served(create_app(settings, database)))
        client.base_url = httpx.URL(server.base)
        opened = Site(client, pool, seal, admin)
        await opened.wait_ready(200)
        yield opened


async def _first(events: AsyncIterator[tuple[str, Any, int]], wanted: str) -> Any:
    async with asyncio.timeout(_SOON_S):
        async for name, data, _ in events:
            if name == wanted:
                return data
    pytest.fail(f"the stream ended without {wanted}")


async def test_an_unforeseen_error_of_the_database_does_not_end_the_follower(site: Site) -> None:
    """While it lasts, streams end and the process is not ready; afterwards new alerts come as before."""
    stream = site.events(0)
    await _first(stream, "tick")
    await site.admin.execute("ALTER TABLE outbox_head RENAME TO outbox_head_gone")
    async with asyncio.timeout(10):
        async for _ in stream:
            pass
    body = await site.wait_ready(503)
    assert body["reasons"][0]["code"] == "LIVE_STREAM_STOPPED"
    await site.admin.execute("ALTER TABLE outbox_head_gone RENAME TO outbox_head")
    await site.wait_ready(200)
    stream = site.events(0)
    await _first(stream, "tick")
    number = await site.seed()
    assert [row["number"] for row in await _first(stream, "changes")] == [number]


async def test_a_follower_whose_backend_hangs_takes_another_connection(site: Site) -> None:
    """The page that was open hears of the next alert without being cut."""
    stream = site.events(0)
    await _first(stream, "tick")
    pid = await site.admin.fetchval(_FOLLOWER, await site.admin.fetchval("SELECT current_database()"))
    os.kill(pid, signal.SIGSTOP)
    try:
        number = await site.seed()
        assert [row["number"] for row in await _first(stream, "changes")] == [number]
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_ticks_come_while_acts_hold_every_connection_of_the_pool(site: Site) -> None:
    stream = site.events(0)
    await _first(stream, "tick")
    async with AsyncExitStack() as stack:
        for _ in range(site.pool.get_max_size()):
            await stack.enter_async_context(site.pool.acquire())
        tick = await _first(stream, "tick")
        assert tick["follower_age_s"] < 5
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_tick_names_the_claims_and_their_renewed_end(site: Site) -> None:
    number = await site.seed()
    answer = await site.client.post(
        f"/api/v1/alerts/{number}/claim", json={}, headers={"stayaway-actor": "ann"}
    )
    assert answer.status_code == 200
    later = NOW + timedelta(seconds=150)
    await site.admin.execute("UPDATE alert SET claimed_until = $1", later)
    tick = await _first(site.events(0), "tick")
    assert tick["claims"] == [{"number": number, "by": "ann", "until": later.strftime("%Y-%m-%dT%H:%M:%SZ")}]


async def test_nothing_is_lost_or_doubled_over_a_hundred_disconnects(site: Site) -> None:
    """Each of four pages is cut after every event or two and comes back with its cursor."""
    wanted, pages = 60, 4
    cuts = 0
    names: set[str] = set()

    async def page(patience: int) -> list[int]:
        nonlocal cuts
        seen: list[int] = []
        cursor = 0
        while len(seen) < wanted:
            stream, heard = site.events(cursor), 0
            async for name, data, place in stream:
                names.add(name)
                cursor, heard = place, heard + 1
                if name == "changes":
                    seen += [row["number"] for row in data]
                if heard == patience or len(seen) >= wanted:
                    break
            await stream.aclose()  # type: ignore[attr-defined]
            cuts += 1
        return seen

    watching = [asyncio.create_task(page(1 + number % 2)) for number in range(pages)]
    numbers: list[int] = []
    while len(numbers) < wanted:
        # The next alert waits until pages have been cut again: every cut falls between two alerts.
        before = cuts
        numbers.append(await site.seed(len(numbers) + 1))
        async with asyncio.timeout(_SOON_S):
            while cuts < before + 2 and len(numbers) < wanted:  # noqa: ASYNC110 - a count, of four tasks
                await asyncio.sleep(0.005)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*watching) == [numbers] * pages
    assert cuts >= 100
    assert "reload" not in names
