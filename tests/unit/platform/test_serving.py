"""The server's listening socket."""

import asyncio
import socket

from stayaway.platform.serving import LOOPBACK, listen


async def test_an_answer_is_sent_at_once() -> None:
    """Without Nagle's algorithm, which lets a short answer wait for the client's delayed acknowledgement."""
    listener = listen("The test", 0)
    without: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = writer.get_extra_info("socket")
        without.set_result(theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection(LOOPBACK, listener.getsockname()[1])
        assert await without
        writer.close()
