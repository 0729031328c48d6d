"""The review pages in Chromium. Skipped where it is absent; required in CI."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import async_playwright

from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.platform.postgres import open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    NOW,
    images,
    import_orders,
    order,
    review_policy,
)
from support.browser import Site
from support.site import served

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture
async def site(database: str, seal: FileSeal) -> AsyncIterator[Site]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium: install Debian's package chromium")
        pytest.skip("no Chromium here (Debian's package chromium)")
    async with await open_pool(database, wait_s=5, on_wait=print) as pool, async_playwright() as playwright:
        async with pool.acquire() as conn:
            await import_orders(conn, seal, [order(confidentiality=["ADDRESS_WITHHELD"])])
        wall, read_now = [NOW], [NOW]
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=review_policy(),
            clock=lambda: read_now[0],
            wall_clock=lambda: wall[0],
            images=images,
            status=lambda: StreamStatus(last_read_s=4, readers_heard=37, readers_known=40),
        )
        app = create_app(settings, database)
        async with served(app) as server:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            opened = Site(server.base, pool, seal, app.state.outbox, browser, wall, read_now)
            yield opened
            await browser.close()
        assert opened.complaints == []
