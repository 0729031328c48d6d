"""The pages: list, one alert, its acts as plain forms (post, redirect, get), its images."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stayaway.alerts import review
from stayaway.alerts.review_model import (
    ActRefusedError,
    AlertView,
    Confirmation,
    Dismissal,
    ListName,
    ListQuery,
)
from stayaway.api.address import PLAIN_DIGITS
from stayaway.api.alerts import shown_image
from stayaway.api.session import Desk, Desks, ForeignFormError, clean_name, remember_name, remember_session
from stayaway.api.settings import ReviewSettings
from stayaway.console.present import Presenter
from stayaway.console.status import is_stale, read_status, status_words
from stayaway.kernel.errors import ConflictError, NotFoundError, StayawayError
from stayaway.platform.postgres import load_queries

_SQL = load_queries("stayaway.alerts", "review.sql")
_THEME_COOKIE = "stayaway_theme"
_YEAR_S = 365 * 86_400
_IMAGE_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

Number = Annotated[int, Path(ge=1, lt=2**63), PLAIN_DIGITS]
Token = Annotated[str, Form(max_length=128)]
Seen = Annotated[str, Form(max_length=16)]
Done = Annotated[Literal["claimed", "confirmed", "dismissed", "acknowledged"] | None, Query()]


class Pages:
    """The routes and what they share."""

    def __init__(self, settings: ReviewSettings, presenter: Presenter, desks: Desks) -> None:
        self._settings = settings
        self._presenter = presenter
        self._desks = desks
        self.router = APIRouter(include_in_schema=False)
        add = self.router.add_api_route
        add("/", self.home, methods=["GET"])
        add("/alerts", self.list_page, methods=["GET"])
        add("/alerts/{alert_number}", self.alert_page, methods=["GET"])
        add("/alerts/{alert_number}/images/{sha256}", self.image, methods=["GET"])
        add("/alerts/{alert_number}/claim", self.claim, methods=["POST"])
        add("/alerts/{alert_number}/acknowledge", self.acknowledge, methods=["POST"])
        add("/alerts/{alert_number}/confirm", self.confirm, methods=["POST"])
        add("/alerts/{alert_number}/dismiss", self.dismiss, methods=["POST"])
        add("/desk", self.set_name, methods=["POST"])
        add("/theme", self.set_theme, methods=["POST"])

    # ------------------------------------------------------------ the frame
    def frame_without_status(self, request: Request) -> dict[str, Any]:
        """What `base.html` needs, with nothing asked of the database."""
        theme = request.cookies.get(_THEME_COOKIE)
        return {
            "desk": self._desks.of(request),
            "theme": theme if theme in ("dark", "light") else "auto",
            "path": request.url.path,
            "status": None,
            "stale": False,
            "stale_after_s": self._settings.stale_after_s,
        }

    async def _frame(self, request: Request, desk: Desk) -> dict[str, Any]:
        status = await read_status(self._settings, self._settings.pool)
        return {
            **self.frame_without_status(request),
            "desk": desk,
            "status": status_words(status),
            "stale": is_stale(status, self._settings.stale_after_s),
        }

    def _page(self, template: str, context: dict[str, Any], status: int = 200) -> Response:
        response = HTMLResponse(self._presenter.page(template, context), status_code=status)
        remember_session(response, context["desk"])
        return response

    # ------------------------------------------------------------ looking
    async def home(self) -> Response:
        """The live list."""
        return RedirectResponse("/alerts", status_code=303)

    async def list_page(
        self,
        request: Request,
        list_name: Annotated[ListName, Query(alias="list")] = "live",
        before: Annotated[int | None, Query(ge=1, lt=2**63), PLAIN_DIGITS] = None,
    ) -> Response:
        """One list, newest first."""
        desk = self._desks.of(request)
        async with self._settings.pool.acquire() as conn:
            # Before the list: what changes in between comes twice rather than never.
            cursor = await conn.fetchval(_SQL.outbox_sequence)
            page = await review.list_alerts(
                conn,
                self._settings.seal,
                ListQuery(list_name=list_name, before=before),
                desk.reviewer,
                now=self._settings.wall_clock(),
            )
        context = {
            **await self._frame(request, desk),
            "path": f"/alerts?list={list_name}",
            "page": page,
            "list_name": list_name,
            "cursor": cursor,
            "rows": [self._presenter.row(row) for row in page.rows],
        }
        return self._page("list.html", context)

    async def alert_page(self, request: Request, alert_number: Number, done: Done = None) -> Response:
        """One alert: the words, what speaks against it, the evidence, the decision."""
        desk = self._desks.of(request)
        return await self._alert_page(request, desk, alert_number, done=done)

    async def _alert_page(
        self,
        request: Request,
        desk: Desk,
        alert_number: int,
        *,
        done: str | None = None,
        refused: StayawayError | None = None,
        typed: dict[str, Any] | None = None,
    ) -> Response:
        view, cursor = await self._load(alert_number, desk)
        problems = refused.problems if isinstance(refused, ActRefusedError) else ()
        context = {
            **await self._frame(request, desk),
            **self._presenter.alert_context(view),
            "path": f"/alerts/{alert_number}",  # also where a refused act is answered with the page
            "cursor": cursor,
            "done": done if done and self._is_done(view, desk, done) else None,
            "refused": refused,
            "problems": problems,
            "typed": {"sight": None, "second_look": False, "reason_code": "", **(typed or {})},
        }
        status = 200 if refused is None else 409 if isinstance(refused, ConflictError) else 422
        return self._page("alert.html", context, status)

    def _is_done(self, view: AlertView, desk: Desk, done: str) -> bool:
        """Whether that is the last thing that anybody did, from this desk, and holds still."""
        last = view.acts[-1] if view.acts else None
        is_last = last is not None and (last.act, last.actor) == (done.upper(), desk.name)
        holder = view.row.claim_holder(self._settings.wall_clock())
        return is_last and (done != "claimed" or holder == desk.name)

    async def _load(self, alert_number: int, desk: Desk, view: str = "page") -> tuple[AlertView, int]:
        async with self._settings.pool.acquire() as conn:
            cursor: int = await conn.fetchval(_SQL.outbox_sequence)
            loaded = await review.load_alert(
                conn,
                self._settings.seal,
                alert_number,
                desk.reviewer,
                policy=self._settings.policy,
                now=self._settings.wall_clock(),
                read_now=self._settings.clock(),
                view=view,
            )
        return loaded, cursor

    async def image(self, request: Request, alert_number: Number, sha256: str) -> Response:
        """The image of one of this alert's reads; the look is audited."""
        desk = self._desks.of(request)
        view, _ = await self._load(alert_number, desk, view="image")
        data = self._settings.images(sha256) if sha256 in view.image_sha256s else None
        media_type = next(
            (kind for magic, kind in _IMAGE_TYPES.items() if data and data.startswith(magic)), None
        )
        if data is None or media_type is None:
            raise NotFoundError("No image of this read is stored.")
        return Response(data, media_type=media_type)

    # ------------------------------------------------------------ acting
    async def claim(self, request: Request, alert_number: Number, csrf: Token = "") -> Response:
        """Take the alert for 90 s, or hold it for 90 s more."""
        return await self._plain_act(request, alert_number, csrf, review.claim, "claimed")

    async def acknowledge(self, request: Request, alert_number: Number, csrf: Token = "") -> Response:
        """Say that you know: the alert you held was withdrawn, or its order has ended."""
        return await self._plain_act(request, alert_number, csrf, review.acknowledge, "acknowledged")

    async def _plain_act(self, request: Request, number: int, csrf: str, act: Any, done: str) -> Response:
        """An act with nothing to state."""
        desk, settings = self._own_desk(request, csrf), self._settings
        try:
            async with settings.pool.acquire() as conn:
                await act(conn, settings.seal, number, desk.reviewer, now=settings.wall_clock())
        except ConflictError as refused:
            return await self._alert_page(request, desk, number, refused=refused)
        return _see(f"/alerts/{number}?done={done}")

    async def confirm(
        self,
        request: Request,
        alert_number: Number,
        csrf: Token = "",
        seen: Seen = "",
        sight: Annotated[Literal["IMAGE", "OFFICER_SIGHT"] | None, Form()] = None,
        second_look: Annotated[bool, Form()] = False,
    ) -> Response:
        """Record a verified lead."""
        desk = self._own_desk(request, csrf)
        view, _ = await self._load(alert_number, desk, view="confirm")
        confirmation = Confirmation(sight=sight, second_look=second_look, seen=seen)
        try:
            async with self._settings.pool.acquire() as conn:
                await review.confirm(
                    conn,
                    self._settings.seal,
                    alert_number,
                    confirmation,
                    desk.reviewer,
                    policy=self._settings.policy,
                    has_image=shown_image(self._settings, view) is not None,
                    now=self._settings.wall_clock(),
                )
        except ConflictError as refused:  # nothing stated before holds of what there is now
            return await self._alert_page(request, desk, alert_number, refused=refused)
        except ActRefusedError as refused:
            typed = {"sight": sight, "second_look": second_look}
            return await self._alert_page(request, desk, alert_number, refused=refused, typed=typed)
        return _see(f"/alerts/{alert_number}?done=confirmed")

    async def dismiss(
        self,
        request: Request,
        alert_number: Number,
        csrf: Token = "",
        seen: Seen = "",
        reason_code: Annotated[str, Form(max_length=32)] = "",
    ) -> Response:
        """Close it with a reason of the closed list."""
        desk = self._own_desk(request, csrf)
        try:
            async with self._settings.pool.acquire() as conn:
                await review.dismiss(
                    conn,
                    self._settings.seal,
                    alert_number,
                    Dismissal(reason_code=reason_code, seen=seen),
                    desk.reviewer,
                    now=self._settings.wall_clock(),
                )
        except ConflictError as refused:
            return await self._alert_page(request, desk, alert_number, refused=refused)
        except ActRefusedError as refused:
            typed = {"reason_code": reason_code}
            return await self._alert_page(request, desk, alert_number, refused=refused, typed=typed)
        return _see(f"/alerts/{alert_number}?done=dismissed")

    # ------------------------------------------------------------ the desk
    async def set_name(
        self,
        request: Request,
        csrf: Token = "",
        name: Annotated[str, Form(max_length=200)] = "",
        back: Annotated[str, Form(max_length=200)] = "/alerts",
    ) -> Response:
        """Remember who says they sit here; nothing is verified."""
        self._own_desk(request, csrf)
        response = _see(_own_path(back))
        cleaned = clean_name(name)
        if cleaned is not None:
            remember_name(response, cleaned)
        return response

    async def set_theme(
        self,
        request: Request,
        csrf: Token = "",
        theme: Annotated[Literal["auto", "dark", "light"], Form()] = "auto",
        back: Annotated[str, Form(max_length=200)] = "/alerts",
    ) -> Response:
        """Dark, light, or as the system says."""
        self._own_desk(request, csrf)
        response = _see(_own_path(back))
        response.set_cookie(_THEME_COOKIE, theme, max_age=_YEAR_S, httponly=True, samesite="strict")
        return response

    def _own_desk(self, request: Request, csrf: str) -> Desk:
        desk = self._desks.of(request)
        if not self._desks.is_ours(desk, csrf):
            raise ForeignFormError(
                "This form is not from this browser's page, or the server has restarted since.",
                "Go back, load the page again and repeat it; nothing was recorded.",
            )
        return desk


def _see(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def _own_path(path: str) -> str:
    """`path` if it is one of ours: no other host, no backslash that a browser would turn into one."""
    return path if path.startswith("/alerts") and "\\" not in path and "//" not in path else "/alerts"
