"""/api/v1/order-drafts: write a version of an order, check it, look at what it changes, approve it.

Every act on a draft carries the draft's ETag as If-Match (RFC 9110, 13.1.1), so that nobody edits or
approves what they have not seen. Another person than any writer approves.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from stayaway.alerts.order_approval import Approved, approve_draft, approve_emergency
from stayaway.api.act_forms import ApprovalForm
from stayaway.api.address import PLAIN_DIGITS
from stayaway.api.alerts import ActorName
from stayaway.api.draft_forms import (
    CheckAnswer,
    DraftDetail,
    DraftForm,
    DraftItem,
    DraftList,
    PreviewAnswer,
    WithdrawForm,
)
from stayaway.api.order_forms import ApprovalAnswer
from stayaway.api.orders import RequestKey, person_of
from stayaway.api.problems import Problem
from stayaway.api.route import StrictRoute
from stayaway.api.settings import ReviewSettings
from stayaway.orders.draft import DraftState, OrderDraft
from stayaway.orders.draft_store import (
    create_draft,
    list_drafts,
    replace_draft,
    withdraw_draft,
)
from stayaway.orders.draft_views import check_draft, look_at_draft, preview_draft

_PREFIX = "/api/v1/order-drafts"
Number = Annotated[int, Path(ge=1, lt=2**63, description="The draft's number."), PLAIN_DIGITS]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=80, description="The draft's ETag, as loaded. 428 without it."),
]


def order_drafts_router(settings: ReviewSettings) -> APIRouter:
    """The routes, on these settings."""
    router = APIRouter(
        route_class=StrictRoute,
        prefix=_PREFIX,
        tags=["order drafts"],
        responses={code: {"model": Problem} for code in (403, 404, 409, 412, 422, 428, 503)},
    )
    _add_looks(router, settings)
    _add_writes(router, settings)
    _add_closings(router, settings)
    return router


def _tagged(response: Response, draft: OrderDraft) -> None:
    response.headers["etag"] = draft.etag


def _add_looks(router: APIRouter, settings: ReviewSettings) -> None:
    @router.get("")
    async def list_all(
        state: DraftState | None = None,
        before: Annotated[int | None, Query(ge=1, lt=2**63), PLAIN_DIGITS] = None,
        limit: Annotated[int, Query(ge=1, le=200), PLAIN_DIGITS] = 50,
        actor: ActorName = "unnamed",
    ) -> DraftList:
        """A page of drafts, newest first. The look is audited."""
        async with settings.pool.acquire() as conn:
            page = await list_drafts(
                conn,
                settings.seal,
                person_of(actor),
                state=state,
                before=before,
                limit=limit,
                now=settings.wall_clock(),
                view="api",
            )
        in_state = f"&state={state}" if state else ""
        following = f"{_PREFIX}?before={page.next_before}&limit={limit}{in_state}"
        return DraftList(
            drafts=[DraftItem.of(draft) for draft in page.drafts],
            next=following if page.next_before is not None else None,
        )

    @router.get("/{draft_number}")
    async def show(draft_number: Number, response: Response, actor: ActorName = "unnamed") -> DraftDetail:
        """One draft with its content, its ETag and its approval. The look is audited."""
        async with settings.pool.acquire() as conn:
            draft, approval = await look_at_draft(
                conn, settings.seal, draft_number, person_of(actor), now=settings.wall_clock(), view="api"
            )
        _tagged(response, draft)
        return DraftDetail.of_draft(draft, approval)

    @router.get("/{draft_number}/check")
    async def check(draft_number: Number, response: Response, actor: ActorName = "unnamed") -> CheckAnswer:
        """What the checks of an orders file say of the draft. The look is audited."""
        async with settings.pool.acquire() as conn:
            draft, found = await check_draft(
                conn,
                settings.seal,
                draft_number,
                person_of(actor),
                places=settings.places,
                now=settings.wall_clock(),
            )
        _tagged(response, draft)
        return CheckAnswer.of(draft, found)

    @router.get("/{draft_number}/preview")
    async def preview(
        draft_number: Number, response: Response, actor: ActorName = "unnamed"
    ) -> PreviewAnswer:
        """The zones as they would be, what changes, and what the approver must answer."""
        async with settings.pool.acquire() as conn:
            draft, found, shown = await preview_draft(
                conn,
                settings.seal,
                draft_number,
                person_of(actor),
                places=settings.places,
                now=settings.wall_clock(),
            )
        _tagged(response, draft)
        return PreviewAnswer.of(draft, found, shown)


def _add_writes(router: APIRouter, settings: ReviewSettings) -> None:
    @router.post("", status_code=201)
    async def create(body: DraftForm, response: Response, actor: ActorName, key: RequestKey) -> DraftDetail:
        """A new draft, right or wrong. Sent twice under one key, it is made once."""
        async with settings.pool.acquire() as conn:
            draft = await create_draft(
                conn,
                settings.seal,
                body.order,
                person_of(actor),
                now=settings.wall_clock(),
                idempotency_key=key,
            )
        _tagged(response, draft)
        response.headers["location"] = f"{_PREFIX}/{draft.draft_number}"
        return DraftDetail.of_draft(draft)

    @router.put("/{draft_number}")
    async def replace(
        draft_number: Number, body: DraftForm, response: Response, actor: ActorName, if_match: IfMatch = None
    ) -> DraftDetail:
        """Another content. Whoever sends it is a writer of the draft and cannot approve it."""
        async with settings.pool.acquire() as conn:
            draft = await replace_draft(
                conn,
                settings.seal,
                draft_number,
                body.order,
                person_of(actor),
                if_match=if_match,
                now=settings.wall_clock(),
            )
        _tagged(response, draft)
        return DraftDetail.of_draft(draft)


def _add_closings(router: APIRouter, settings: ReviewSettings) -> None:
    @router.post("/{draft_number}/withdrawal")
    async def withdraw(
        draft_number: Number, _body: WithdrawForm, actor: ActorName, if_match: IfMatch = None
    ) -> DraftItem:
        """Close the draft without approving it."""
        async with settings.pool.acquire() as conn:
            draft = await withdraw_draft(
                conn,
                settings.seal,
                draft_number,
                person_of(actor),
                if_match=if_match,
                now=settings.wall_clock(),
            )
        return DraftItem.of(draft)

    @router.post("/{draft_number}/approval", status_code=201)
    async def approve(
        draft_number: Number, body: ApprovalForm, actor: ActorName, if_match: IfMatch = None
    ) -> ApprovalAnswer:
        """Put the draft in force, as another person than any of its writers."""
        now = settings.wall_clock()
        approved = await _approve(settings, draft_number, body, actor, if_match, now)
        return ApprovalAnswer.of_approval(approved, now)


async def _approve(
    settings: ReviewSettings,
    number: int,
    body: ApprovalForm,
    actor: str,
    if_match: str | None,
    now: datetime,
) -> Approved:
    person, stated = person_of(actor), body.to_statement()
    async with settings.pool.acquire() as conn:
        if body.emergency_reason_text is None:
            return await approve_draft(
                conn,
                settings.seal,
                number,
                stated,
                person,
                if_match=if_match,
                places=settings.places,
                policy=settings.policy,
                now=now,
            )
        return await approve_emergency(
            conn,
            settings.seal,
            number,
            stated,
            person,
            reason_text=body.emergency_reason_text,
            if_match=if_match,
            places=settings.places,
            policy=settings.policy,
            registry_policy=settings.registry_policy,
            now=now,
        )
