"""An HTTP server inside the running event loop, on this machine's loopback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from stayaway.kernel.errors import SettingsError

LOOPBACK = "127.0.0.1"


class LoopServer(uvicorn.Server):
    """Signals belong to whoever runs the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


def listen(what: str, port: int) -> socket.socket:
    """A listening socket on the loopback; 0 takes a free port. SettingsError for a port in use."""
    # The protocol by name: without it asyncio leaves Nagle's algorithm on for every connection, and a short
    # answer waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"{what} cannot listen on {LOOPBACK}:{port} ({error.strerror}).",
            "Choose another port; 0 takes a free one.",
        ) from error
    return listener
