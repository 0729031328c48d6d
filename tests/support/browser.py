"""A served page in a browser that complains of whatever a page should not do."""

from dataclasses import dataclass, field
from datetime import datetime

from playwright.async_api import Browser, Page

from stayaway.console.live import Outbox
from stayaway.platform.postgres import Pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    SeededAlert,
    seed_alert,
)


@dataclass
class Site:
    """A served page, its database, and its clock."""

    base: str
    pool: Pool
    seal: FileSeal
    outbox: Outbox
    browser: Browser
    wall: list[datetime]
    read_now: list[datetime]
    complaints: list[str] = field(default_factory=list)

    async def seed(self, alert: SeededAlert) -> int:
        async with self.pool.acquire() as conn:
            return await seed_alert(conn, self.seal, alert)

    async def open(
        self, path: str, *, javascript: bool = True, scheme: str = "dark", width: int = 1280
    ) -> Page:
        context = await self.browser.new_context(
            java_script_enabled=javascript,
            color_scheme="light" if scheme == "light" else "dark",
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note_request(request.url))
        await page.goto(self.base + path)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "GPU stall" not in text and "GroupMarker" not in text:
            self.complaints.append(text)

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.base, "data:")):
            self.complaints.append(f"asked elsewhere: {url}")
