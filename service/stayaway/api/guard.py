"""What stands before every request: this machine only, no foreign page, no inline code.

Until sign-in exists the server listens on 127.0.0.1 alone. A Host header of another name is
refused, or a page of somebody's web site could reach us by DNS rebinding.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stayaway.kernel.errors import SettingsError
from stayaway.orders.zonefiles.limits import MAX_UPLOAD_BYTES

LOOPBACK: Final = "127.0.0.1"
_HOSTS: Final = frozenset({LOOPBACK, "localhost"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_DECIDING: Final = (
    "Host", "Origin", "Sec-Fetch-Site", "Content-Type", "Stayaway-Actor", "If-Match", "Idempotency-Key"
)  # fmt: skip
"""What decides whether and for whom something is done: two readers could take two of one name differently."""
MAX_BODY_BYTES: Final = 16_384
"""Our largest form but a draft is under 1 kB."""
DRAFTS_PATH: Final = "/api/v1/order-drafts"
MAX_DRAFT_BYTES: Final = 4 << 20
"""A draft of an order: some 150,000 vertices."""
UPLOAD_PATH: Final = "/api/v1/zone-files"
MAX_UPLOAD_BODY_BYTES: Final = MAX_UPLOAD_BYTES + 65_536
"""A zone file and the form around it; this one path takes it."""
MAX_DRAINED_BYTES: Final = 64 << 20
"""Of a refused body: read and thrown away, so that whoever sends it hears why."""
_DRAIN_S: Final = 5.0

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "worker-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "font-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # no-referrer would make browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def check_bind(host: str) -> None:
    """SettingsError unless the page stays on this machine."""
    if host != LOOPBACK:
        raise SettingsError(
            f"The review page cannot listen on {host!r}: nobody signs in yet, so it serves {LOOPBACK} only.",
            f"Leave the address out, or say {LOOPBACK}; reach it from afar through an SSH tunnel.",
        )


class Guard:
    """ASGI middleware: checks the request, adds the headers, answers failures without their text.

    `on_failure` is told the type of an unforeseen error, never its words: they may hold values.
    """

    def __init__(self, app: ASGIApp, on_failure: Callable[[BaseException], None]) -> None:
        self._app = app
        self._on_failure = on_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        headers = Headers(scope=scope)
        refusal = refuse(scope["method"], scope["path"], headers)
        if refusal is not None:
            if "expect" not in headers:  # else it waits for our yes and has sent nothing yet
                await _drain(receive)
            await _answer(send_guarded, *refusal)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001 - the last stop: told by type, answered without detail
            self._on_failure(error)
            if not started:
                await _answer(
                    send_guarded,
                    500,
                    "This failed inside the server. Load the page again to see what stands.",
                )


def refuse(method: str, path: str, headers: Headers) -> tuple[int, str] | None:
    """Status and words where a request is not to be served, else None."""
    host = headers.get("host", "").rsplit(":", 1)[0]
    if host not in _HOSTS:
        return 421, f"This server answers to {LOOPBACK} and localhost only."
    if method not in _SAFE_METHODS | {"POST"} and not (method == "PUT" and path.startswith(DRAFTS_PATH)):
        return 405, "Only GET, HEAD and POST are served, and PUT where a draft is replaced."
    for name in _DECIDING:
        if len(headers.getlist(name)) > 1:
            return 400, f"The header {name} stands here more than once: which of them is meant?"
    site = headers.get("sec-fetch-site")
    if method in _SAFE_METHODS:
        # A link or an address typed in is fine; a foreign page that loads ours as a part is not.
        foreign = site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"
        return (403, "Another site's page may not read this.") if foreign else None
    return _refuse_act(path, site, headers)


def _refuse_act(path: str, site: str | None, headers: Headers) -> tuple[int, str] | None:
    if site not in (None, "same-origin"):
        return 403, "Only this server's own pages may act."
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers.get('host')}":
        return 403, "Only this server's own pages may act."
    length = headers.get("content-length", "")
    # A server reads chunks past any length that stands beside them (RFC 9112, section 6.3).
    if not length.isdigit() or "transfer-encoding" in headers:
        return 411, "State the length of what you send."
    most = _most_bytes(path)
    if int(length) > most:
        return 413, f"At most {most} bytes can be sent."
    return _refuse_type(path, headers)


def _most_bytes(path: str) -> int:
    if path == UPLOAD_PATH:
        return MAX_UPLOAD_BODY_BYTES
    return MAX_DRAFT_BYTES if path.startswith(DRAFTS_PATH) else MAX_BODY_BYTES


def _refuse_type(path: str, headers: Headers) -> tuple[int, str] | None:
    # A foreign form can send any of its three types without asking first, but no header of its own.
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if path == UPLOAD_PATH:
        if media_type != "multipart/form-data" or "stayaway-actor" not in headers:
            return 415, "Send multipart/form-data with the header Stayaway-Actor."
    elif path.startswith("/api/") and media_type != "application/json":
        return 415, "Send application/json."
    return None


async def _drain(receive: Receive) -> None:
    """Take in what is being sent, within limits: with `Connection: close` it ends with our answer, and a
    client that is still sending then sees a reset and never our words.
    """
    left = MAX_DRAINED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if not path.startswith("/static/"):
        headers["cache-control"] = "no-store"


async def _answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"type": "about:blank", "title": words, "status": status}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
