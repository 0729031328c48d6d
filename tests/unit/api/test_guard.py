"""Before every request: this machine, our own pages, forms of a known size."""

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from stayaway.api.app import tell_failure
from stayaway.api.guard import MAX_BODY_BYTES, MAX_DRAFT_BYTES, MAX_DRAINED_BYTES, Guard, check_bind, refuse
from stayaway.kernel.errors import SettingsError
from stayaway.platform.logging import configure_logging

OURS = {"host": "127.0.0.1:8080"}
FORM = {**OURS, "content-length": "20", "content-type": "application/x-www-form-urlencoded"}


def _status(method: str, path: str, headers: dict[str, str]) -> int | None:
    refusal = refuse(method, path, Headers(headers))
    return refusal[0] if refusal else None


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "::1", "localhost", "192.168.1.4", "example.org"])  # noqa: S104
def test_only_the_loopback_is_bound(host: str) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1"):
        check_bind(host)


def test_the_loopback_is_bound() -> None:
    check_bind("127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1"])
def test_our_own_names_are_served(host: str) -> None:
    assert _status("GET", "/alerts", {"host": host}) is None


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::1]:80", "2130706433"])
def test_another_host_name_is_refused_so_dns_rebinding_ends_here(host: str) -> None:
    assert _status("GET", "/alerts", {"host": host}) == 421


def test_a_foreign_page_may_link_to_us_but_not_read_us() -> None:
    foreign = {**OURS, "sec-fetch-site": "cross-site"}
    assert _status("GET", "/alerts", {**foreign, "sec-fetch-mode": "navigate"}) is None
    assert _status("GET", "/alerts", {**foreign, "sec-fetch-mode": "no-cors"}) == 403
    assert _status("GET", "/alerts", {**OURS, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_only_our_own_pages_act(site: str) -> None:
    assert _status("POST", "/alerts/1/claim", {**FORM, "sec-fetch-site": site}) == 403


def test_a_foreign_origin_does_not_act() -> None:
    assert _status("POST", "/alerts/1/claim", {**FORM, "origin": "http://evil.example"}) == 403
    assert _status("POST", "/alerts/1/claim", {**FORM, "origin": "null"}) == 403
    assert _status("POST", "/alerts/1/claim", {**FORM, "origin": "http://127.0.0.1:8080"}) is None


def test_forms_are_bounded() -> None:
    assert _status("POST", "/alerts/1/claim", {**FORM, "content-length": str(MAX_BODY_BYTES + 1)}) == 413
    assert _status("POST", "/alerts/1/claim", OURS) == 411
    assert _status("POST", "/alerts/1/claim", {**FORM, "content-length": "-1"}) == 411


def test_chunks_are_not_read_past_a_stated_length() -> None:
    """A server reads them whatever length stands beside them."""
    assert _status("POST", "/alerts/1/claim", {**FORM, "transfer-encoding": "chunked"}) == 411


@pytest.mark.parametrize("name", ["stayaway-actor", "if-match", "idempotency-key", "content-type", "origin"])
def test_what_decides_stands_once(name: str) -> None:
    given = [(key.encode(), value.encode()) for key, value in FORM.items() if key != name]
    raw = [*given, (name.encode(), b"one"), (name.encode(), b"other")]
    refusal = refuse("POST", "/alerts/1/claim", Headers(raw=raw))
    assert refusal is not None
    assert refusal[0] == 400
    assert name in refusal[1].lower()


def test_a_media_type_is_the_same_in_capitals() -> None:
    json_form = {**FORM, "content-type": "Application/JSON; charset=utf-8"}
    assert _status("POST", "/api/v1/alerts/1/claim", json_form) is None


def test_the_api_takes_json_only_so_that_no_foreign_form_reaches_it() -> None:
    assert _status("POST", "/api/v1/alerts/1/claim", FORM) == 415
    assert _status("POST", "/api/v1/alerts/1/claim", {**FORM, "content-type": "application/json"}) is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_not_served(method: str) -> None:
    assert _status(method, "/alerts", OURS) == 405


def test_only_a_draft_is_replaced_and_only_a_draft_may_be_large() -> None:
    draft, sent = "/api/v1/order-drafts/1", {**FORM, "content-type": "application/json"}
    large = sent | {"content-length": str(MAX_BODY_BYTES + 1)}
    assert _status("PUT", draft, sent) is None
    assert _status("PUT", draft, large) is None
    assert _status("PUT", draft, sent | {"content-length": str(MAX_DRAFT_BYTES + 1)}) == 413
    assert _status("PUT", draft, {**sent, "sec-fetch-site": "cross-site"}) == 403
    assert _status("PUT", "/api/v1/orders/O1", sent) == 405
    assert _status("POST", "/api/v1/orders/O1/recalls", large) == 413
    assert _status("DELETE", draft, sent) == 405


@pytest.mark.parametrize(
    ("chunks", "waits", "taken"),
    [(3, False, 3), (10_000, False, MAX_DRAINED_BYTES >> 20), (3, True, 0)],
    ids=["all of it", "no more than the limit", "nothing where it waits for our yes"],
)
async def test_a_refused_body_is_taken_in_within_limits_so_that_the_words_are_heard(
    chunks: int, waits: bool, taken: int
) -> None:
    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    sent: list[Message] = []
    received = 0

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": bytes(1 << 20), "more_body": received < chunks}

    headers = {**FORM, "content-length": str(chunks << 20)} | ({"expect": "100-continue"} if waits else {})
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/alerts/1/claim", "headers": raw}
    await Guard(never, tell_failure)(scope, receive, send)
    assert (sent[0]["status"], received) == (413, taken)


async def test_an_unforeseen_failure_is_told_by_type_and_answered_without_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise KeyError("8AK871")

    configure_logging()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/alerts", "headers": [(b"host", b"127.0.0.1")]}
    await Guard(failing, tell_failure)(scope, receive, send)
    assert sent[0]["status"] == 500
    said = capsys.readouterr()
    assert "KeyError" in said.err + said.out
    assert "8AK871" not in said.err + said.out + str(sent)
