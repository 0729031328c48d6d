"""Looks at a draft that compute something: its checks, its preview. Each is audited."""

import asyncio
from datetime import datetime

from stayaway.access.person import Person
from stayaway.orders.draft import DraftCheck, OrderDraft, check_content, require_usable
from stayaway.orders.draft_store import look_at_draft
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.preview import Preview, preview_version, version_before
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal


async def check_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, now: datetime
) -> tuple[OrderDraft, DraftCheck]:
    """The draft, and what the checks of an orders file say of it."""
    draft = await look_at_draft(conn, seal, number, person, now=now, view="check")
    # A zone of many vertices takes its time: other requests go on meanwhile.
    return draft, await asyncio.to_thread(check_content, draft.content, draft.version, now)


async def preview_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, now: datetime
) -> tuple[OrderDraft, DraftCheck, Preview]:
    """The draft, its findings, and what approving it would change. RefusedError where it has errors."""
    draft = await look_at_draft(conn, seal, number, person, now=now, view="preview")
    check = await asyncio.to_thread(check_content, draft.content, draft.version, now)
    version = require_usable(check)
    order = (await load_court_orders(conn, seal, (draft.order_id,))).get(draft.order_id)
    return draft, check, preview_version(version, version_before(order, now))
