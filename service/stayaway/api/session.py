"""Who sits at the browser, as they say themselves, and the token that proves a form is ours.

There is no sign-in yet: the session only tells browsers apart. Names are recorded with
actor_verified=false.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from stayaway.access.person import Person
from stayaway.alerts.review_model import Reviewer
from stayaway.kernel.errors import RefusedError, StayawayError

SESSION_COOKIE: Final = "stayaway_session"
NAME_COOKIE: Final = "stayaway_desk"
_SESSION = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_SHIFT_S = 16 * 3600


class ForeignFormError(StayawayError):
    """A form without the token of this browser and process: not acted on."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One browser. `name`: as typed, or made up from the session; `is_new`: its cookie must be set."""

    session: str
    name: str
    csrf_token: str
    is_new: bool

    @property
    def reviewer(self) -> Reviewer:
        """Whoever sits here, as looks and acts are recorded."""
        return Reviewer(name=self.name, channel="web")


class Desks:
    """Recognises browsers; the key lives as long as the process, so old forms end with it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, request: Request) -> Desk:
        """The desk that `request` comes from; a new one where it has no session."""
        session = request.cookies.get(SESSION_COOKIE, "")
        is_new = _SESSION.fullmatch(session) is None
        if is_new:
            session = secrets.token_urlsafe(32)
        name = clean_name(unquote(request.cookies.get(NAME_COOKIE, "")))
        if name is None:
            # Two browsers that nobody named still must not share a claim.
            name = f"desk {hashlib.sha256(session.encode()).hexdigest()[:4]}"
        return Desk(session, name, self._token(session), is_new)

    def is_ours(self, desk: Desk, token: str) -> bool:
        """Whether `token` was given to this browser by this process."""
        return not desk.is_new and hmac.compare_digest(token.encode(), desk.csrf_token.encode())

    def _token(self, session: str) -> str:
        return hmac.new(self._key, b"csrf\0" + session.encode(), hashlib.sha256).hexdigest()


def clean_name(text: str) -> str | None:
    """A name fit to be recorded, tidied; None where there is none."""
    try:
        return Person.of(text, "web").name
    except RefusedError:
        return None


def remember_session(response: Response, desk: Desk) -> None:
    """Set the session's cookie. Not Secure: this is plain HTTP on the loopback until sign-in exists."""
    if desk.is_new:
        response.set_cookie(SESSION_COOKIE, desk.session, max_age=_SHIFT_S, httponly=True, samesite="strict")


def remember_name(response: Response, name: str) -> None:
    """Set the name's cookie for a shift."""
    response.set_cookie(NAME_COOKIE, quote(name), max_age=_SHIFT_S, httponly=True, samesite="strict")
