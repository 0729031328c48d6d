"""/api/v1/orders: look at orders in two times, and act on them: notice, recall, suspend, validate, confirm.

Nobody signs in yet: who acts is what the header `Stayaway-Actor` says, recorded as not verified.
"""

import asyncio
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Response

from stayaway.access.person import Person
from stayaway.alerts.order_acts import ActKind, act_on_order
from stayaway.alerts.order_approval import confirm_version
from stayaway.api.act_forms import (
    ActForm,
    ConfirmationForm,
    NoticeForm,
    RecallForm,
    SuspensionForm,
    ValidationForm,
)
from stayaway.api.address import PLAIN_DIGITS
from stayaway.api.alerts import ActorName
from stayaway.api.order_forms import (
    ActAnswer,
    DueEntry,
    DueList,
    OrderDetail,
    OrderHistory,
    OrderItem,
    OrderList,
    RecordItem,
    VersionRecord,
)
from stayaway.api.problems import Problem
from stayaway.api.route import StrictRoute
from stayaway.api.settings import ReviewSettings
from stayaway.kernel.errors import SettingsError
from stayaway.kernel.forms import Instant
from stayaway.kernel.jsontext import compact_json
from stayaway.orders.draft import ASSIGNED
from stayaway.orders.due_load import look_at_due
from stayaway.orders.history_load import (
    list_orders,
    look_at_history,
    look_at_order,
    look_at_version,
)
from stayaway.orders.wire import MAX_VERSION

_MOST_DUE = 500
_ID = r"^[A-Za-z0-9._:-]{1,128}$"
_ID_OR_NONE = r"^[A-Za-z0-9._:-]{0,128}$"
OrderId = Annotated[str, Path(pattern=_ID, description="The order's id.")]
Version = Annotated[int, Path(ge=1, le=MAX_VERSION), PLAIN_DIGITS]
RequestKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="A new one for each new request: sent again with the same body, it is done once.",
    ),
]


def person_of(actor: str) -> Person:
    """Whoever the header says."""
    return Person.of(actor, "web")


def orders_router(settings: ReviewSettings) -> APIRouter:
    """The routes, on these settings."""
    router = APIRouter(
        route_class=StrictRoute,
        prefix="/api/v1",
        tags=["orders"],
        responses={code: {"model": Problem} for code in (403, 404, 409, 422, 503)},
    )
    _add_looks(router, settings)
    _add_due(router, settings)
    _add_acts(router, settings)
    return router


def _add_looks(router: APIRouter, settings: ReviewSettings) -> None:
    @router.get("/orders")
    async def list_all(
        after: Annotated[str, Query(pattern=_ID_OR_NONE, description="The last order's id.")] = "",
        limit: Annotated[int, Query(ge=1, le=200), PLAIN_DIGITS] = 50,
        actor: ActorName = "unnamed",
    ) -> OrderList:
        """A page of orders by id, each as it stands now. The look is audited."""
        async with settings.pool.acquire() as conn:
            page = await list_orders(
                conn,
                settings.seal,
                person_of(actor),
                notice_kinds=settings.policy.notice_kinds,
                now=settings.wall_clock(),
                after=after,
                limit=limit,
                view="api",
            )
        following = page.next_after and f"/api/v1/orders?after={quote(page.next_after)}&limit={limit}"
        return OrderList(orders=[OrderItem.of(item) for item in page.statements], next=following)

    @router.get("/orders/{order_id}")
    async def show_order(
        order_id: OrderId,
        at: Annotated[Instant | None, Query(description="For this instant; else now.")] = None,
        known_at: Annotated[
            Instant | None, Query(description="As known then; else all that is recorded.")
        ] = None,
        actor: ActorName = "unnamed",
    ) -> OrderDetail:
        """What the order said for `at` as known at `known_at`. The look is audited."""
        async with settings.pool.acquire() as conn:
            statement = await look_at_order(
                conn,
                settings.seal,
                order_id,
                person_of(actor),
                notice_kinds=settings.policy.notice_kinds,
                now=settings.wall_clock(),
                at=at,
                known_at=known_at,
                view="api",
            )
        return OrderDetail.of_statement(statement)

    @router.get("/orders/{order_id}/history")
    async def show_history(order_id: OrderId, actor: ActorName = "unnamed") -> OrderHistory:
        """Every record of the order with both its times and who applied it. The look is audited."""
        async with settings.pool.acquire() as conn:
            records = await look_at_history(
                conn, settings.seal, order_id, person_of(actor), now=settings.wall_clock(), view="api-history"
            )
        return OrderHistory(order_id=order_id, records=[RecordItem.of(item) for item in records])

    @router.get("/orders/{order_id}/versions/{version}", response_model=VersionRecord)
    async def show_version(order_id: OrderId, version: Version, actor: ActorName = "unnamed") -> Response:
        """One version as orders.v1 has it: what the next draft is written from. The look is audited."""
        async with settings.pool.acquire() as conn:
            raw = await look_at_version(
                conn,
                settings.seal,
                order_id,
                version,
                person_of(actor),
                now=settings.wall_clock(),
                view="api-version",
            )
        draft = {name: value for name, value in raw.items() if name not in ASSIGNED}
        # As it was recorded: a file's extensions may be nested deeper than pydantic writes.
        return Response(compact_json({"record": raw, "draft": draft}), media_type="application/json")


def _add_due(router: APIRouter, settings: ReviewSettings) -> None:
    one_at_a_time = asyncio.Lock()

    @router.get("/orders-due")
    async def show_due(
        within_days: Annotated[int, Query(ge=0, le=3_650), PLAIN_DIGITS] = 30, actor: ActorName = "unnamed"
    ) -> DueList:
        """What must be chased: unconfirmed emergencies, validations, service, orders soon over."""
        if settings.registry_policy is None:
            raise SettingsError("No registry policy is set, so nothing says what is due.", "Set one.")
        # It opens every order, and whoever looks at an alert meanwhile waits for one such look at most.
        async with one_at_a_time, settings.pool.acquire() as conn:
            due = await look_at_due(
                conn,
                settings.seal,
                person_of(actor),
                policy=settings.registry_policy,
                notice_kinds=settings.policy.notice_kinds,
                within=timedelta(days=within_days),
                now=settings.wall_clock(),
                view="api-due",
            )
        return DueList(due=[DueEntry.of(item) for item in due[:_MOST_DUE]], total=len(due))


def _add_acts(router: APIRouter, settings: ReviewSettings) -> None:
    async def act(order_id: str, kind: ActKind, body: ActForm, actor: str, key: str) -> ActAnswer:
        async with settings.pool.acquire() as conn:
            outcome = await act_on_order(
                conn,
                settings.seal,
                order_id,
                kind,
                body.to_fields(),
                person_of(actor),
                policy=settings.policy,
                now=settings.wall_clock(),
                idempotency_key=key,
                unusual_accepted=body.unusual_accepted,
            )
        return ActAnswer.of(outcome)

    @router.post("/orders/{order_id}/notices", status_code=201)
    async def notice(order_id: OrderId, body: NoticeForm, actor: ActorName, key: RequestKey) -> ActAnswer:
        """Record that a respondent was told of a version."""
        return await act(order_id, "NOTICE", body, actor, key)

    @router.post("/orders/{order_id}/recalls", status_code=201)
    async def recall(order_id: OrderId, body: RecallForm, actor: ActorName, key: RequestKey) -> ActAnswer:
        """Record that the court took the order back. One person may: it only lifts restrictions."""
        return await act(order_id, "RECALL", body, actor, key)

    @router.post("/orders/{order_id}/suspensions", status_code=201)
    async def suspend(
        order_id: OrderId, body: SuspensionForm, actor: ActorName, key: RequestKey
    ) -> ActAnswer:
        """Record a pause of the order, with its end."""
        return await act(order_id, "SUSPENSION", body, actor, key)

    @router.post("/orders/{order_id}/validations", status_code=201)
    async def validate(
        order_id: OrderId, body: ValidationForm, actor: ActorName, key: RequestKey
    ) -> ActAnswer:
        """Record that the entry was compared with the court's papers."""
        return await act(order_id, "VALIDATION", body, actor, key)

    @router.post("/orders/{order_id}/versions/{version}/confirmation", status_code=201)
    async def confirm(
        order_id: OrderId, version: Version, body: ConfirmationForm, actor: ActorName
    ) -> ActAnswer:
        """Stand as the second person behind an emergency entry, before it lapses."""
        now = settings.wall_clock()
        async with settings.pool.acquire() as conn:
            imported = await confirm_version(
                conn,
                settings.seal,
                order_id,
                version,
                person_of(actor),
                case_number=body.case_number,
                expiry=body.expiry,
                policy=settings.policy,
                now=now,
            )
        return ActAnswer.of_import(order_id, "CONFIRMATION", imported, now)
