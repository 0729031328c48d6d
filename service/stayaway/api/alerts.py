"""/api/v1/alerts: list, show, claim, confirm, dismiss.

Nobody signs in yet: who acts is what the header `Stayaway-Actor` says, recorded as not verified.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from stayaway.access.person import Person
from stayaway.alerts import review
from stayaway.alerts.review_model import AlertView, ListName, ListQuery, Reviewer
from stayaway.api.address import PLAIN_DIGITS
from stayaway.api.forms import (
    AcknowledgeForm,
    AlertDetail,
    AlertItem,
    AlertList,
    ClaimForm,
    ConfirmForm,
    DismissForm,
)
from stayaway.api.problems import Problem
from stayaway.api.route import StrictRoute
from stayaway.api.settings import ReviewSettings
from stayaway.kernel.errors import RefusedError

Number = Annotated[int, Path(ge=1, lt=2**63, description="The alert's number."), PLAIN_DIGITS]


def _person(actor: str) -> str:
    """The name in the header, decoded and tidied. PydanticCustomError where it is none."""
    try:
        return Person.of(unquote(actor), "web").name
    except RefusedError as error:
        raise PydanticCustomError("actor", "{words}", {"words": error.message}) from None


ActorName = Annotated[
    str,
    Header(
        alias="Stayaway-Actor",
        min_length=1,
        max_length=1_024,  # 64 characters of any script
        pattern=r"^[ -~]+$",
        description="Who acts; UTF-8, percent-encoded.",
    ),
    AfterValidator(_person),  # behind the header's own form, which is of what is sent
]


def shown_image(settings: ReviewSettings, view: AlertView) -> str | None:
    """The digest of the image beside the plate: of that very read, where one is stored."""
    sha256 = view.best_plate.read.image_sha256 if view.best_plate else None
    return sha256 if sha256 and settings.images(sha256) is not None else None


def alerts_router(settings: ReviewSettings) -> APIRouter:
    """The routes, on these settings."""
    router = APIRouter(
        route_class=StrictRoute,
        prefix="/api/v1/alerts",
        tags=["alerts"],
        responses={code: {"model": Problem} for code in (404, 409, 422, 503)},
    )
    _add_looks(router, settings)
    _add_acts(router, settings)
    return router


def _reviewer(actor: str) -> Reviewer:
    return Reviewer(name=actor, channel="web")


async def _load(settings: ReviewSettings, number: int, actor: str) -> AlertView:
    async with settings.pool.acquire() as conn:
        return await review.load_alert(
            conn,
            settings.seal,
            number,
            _reviewer(actor),
            policy=settings.policy,
            now=settings.wall_clock(),
            read_now=settings.clock(),
            view="api",
        )


def _add_looks(router: APIRouter, settings: ReviewSettings) -> None:
    @router.get("")
    async def list_alerts(
        list_name: Annotated[ListName, Query(alias="list")] = "live",
        before: Annotated[int | None, Query(ge=1, lt=2**63), PLAIN_DIGITS] = None,
        limit: Annotated[int, Query(ge=1, le=500), PLAIN_DIGITS] = 50,
        actor: ActorName = "unnamed",
    ) -> AlertList:
        """A page of a list: live, historical, ended or closed. The look is audited."""
        query = ListQuery(list_name=list_name, before=before, limit=limit)
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            page = await review.list_alerts(conn, settings.seal, query, _reviewer(actor), now=now, view="api")
        following = f"/api/v1/alerts?list={list_name}&before={page.next_before}&limit={limit}"
        return AlertList(
            alerts=[AlertItem.of(row, now) for row in page.rows],
            open_counts={str(name): count for name, count in page.open_counts.items()},
            next=following if page.next_before is not None else None,
        )

    @router.get("/{alert_number}")
    async def show_alert(alert_number: Number, actor: ActorName = "unnamed") -> AlertDetail:
        """One alert with its words, what speaks against it, and its evidence. The look is audited."""
        view = await _load(settings, alert_number, actor)
        return AlertDetail.of_view(view, settings.wall_clock())


def _add_acts(router: APIRouter, settings: ReviewSettings) -> None:
    @router.post("/{alert_number}/claim")
    async def claim_alert(alert_number: Number, _body: ClaimForm, actor: ActorName) -> AlertItem:
        """Take the alert for 90 s, or hold it for 90 s more."""
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            row = await review.claim(conn, settings.seal, alert_number, _reviewer(actor), now=now)
        return AlertItem.of(row, now)

    @router.post("/{alert_number}/acknowledge")
    async def acknowledge_alert(alert_number: Number, _body: AcknowledgeForm, actor: ActorName) -> AlertItem:
        """Say that you know: the alert you held was withdrawn, or its order has ended."""
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            row = await review.acknowledge(conn, settings.seal, alert_number, _reviewer(actor), now=now)
        return AlertItem.of(row, now)

    @router.post("/{alert_number}/confirm")
    async def confirm_alert(alert_number: Number, body: ConfirmForm, actor: ActorName) -> AlertItem:
        """Record a verified lead. Needs `sight` for a plate, `second_look` for approximate kinds."""
        view = await _load(settings, alert_number, actor)
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            row = await review.confirm(
                conn,
                settings.seal,
                alert_number,
                body.to_confirmation(),
                _reviewer(actor),
                policy=settings.policy,
                has_image=shown_image(settings, view) is not None,
                now=now,
            )
        return AlertItem.of(row, now)

    @router.post("/{alert_number}/dismiss")
    async def dismiss_alert(alert_number: Number, body: DismissForm, actor: ActorName) -> AlertItem:
        """Close the alert with a reason of the closed list."""
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            row = await review.dismiss(
                conn, settings.seal, alert_number, body.to_dismissal(), _reviewer(actor), now=now
            )
        return AlertItem.of(row, now)
