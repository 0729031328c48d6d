"""Drafts in Postgres: created, replaced against lost updates, withdrawn; each act and look audited.

Lock order: the draft's row, then the registry's stream of audit entries. An approval takes the
draft's row first too (alerts.order_approval).
"""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from stayaway.access.person import Person
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import (
    ConflictError,
    LooklessError,
    NoTagError,
    NotFoundError,
    RefusedError,
    StaleError,
)
from stayaway.kernel.jsontext import canonical_json, parse_json
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.draft import DraftState, OrderDraft, parse_content
from stayaway.orders.keys_check import ensure_keys
from stayaway.orders.looks import record_look, record_order_act
from stayaway.orders.requests import begin_request, keep_answer
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal

SEAL_PURPOSE = "order_draft"
_TAG = re.compile(r'"[^"]*"')
_SQL = load_queries("stayaway.orders", "drafts.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """A page of drafts, newest first; `next_before` starts the next page."""

    drafts: tuple[OrderDraft, ...]
    next_before: int | None


async def create_draft(
    conn: Connection, seal: Seal, body: Any, person: Person, *, now: datetime, idempotency_key: str | None
) -> OrderDraft:
    """A new draft, which may still be wrong in any way; `body` is its content.

    The same key and body again give the draft as it was made then. Raises RefusedError (see
    `draft.parse_content`, `requests.begin_request`).
    """
    content = parse_content(body)
    order_id: str = content["order_id"]
    await ensure_keys(conn, seal, (order_id,))
    async with conn.transaction():
        asked = {"kind": "DRAFT", "order": content}
        request = await begin_request(conn, seal, idempotency_key, person, order_id, asked, now)
        if request.answered is not None:
            return await _first_edit(conn, seal, request.answered["draft_number"])
        number: int = await conn.fetchval(_SQL.take_number)
        version: int = await conn.fetchval(_SQL.next_version, order_id)
        digest = _digest(seal, number, order_id, version, content)
        author_ref = seal.reference(order_id, person.key)
        await conn.execute(_SQL.insert_draft, number, order_id, version, author_ref, digest, now)
        await _insert_edit(conn, seal, number, 1, version, digest, content, person, now)
        await _note(conn, seal, EntryType.ORDER_DRAFTED, number, 1, version, digest, order_id, person, now)
        await keep_answer(conn, seal, request, {"draft_number": number})
        return await load_draft(conn, seal, number)


async def replace_draft(
    conn: Connection,
    seal: Seal,
    number: int,
    body: Any,
    person: Person,
    *,
    if_match: str | None,
    now: datetime,
) -> OrderDraft:
    """Another content for the draft, by whoever `person` is: they are a writer of it from now on.

    The version number is taken anew. Raises StaleError where the draft is no longer the one named by
    `if_match`, ConflictError where it is closed, RefusedError for a content of another order.
    """
    content = parse_content(body)
    async with conn.transaction():
        draft = await lock_open_draft(conn, seal, number, if_match)
        if content["order_id"] != draft.order_id:
            raise RefusedError(
                [
                    (
                        ("order", "order_id"),
                        f"The draft is of order {draft.order_id}: make another one.",
                    )
                ]
            )
        version: int = await conn.fetchval(_SQL.next_version, draft.order_id)
        row_version = draft.row_version + 1
        digest = _digest(seal, number, draft.order_id, version, content)
        await _insert_edit(conn, seal, number, row_version, version, digest, content, person, now)
        author_ref = seal.reference(draft.order_id, person.key)
        await conn.execute(_SQL.move_draft, number, row_version, version, author_ref, digest, now)
        about = (number, row_version, version, digest, draft.order_id)
        await _note(conn, seal, EntryType.ORDER_DRAFT_EDITED, *about, person, now)
        return await load_draft(conn, seal, number)


async def withdraw_draft(
    conn: Connection, seal: Seal, number: int, person: Person, *, if_match: str | None, now: datetime
) -> OrderDraft:
    """Close the draft without approving it. Raises as `replace_draft` does."""
    async with conn.transaction():
        draft = await lock_open_draft(conn, seal, number, if_match)
        await conn.execute(_SQL.set_state, number, "WITHDRAWN", now)
        about = (number, draft.row_version, draft.version, draft.content_digest, draft.order_id)
        await _note(conn, seal, EntryType.ORDER_DRAFT_WITHDRAWN, *about, person, now)
        return await load_draft(conn, seal, number)


async def record_draft_look(
    conn: Connection,
    seal: Seal,
    draft: OrderDraft,
    person: Person,
    *,
    now: datetime,
    view: str,
    compared_with: Sequence[str] = (),
) -> None:
    """Audit a look at the draft, before anything of it is shown. `compared_with`: with which orders."""
    payload = {
        "draft_number": draft.draft_number,
        "row_version": draft.row_version,
        "view": view,
        "compared_with": list(compared_with),
    }
    async with conn.transaction():
        await record_look(conn, seal, EntryType.ORDER_DRAFT_VIEWED, person, draft.order_id, payload, now)


async def list_drafts(
    conn: Connection,
    seal: Seal,
    person: Person,
    *,
    state: DraftState | None,
    before: int | None,
    limit: int,
    now: datetime,
    view: str,
) -> DraftPage:
    """A page of drafts, newest first (keyset); the look is audited."""
    async with conn.transaction():
        found = await conn.fetch(_SQL.list_drafts, state, before, limit + 1)
        numbers = [row["draft_number"] for row in found[:limit]]
        drafts = await load_drafts(conn, seal, numbers)
        payload = {"view": view, "state": state, "before": before, "draft_numbers": numbers}
        await record_look(conn, seal, EntryType.ORDER_DRAFTS_LISTED, person, None, payload, now)
    return DraftPage(drafts=drafts, next_before=numbers[-1] if len(found) > limit else None)


async def load_draft(conn: Connection, seal: Seal, number: int) -> OrderDraft:
    """The draft; NotFoundError where there is none. The caller audits the look."""
    drafts = await load_drafts(conn, seal, [number])
    if not drafts:
        raise NotFoundError("There is no such draft.", "Look at the list for the drafts there are.")
    return drafts[0]


async def lock_open_draft(conn: Connection, seal: Seal, number: int, if_match: str | None) -> OrderDraft:
    """The draft under its row's lock, open and the one that `if_match` names.

    Raises LooklessError where nothing was named, NoTagError for what is no tag of a draft, ConflictError
    where it is closed, StaleError where it was edited since.
    """
    if if_match is None:
        raise LooklessError(
            "The act does not say which edit of the draft it is about.",
            "Load the draft and send its ETag as If-Match.",
        )
    if _TAG.fullmatch(if_match) is None:
        raise NoTagError(
            "If-Match is not one strong tag: *, weak tags and lists do not say which edit was looked at.",
            "Send the draft's ETag as it was loaded, in its quotes.",
        )
    await conn.fetchrow(_SQL.lock_draft, number)
    draft = await load_draft(conn, seal, number)
    if draft.state != "OPEN":
        raise ConflictError(f"The draft is closed: {draft.state}.", "Make a new one for another change.")
    if if_match != draft.etag:
        raise StaleError("The draft was edited since you looked at it.", "Look at it again, then decide.")
    return draft


async def lock_order(conn: Connection, order_id: str) -> None:
    """The registry's row and the order's head, as an import locks them: nobody changes it meanwhile."""
    await conn.fetchrow(_SQL.lock_registry)
    await conn.fetchrow(_SQL.lock_head, order_id)


def _digest(seal: Seal, number: int, order_id: str, version: int, content: Mapping[str, Any]) -> bytes:
    """Stands for number, version and content, under the order's key."""
    stated = canonical_json({"draft_number": number, "version": version, "order": content})
    return seal.reference(order_id, f"order_draft:{hashlib.sha256(stated).hexdigest()}")


async def _insert_edit(
    conn: Connection,
    seal: Seal,
    number: int,
    row_version: int,
    version: int,
    digest: bytes,
    content: Mapping[str, Any],
    person: Person,
    now: datetime,
) -> None:
    order_id = content["order_id"]
    sealed = seal.seal(order_id, SEAL_PURPOSE, canonical_json({"author": person.name, "order": content}))
    author_ref = seal.reference(order_id, person.key)
    await conn.execute(
        _SQL.insert_edit, number, row_version, order_id, version, author_ref, digest, now, sealed
    )


async def _note(
    conn: Connection,
    seal: Seal,
    entry_type: EntryType,
    number: int,
    row_version: int,
    version: int,
    digest: bytes,
    order_id: str,
    person: Person,
    now: datetime,
) -> None:
    payload = {
        "draft_number": number,
        "row_version": row_version,
        "version": version,
        "content_digest": digest.hex(),
    }
    await record_order_act(conn, seal, entry_type, person, order_id, payload, now)


async def load_drafts(conn: Connection, seal: Seal, numbers: Sequence[int]) -> tuple[OrderDraft, ...]:
    """These drafts, newest first; those that there are not are left out. The caller audits the look."""
    rows = await conn.fetch(_SQL.load_drafts, numbers)
    writers: dict[int, dict[str, None]] = defaultdict(dict)
    for edit in await conn.fetch(_SQL.load_edits, numbers):
        author, _ = _unseal(seal, edit)
        writers[edit["draft_number"]][author] = None
    return tuple(_draft(seal, row, tuple(writers[row["draft_number"]])) for row in rows)


def _draft(seal: Seal, row: Any, writers: tuple[str, ...]) -> OrderDraft:
    author, content = _unseal(seal, row)
    expected = _digest(seal, row["draft_number"], row["order_id"], row["version"], content)
    if not hmac.compare_digest(expected, row["content_digest"]):
        raise StoredOrderError(
            "A stored draft is not the one that was written there.",
            "The row was changed outside stayaway: restore it from a backup.",
        )
    return OrderDraft(
        draft_number=row["draft_number"],
        order_id=row["order_id"],
        version=row["version"],
        state=row["state"],
        row_version=row["row_version"],
        author=author,
        writers=writers,
        content=content,
        content_digest=row["content_digest"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )


async def _first_edit(conn: Connection, seal: Seal, number: int) -> OrderDraft:
    """The draft as it was made, whatever became of it."""
    draft = await load_draft(conn, seal, number)
    edit = (await conn.fetch(_SQL.load_edits, [number]))[0]
    author, content = _unseal(seal, edit)
    return replace(
        draft,
        state="OPEN",
        row_version=1,
        version=edit["version"],
        author=author,
        writers=(author,),
        content=content,
        content_digest=edit["content_digest"],
        changed_at=edit["written_at"],
    )


def _unseal(seal: Seal, row: Any) -> tuple[str, Mapping[str, Any]]:
    stored = parse_json(seal.unseal(row["order_id"], SEAL_PURPOSE, row["content_sealed"]))
    return stored["author"], stored["order"]
