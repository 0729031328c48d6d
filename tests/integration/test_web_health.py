"""Health of the web process: alive is one thing, able to serve another."""

from collections.abc import AsyncIterator

import httpx
import pytest

from stayaway.api.app import create_api
from stayaway.api.settings import ReviewSettings
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.tampering import tamper
from support.wire_examples import example_policy


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        yield pool


async def test_it_is_ready_only_with_its_own_tables(pool: Pool, seal: FileSeal) -> None:
    app = create_api(ReviewSettings(pool=pool, seal=seal, policy=example_policy()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path, status in (("/health/live", "live"), ("/health/ready", "ready")):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": status, "reasons": []})
        async with pool.acquire() as conn:
            await tamper(conn, "UPDATE schema_migration SET sha256 = repeat('0', 64)")
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (503, "SCHEMA_DIFFERS")
        await pool.close()
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (503, "DATABASE_UNREACHABLE")
        assert (await client.get("/health/live")).status_code == 200
