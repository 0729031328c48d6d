"""A TCP road to Postgres's unix socket that can be cut at a COMMIT, before it or before its reply."""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Literal

Cut = Literal["BEFORE", "REPLY"]
_COMMIT = b"COMMIT;"


class CommitCutter:
    """Listens on loopback; `arm` cuts the connection that sends the next COMMIT."""

    def __init__(self, unix_socket: Path) -> None:
        self._target = str(unix_socket)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._armed: Cut | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, cut: Cut) -> None:
        """The next COMMIT is cut."""
        self._armed = cut

    def close(self) -> None:
        """No new connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            client.close()
            return
        reply_cut = threading.Event()
        threading.Thread(target=self._answers, args=(server, client, reply_cut), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                cut = self._armed if _COMMIT in data else None
                if cut is not None:
                    self._armed = None
                    self.cuts += 1
                if cut == "BEFORE":
                    break
                if cut == "REPLY":
                    reply_cut.set()
                server.sendall(data)
        _shut(server)
        _shut(client)

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, reply_cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if reply_cut.is_set():
                    break  # it has committed; nobody is told
                client.sendall(data)
        _shut(client)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
