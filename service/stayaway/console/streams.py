"""The live stream of the pages: what changed in any list, and a tick that proves life."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stayaway.alerts import review
from stayaway.alerts.review_model import AlertRow, ListQuery
from stayaway.api.address import PLAIN_DIGITS
from stayaway.api.session import Desks
from stayaway.api.settings import ReviewSettings
from stayaway.console.live import Outbox, follow, load_changed
from stayaway.console.present import Presenter
from stayaway.kernel.instants import format_instant

Cursor = Annotated[int, Query(ge=0, lt=2**63), PLAIN_DIGITS]


class Streams:
    """The route and what its streams share."""

    def __init__(self, settings: ReviewSettings, outbox: Outbox, presenter: Presenter, desks: Desks) -> None:
        self._settings = settings
        self._outbox = outbox
        self._presenter = presenter
        self._desks = desks
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/alerts/stream", self.stream, methods=["GET"])

    async def stream(
        self,
        request: Request,
        cursor: Cursor,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> Response:
        """What changes in all lists, as rows ready to show, for all pages of a browser. An audited look."""
        settings = self._settings
        who = self._desks.of(request).reviewer
        async with settings.pool.acquire() as conn:
            look = ListQuery(list_name="live", limit=1)
            await review.list_alerts(conn, settings.seal, look, who, now=settings.wall_clock(), view="stream")
        if last_event_id and last_event_id.isascii() and last_event_id.isdigit():
            cursor = int(last_event_id)
        await self._outbox.catch_up()
        events = follow(self._outbox, cursor, changes=self._changes, tick=self._tick)
        return StreamingResponse(events, media_type="text/event-stream")

    async def _changes(self, after: int, upto: int) -> list[dict[str, Any]]:
        return [self._change(row) for row in await load_changed(self._settings.pool, after, upto)]

    def _change(self, row: AlertRow) -> dict[str, Any]:
        now = self._settings.wall_clock()
        return {
            "number": row.alert_number,
            "list": row.list_name,
            "state": row.state_at(now),
            "holder": row.claim_holder(now),
            "seen": row.seen,
            "sightings": row.sighting_count,
            "last_at": format_instant(row.last_observed_at),
            "html": self._presenter.row(row, is_new=True),
        }

    def _tick(self) -> dict[str, Any]:
        return {
            **self._outbox.facts,
            "follower_age_s": round(self._outbox.age_s, 1),
            "now": format_instant(self._settings.clock()),
            "wall": format_instant(self._settings.wall_clock()),
        }
