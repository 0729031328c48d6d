"""`create_app`: the review pages, their live stream and the JSON interface in one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path

import asyncpg
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from stayaway.api.app import create_api
from stayaway.api.problems import Problem
from stayaway.api.session import Desks
from stayaway.api.settings import ReviewSettings
from stayaway.console.live import Facts, Outbox
from stayaway.console.pages import Pages
from stayaway.console.present import Presenter
from stayaway.console.status import tick_facts
from stayaway.console.streams import Streams
from stayaway.platform.postgres import Connection, connect


def static_folder() -> Path:
    """Where scripts, styles and what others wrote lie."""
    return Path(str(files("stayaway.console") / "static"))


def create_app(settings: ReviewSettings, dsn: str) -> FastAPI:
    """The application. Serve it with `stayaway.console.serve.serve`: it listens on 127.0.0.1 only.

    `dsn`: the database of the pool, for the live stream's own connection.
    """

    async def open_connection() -> asyncpg.Connection:
        return await connect(dsn, wait_s=0, on_wait=lambda _: None, application="stayaway live")

    async def facts(conn: Connection) -> Facts:
        return await tick_facts(settings, conn)

    outbox = Outbox(open_connection, facts)
    presenter = Presenter(settings)
    desks = Desks()
    pages = Pages(settings, presenter, desks)
    streams = Streams(settings, outbox, presenter, desks)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        follower = asyncio.create_task(outbox.run())
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower

    def page_of_problem(request: Request, problem: Problem) -> Response:
        frame = pages.frame_without_status(request)
        html = presenter.page("problem.html", {**frame, "problem": problem})
        return HTMLResponse(html, status_code=problem.status)

    def not_following() -> tuple[str, str] | None:
        if outbox.is_old:
            return "LIVE_STREAM_STOPPED", "The live stream has not seen the database for some seconds."
        return None

    app = create_api(
        settings, page_of_problem=page_of_problem, lifespan=lifespan, also_not_ready=not_following
    )
    app.state.outbox = outbox
    app.include_router(streams.router)  # before /alerts/{number}
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=static_folder()), name="static")
    return app
