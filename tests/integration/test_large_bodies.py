"""A body that is too large is answered in words, not with a connection cut while it is sent."""

import asyncio
import http.client
from contextlib import closing
from typing import cast

import uvicorn

from stayaway.api.app import create_api
from stayaway.api.settings import ReviewSettings
from stayaway.platform.serving import LoopServer, listen


def _post(port: int, size: int) -> tuple[int, bytes]:
    # As urllib does it: the server ends the connection with its answer.
    headers = {"content-type": "application/json", "stayaway-actor": "ann", "connection": "close"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", "/api/v1/order-drafts", body=b" " * size, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


async def test_a_body_of_20_mb_is_refused_in_words() -> None:
    app = create_api(cast("ReviewSettings", None))
    listener = listen("The API", 0)
    server = LoopServer(uvicorn.Config(app, access_log=False, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        for _ in range(3):
            status, body = await asyncio.to_thread(_post, listener.getsockname()[1], 20_000_000)
            assert (status, b"At most 4194304 bytes" in body) == (413, True)
    finally:
        server.should_exit = True
        await serving
        listener.close()
