"""The registry's API on one database, as several people use it, with a clock moved by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from stayaway.api.app import create_api
from stayaway.api.settings import ReviewSettings
from stayaway.kernel.instants import format_instant
from stayaway.matching.engine import Engine
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from stayaway.sightings.batch import decode_batch
from support.alert_seed import SeededAlert, read, review_policy, seed_alert
from support.lives import answers_to, draft_content, registry_policy
from support.whole_registry import load_registry

START = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
POLICY = review_policy()
TYPED = {"case_number": "F-2026-00117", "expiry": "2028-01-05"}
Json = dict[str, Any]


class Clock:
    """The server's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)  # no two acts at one instant
        return self.now


@dataclass
class Desk:
    """The API of one database, as several people use it."""

    http: httpx.AsyncClient
    pool: Pool
    seal: FileSeal
    clock: Clock
    keys: int = 0

    async def send(self, method: str, path: str, who: str, body: Json | None = None, **headers: str) -> Any:
        self.keys += 1
        sent = {"stayaway-actor": who, "idempotency-key": f"k{self.keys}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.http.request(method, f"/api/v1/{path}", json=body, headers=sent)

    async def get(self, path: str, who: str = "ann") -> Any:
        answer = await self.send("GET", path, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def draft(self, who: str = "ann", **changes: Any) -> Json:
        answer = await self.send("POST", "order-drafts", who, {"order": draft_content(**changes)})
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    async def statement(self, draft: Json, **given: str) -> Json:
        preview = await self.get(f"order-drafts/{draft['draft_number']}/preview")
        return {**TYPED, "answers": answers_to(preview["questions"], **given)}

    async def approve(self, draft: Json, who: str, **more: Any) -> httpx.Response:
        body = await self.statement(draft) | more
        path = f"order-drafts/{draft['draft_number']}/approval"
        answer: httpx.Response = await self.send("POST", path, who, body, if_match=draft["etag"])
        return answer

    async def in_force(self, **changes: Any) -> Json:
        """An approved order, noticed to R1."""
        draft = await self.draft(**changes)
        typed = {"expiry": changes["expires_at"]} if "expires_at" in changes else {}
        answer = await self.approve(draft, "bob", **typed)
        assert answer.status_code == 201, answer.text
        noticed = format_instant(self.clock.now)
        body = {"order_version": 1, "respondent_id": "R1", "kind": "PERSONAL", "noticed_at": noticed}
        told = await self.send("POST", "orders/O1/notices", "ann", body)
        assert told.status_code == 201, told.text
        found: Json = answer.json()
        return found

    async def outcome(self, at: datetime) -> list[str]:
        """The reasons with which a matcher on this registry would judge a read in the zone at `at`."""
        async with self.pool.acquire() as conn:
            snapshot = await load_registry(conn, self.seal)
        event = read(observed_at=format_instant(at), received_at=format_instant(at))
        batch = decode_batch([json.dumps(event).encode()], POLICY)
        decisions = Engine(snapshot, POLICY).judge(batch).decisions
        return (
            [reason for match in decisions[0].matches for reason in match.reasons] if decisions else ["NONE"]
        )

    async def open_alert(self, at: datetime, claimed_by: str | None = None) -> int:
        event = read(observed_at=format_instant(at), received_at=format_instant(at))
        async with self.pool.acquire() as conn:
            number = await seed_alert(conn, self.seal, SeededAlert(events=[event]))
        if claimed_by:
            assert (await self.send("POST", f"alerts/{number}/claim", claimed_by, {})).status_code == 200
        return number


@asynccontextmanager
async def opened_desk(database: str, seal: FileSeal, places: KnownPlaces = NO_PLACES) -> AsyncIterator[Desk]:
    """The API of `database`, its clock at START."""
    clock = Clock()
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=POLICY,
            registry_policy=registry_policy(),
            places=places,
            clock=clock,
            wall_clock=clock,
        )
        app = create_api(settings)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Desk(http, pool, seal, clock)
