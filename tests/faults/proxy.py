"""A TCP proxy between matchers and Postgres that cuts a connection at a chosen moment of a commit.

It reads what the client says (PostgreSQL's frontend messages) and knows where a transaction ends:
COMMIT, or the single statement that moves positions when a batch left no rows. Cut after it, the
change is committed and its reply lost; cut before it, the server never hears of it.
"""

import asyncio
import contextlib
import struct
import threading
from collections import Counter
from pathlib import Path
from typing import Literal

Cut = Literal["commit_reply_cut", "move_reply_cut", "commit_cut_before"]
_READ = 1 << 16
_MOVE = b"UPDATE partition_position AS p"


class _Talk:
    """What one client has said so far: message by message, with what each means to us."""

    def __init__(self) -> None:
        self._rest = b""
        self._started = False
        self._moves: set[bytes] = set()
        self._moving = False
        self._in_transaction = False

    def split(self, data: bytes) -> list[tuple[bytes, str]]:
        """The whole messages now known; each "COMMIT", "MOVE" or ""."""
        self._rest += data
        found: list[tuple[bytes, str]] = []
        while True:
            head = 1 if self._started else 0
            if len(self._rest) < head + 4:
                return found
            length = head + struct.unpack_from("!I", self._rest, head)[0]
            if len(self._rest) < length:
                return found
            message, self._rest = self._rest[:length], self._rest[length:]
            found.append((message, self._meaning(message) if self._started else ""))
            self._started = True

    def _meaning(self, message: bytes) -> str:
        kind, body = message[:1], message[5:]
        if kind == b"Q":
            return self._simple(body)
        if kind == b"P":
            name, query = body.split(b"\0")[:2]
            if _MOVE in query:
                self._moves.add(name)
        elif kind == b"B":
            self._moving = body.split(b"\0")[1] in self._moves
        elif kind == b"S" and self._moving:
            self._moving = False
            return "" if self._in_transaction else "MOVE"
        return ""

    def _simple(self, body: bytes) -> str:
        if body.startswith(b"BEGIN"):
            self._in_transaction = True
        elif body.startswith((b"COMMIT", b"ROLLBACK")):
            self._in_transaction = False
        return "COMMIT" if body.startswith(b"COMMIT") else ""


class CuttingProxy:
    """Listens on a free port of loopback, in a thread of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._armed: list[Cut] = []
        self.fired: Counter[Cut] = Counter()
        self.port = 0
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def arm(self, cut: Cut) -> None:
        """The next commit (or move) of any client is cut so."""
        self._armed.append(cut)

    def disarm(self) -> None:
        """Cut nothing more."""
        self._armed.clear()

    def _take(self, meaning: str) -> Cut | None:
        for cut in self._armed:
            if meaning and cut.startswith(meaning.lower()):
                self._armed.remove(cut)
                return cut
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inside, outside = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.close()
            return
        cut: asyncio.Future[Cut] = self._loop.create_future()
        pumps = [
            asyncio.ensure_future(self._forth(reader, outside, cut)),
            asyncio.ensure_future(self._back(inside, writer, cut)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, outside):
                end.transport.abort()

    async def _forth(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, cut: "asyncio.Future[Cut]"
    ) -> None:
        talk = _Talk()
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ):
                for message, meaning in talk.split(data):
                    taken = self._take(meaning)
                    if taken == "commit_cut_before":
                        self.fired[taken] += 1
                        return
                    if taken is not None:
                        cut.set_result(taken)
                    server.write(message)
                await server.drain()
                if cut.done():
                    await asyncio.Event().wait()  # until the reply has come, and was thrown away

    async def _back(
        self, server: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: "asyncio.Future[Cut]"
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await server.read(_READ):
                if cut.done():
                    self.fired[cut.result()] += 1
                    return
                writer.write(data)
                await writer.drain()
