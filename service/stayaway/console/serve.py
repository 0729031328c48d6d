"""The page's server inside the running event loop, on the loopback only, stopped in seconds."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from stayaway.api.guard import check_bind
from stayaway.console.live import Outbox
from stayaway.platform.serving import LoopServer, listen

_GRACE_S = 2
"""Streams end by themselves when told to; whatever else hangs is cut after this."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. SettingsError for another host than 127.0.0.1, or a port in use."""
    check_bind(host)
    return listen("The review page", port)


async def serve(
    app: FastAPI,
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve until `stop` is set, then end within about 2 s. `on_listening` gets the page's address.

    No access log: request lines carry what people looked for.
    """
    listener = bind(host, port)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=32_768,
    )
    server = LoopServer(config)
    stopper = asyncio.create_task(_stop_when_told(app, server, stop))
    try:
        if on_listening is not None:
            on_listening(f"http://{host}:{listener.getsockname()[1]}/")
        await server.serve(sockets=[listener])
    finally:
        stopper.cancel()
        listener.close()


async def _stop_when_told(app: FastAPI, server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    outbox: Outbox = app.state.outbox
    await outbox.stop()
    server.should_exit = True
