"""The page's server inside the running event loop, on the loopback only, stopped in seconds."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from stayaway.api.guard import check_bind
from stayaway.console.live import Outbox
from stayaway.kernel.errors import SettingsError

_GRACE_S = 2
"""Streams end by themselves when told to; whatever else hangs is cut after this."""


class _Server(uvicorn.Server):
    """Signals belong to whoever runs the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. SettingsError for another host than 127.0.0.1, or a port in use."""
    check_bind(host)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"The review page cannot listen on {host}:{port} ({error.strerror}).",
            "Choose another port; 0 takes a free one.",
        ) from error
    return listener


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
    server = _Server(config)
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
