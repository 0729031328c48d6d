"""Looks at a draft: with its approval, its checks, its preview. Each is audited."""

import asyncio
from datetime import datetime

from stayaway.access.person import Person
from stayaway.orders.approval import Approval
from stayaway.orders.approvals import load_approvals
from stayaway.orders.draft import DraftCheck, OrderDraft, check_content, read_content, require_usable
from stayaway.orders.draft_store import load_draft, record_draft_look
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.meet import load_met
from stayaway.orders.preview import Preview, preview_version, version_before
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal


async def look_at_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, now: datetime, view: str
) -> tuple[OrderDraft, Approval | None]:
    """The draft as its last edit left it, and its approval; the look, at `view` of it, is audited."""
    draft = await load_draft(conn, seal, number)
    await record_draft_look(conn, seal, draft, person, now=now, view=view)
    if draft.state != "APPROVED":
        return draft, None
    return draft, (await load_approvals(conn, seal, draft.order_id))[draft.version]


async def check_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, places: KnownPlaces, now: datetime
) -> tuple[OrderDraft, DraftCheck]:
    """The draft, and what the checks of an orders file say of it beside the registry and known places."""
    draft = await load_draft(conn, seal, number)
    check = await compare_draft(conn, seal, draft, places, now)
    await record_draft_look(
        conn, seal, draft, person, now=now, view="check", compared_with=check.compared_with
    )
    return draft, check


async def preview_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, places: KnownPlaces, now: datetime
) -> tuple[OrderDraft, DraftCheck, Preview]:
    """The draft, its findings, and what approving it would change. RefusedError where it has errors."""
    draft = await load_draft(conn, seal, number)
    check = await compare_draft(conn, seal, draft, places, now)
    beside = check.compared_with
    await record_draft_look(conn, seal, draft, person, now=now, view="preview", compared_with=beside)
    version = require_usable(check)
    order = (await load_court_orders(conn, seal, (draft.order_id,))).get(draft.order_id)
    before = version_before(order, now)
    approvals = await load_approvals(conn, seal, draft.order_id) if before else {}
    return draft, check, preview_version(version, before, approvals)


async def compare_draft(
    conn: Connection, seal: Seal, draft: OrderDraft, places: KnownPlaces, now: datetime
) -> DraftCheck:
    """The checks of the draft's content beside the registry and known places. The caller audits the look."""
    # A zone of many vertices takes its time: other requests go on meanwhile.
    read = await asyncio.to_thread(read_content, draft.content, draft.version, now)
    met = await load_met(conn, seal, read)
    return await asyncio.to_thread(check_content, draft.content, read, met, places)
