"""Every JSON body that the API takes is read strictly: each name once, and nothing but RFC 8259."""

from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest

from stayaway.api.app import create_api
from stayaway.api.settings import ReviewSettings
from stayaway.schemas import openapi_document

HEADERS = {"stayaway-actor": "ann", "idempotency-key": "k", "content-type": "application/json"}
ROUTES = [
    (method, path)
    for path, methods in openapi_document()["paths"].items()
    for method, operation in methods.items()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # A body that is refused needs neither database nor keys.
    app = create_api(cast("ReviewSettings", None))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HEADERS) as found:
        yield found


def address(path: str) -> str:
    return path.replace("{order_id}", "O1").replace("{version}", "1").replace("{", "").replace("}", "")


def test_there_are_bodies_of_every_kind() -> None:
    assert {path.split("/")[3] for _, path in ROUTES} == {"alerts", "orders", "order-drafts"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_name_given_twice_is_refused_with_its_place(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    """Whatever the form; the place is told, never what stands there."""
    where = address(path).replace("alert_number", "1").replace("draft_number", "1")
    for body, pointer in (
        (
            b'{"order":{"zones":[{"distance_value":7531,"distance_value":1}]}}',
            "/order/zones/0/distance_value",
        ),
        (b'{"reason_code":"7531","reason\\u005fcode":"2"}', "/reason_code"),
    ):
        answer = await http.request(method, where, content=body)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = answer.json()
        assert [item["pointer"] for item in problem["problems"]] == [pointer]
        assert "Write each name once." in problem["problems"][0]["detail"]
        assert "7531" not in answer.text


@pytest.mark.parametrize(
    "body", [b'{"order":{"a":NaN,"a":1}}', b'{"order":{"a":"\\ud800","a":1}}', b"{", b"\xff", b'{"a":' * 600]
)
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_what_is_no_json_is_refused(
    http: httpx.AsyncClient, method: str, path: str, body: bytes
) -> None:
    """Also where the last value under a name would hide it."""
    where = address(path).replace("alert_number", "1").replace("draft_number", "1")
    answer = await http.request(method, where, content=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:stayaway:problem:bad-request")
