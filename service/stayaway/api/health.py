"""/health/live and /health/ready of the web process, for whatever supervises it."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from stayaway.api.settings import ReviewSettings
from stayaway.platform.migrations import SchemaError, check_schema
from stayaway.platform.postgres import UNREACHABLE

_PROBE_S = 2.0
NotReady = Callable[[], tuple[str, str] | None]
"""Code and detail of what keeps a part of the process from serving, None where nothing does."""


def health_router(settings: ReviewSettings, also_not_ready: NotReady | None = None) -> APIRouter:
    """The two routes; they are no part of the JSON interface."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "live", "reasons": []})

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        reason = await _not_ready(settings) or (also_not_ready and also_not_ready())
        if reason is None:
            return JSONResponse({"status": "ready", "reasons": []})
        code, detail = reason
        body = {"status": "not ready", "reasons": [{"code": code, "detail": detail}]}
        return JSONResponse(body, status_code=503)

    return router


async def _not_ready(settings: ReviewSettings) -> tuple[str, str] | None:
    try:
        async with asyncio.timeout(_PROBE_S), settings.pool.acquire() as conn:
            await check_schema(conn)
    except SchemaError:
        return "SCHEMA_DIFFERS", "The database's tables are not this version's: run stayaway migrate."
    except UNREACHABLE:
        return "DATABASE_UNREACHABLE", "Postgres does not answer."
    return None
