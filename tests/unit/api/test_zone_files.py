"""Uploads of zone files: counted while they arrive, read apart, answered in words."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any, cast

import httpx
import pytest
import uvicorn
from starlette.datastructures import Headers

from stayaway.api.app import create_api
from stayaway.api.guard import MAX_UPLOAD_BODY_BYTES, UPLOAD_PATH, refuse
from stayaway.api.settings import ReviewSettings
from stayaway.orders.zonefiles import upload
from stayaway.orders.zonefiles.children import ChildFailedError
from stayaway.orders.zonefiles.limits import MAX_UPLOAD_BYTES
from stayaway.orders.zonefiles.wire import ZoneFileReportForm
from support.zone_files import bowtie, geodanet, geojson, polygon, shapefile_parts, square, zipped

ACTOR = {"Stayaway-Actor": "clerk"}


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient, None]:
    # The route needs neither database nor keys.
    app = create_api(cast("ReviewSettings", None))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=ACTOR) as found:
        yield found


async def _post(client: httpx.AsyncClient, data: bytes, name: str = "zones.geojson", **fields: Any) -> Any:
    return await client.post(UPLOAD_PATH, files={"file": (name, data)}, data=fields, timeout=120)


async def test_an_upload_is_answered_with_the_report(client: httpx.AsyncClient) -> None:
    """The same report as the command's, in its form."""
    answer = await _post(client, geojson(polygon(square()), polygon(bowtie()), names=["Alpha School"]))
    assert answer.status_code == 200
    report = ZoneFileReportForm.model_validate(answer.json())
    assert [candidate.is_usable for candidate in report.candidates] == [True, False]
    assert report.candidates[0].name == "Alpha School"
    assert report.candidates[1].repair is not None


async def test_a_yes_to_a_repair_and_a_distance_come_with_the_form(client: httpx.AsyncClient) -> None:
    """As fields beside the file."""
    data = geojson(polygon(bowtie()), {"type": "Point", "coordinates": [-111.9, 33.4]})
    answer = await _post(client, data, accept_repair=["1"], distance_value="100", distance_unit="YD")
    report = ZoneFileReportForm.model_validate(answer.json())
    assert report.usable == 2
    assert report.candidates[1].distance_unit == "YD"


async def test_a_shapefile_goes_through_both_processes(client: httpx.AsyncClient) -> None:
    """The reader's own child reads it."""
    answer = await _post(client, geodanet("schools"), "schools.zip", distance_value="100", distance_unit="FT")
    assert ZoneFileReportForm.model_validate(answer.json()).usable == 8


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 422, "empty"),
        (b"%PDF-1.7", 422, "a PDF"),
        (zipped({"../x.shp": b"x"}), 422, "`..`"),
        (zipped({"zones.kml": bytes(30 * 1024 * 1024)}), 413, "zip bomb"),
        (zipped({k: v for k, v in shapefile_parts([square()]).items() if "prj" not in k}), 422, "no .prj"),
    ],
)
async def test_a_file_that_cannot_be_read_is_a_problem_in_words(
    client: httpx.AsyncClient, data: bytes, status: int, words: str
) -> None:
    """RFC 9457, with a remedy, and nothing of the file in it."""
    answer = await _post(client, data)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert words in problem["detail"]
    assert problem["remedy"]
    assert problem["type"].startswith("urn:stayaway:problem:")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"accept_repair": "0"}, "/accept_repair"),
        ({"accept_repair": "one"}, "/accept_repair"),
        ({"accept_repair": "99999999999"}, "/accept_repair"),
        ({"distance_value": "100"}, "/distance_unit"),
        ({"distance_unit": "YD"}, "/distance_value"),
        ({"distance_value": "1e9", "distance_unit": "YD"}, "/distance_value"),
        ({"distance_value": "999999999", "distance_unit": "YD"}, "/distance_value"),
    ],
)
async def test_a_bad_field_is_named(client: httpx.AsyncClient, fields: dict[str, str], pointer: str) -> None:
    """Before anything is read."""
    answer = await _post(client, geojson(polygon(square())), **fields)
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["problems"]] == [pointer]


async def test_a_form_without_a_file_or_with_two_is_refused(client: httpx.AsyncClient) -> None:
    """In words."""
    answer = await client.post(UPLOAD_PATH, files={"other": ("a", b"x")})
    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (422, "/file")
    two = [("file", ("a", b"x")), ("file", ("b", b"y"))]
    assert (await client.post(UPLOAD_PATH, files=two)).status_code == 422
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post(UPLOAD_PATH, content=b"no form", headers=broken)).status_code == 422


async def test_a_body_that_grows_beyond_the_limit_is_cut_off_while_it_arrives() -> None:
    """However short it said it was: of 500 MB only the limit's worth is ever taken."""
    app = create_api(cast("ReviewSettings", None))
    boundary = b"--x\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n"
    chunk = bytes(1024 * 1024)
    taken = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        body = boundary if taken == 0 else chunk
        taken += len(body)
        return {"type": "http.request", "body": body, "more_body": taken < 500 * len(chunk)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"host", b"127.0.0.1"),
        (b"content-length", b"1000"),
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"stayaway-actor", b"clerk"),
    ]
    scope = {"type": "http", "method": "POST", "path": UPLOAD_PATH, "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert taken <= MAX_UPLOAD_BODY_BYTES + 2 * len(chunk)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, None),
        ({"content-length": str(MAX_UPLOAD_BODY_BYTES + 1)}, 413),
        ({"content-length": str(500 * 1024 * 1024)}, 413),
        ({"content-type": "application/json"}, 415),
        ({"stayaway-actor": None}, 415),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"content-length": None}, 411),
    ],
)
def test_the_guard_lets_only_our_own_uploads_pass(changed: dict[str, str | None], status: int | None) -> None:
    """A foreign form can send multipart, but not our header."""
    given = {
        "host": "127.0.0.1:1",
        "content-length": str(MAX_UPLOAD_BYTES),
        "content-type": "multipart/form-data; boundary=x",
        "stayaway-actor": "clerk",
        **changed,
    }
    headers = Headers({name: value for name, value in given.items() if value is not None})
    refusal = refuse("POST", UPLOAD_PATH, headers)
    assert (refusal[0] if refusal else None) == status
    assert refuse("POST", "/api/v1/alerts/1/claim", headers) is not None


async def test_a_reader_that_dies_is_told_in_words(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory, out of time: the server goes on."""

    def dying(*_: object, **__: object) -> bytes:
        raise ChildFailedError("DIED")

    monkeypatch.setattr(upload, "run_child", dying)
    answer = await _post(client, geojson(polygon(square())))
    assert answer.status_code == 422
    assert "stopped its reader" in answer.json()["detail"]


# ---------------------------------------------------------------- a real server


@pytest.fixture
def server() -> Iterator[str]:
    app = create_api(cast("ReviewSettings", None))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        running.should_exit = True
        thread.join()


def test_500_mb_are_refused_by_a_real_server_before_they_are_sent(server: str) -> None:
    """By the length that the upload states; the client never has to build it."""
    host, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = (
            f"POST {UPLOAD_PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nStayaway-Actor: clerk\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {500 * 1024 * 1024}\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(4096)


async def test_the_loop_goes_on_while_a_large_file_is_read(client: httpx.AsyncClient) -> None:
    """Other requests do not wait for somebody's 100,000 vertices."""
    step = 0.01 / 100_000
    ring = [[-111.93 + index * step, 33.42] for index in range(100_000)] + [
        [-111.93, 33.43],
        [-111.93, 33.42],
    ]
    reading = asyncio.create_task(_post(client, geojson(polygon(ring))))
    longest = 0.0
    turns = 0
    while not reading.done():
        began_s = time.thread_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.thread_time() - began_s)
        turns += 1
    answer = await reading
    assert answer.json()["usable"] == 1
    assert turns > 50
    # The reading takes over a second of processor time; how long a turn waits for others says nothing here.
    assert longest < 0.5
