"""The page and its interface, served from a database of their own."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.console.serve import serve
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import NOW, SeededAlert, images, review_policy, seed_alert

ACTOR = {"stayaway-actor": "ann"}


@dataclass
class Site:
    """A served page with its database."""

    base: str
    pool: Pool
    seal: FileSeal
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def seed(self, alert: SeededAlert) -> int:
        async with self.pool.acquire() as conn:
            return await seed_alert(conn, self.seal, alert)


@dataclass(frozen=True)
class Server:
    """Where it listens, what stops it, and the task that it runs in."""

    base: str
    stop: asyncio.Event
    task: asyncio.Task[None]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[Server]:
    """`app` on a port of its own; it must stop within seconds at the end."""
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, on_listening=listening.set_result))
    yield Server((await listening).rstrip("/"), stop, task)
    stop.set()
    await asyncio.wait_for(task, 5)


@asynccontextmanager
async def opened_site(dsn: str, seal: FileSeal) -> AsyncIterator[Site]:
    """Served until the end of the block."""
    async with await open_pool(dsn, wait_s=5, on_wait=print) as pool:
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=review_policy(),
            clock=lambda: NOW,
            wall_clock=lambda: NOW,
            images=images,
            status=lambda: StreamStatus(last_read_s=4, readers_heard=37, readers_known=40),
        )
        async with served(create_app(settings, dsn)) as server:
            yield Site(server.base, pool, seal, server.stop, server.task)


def text_of(page: httpx.Response) -> str:
    """What a reader reads of it."""
    without_tags = re.sub(r"<[^>]+>", " ", page.text)
    return " ".join(html.unescape(without_tags).split())


def token_of(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of its forms."""
    fields = dict(re.findall(r'name="(csrf|seen)" value="([0-9a-f]+)"', page.text))
    return {"csrf": fields["csrf"], "seen": fields.get("seen", "")}
