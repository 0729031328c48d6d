"""Requests that create something: sent twice under one idempotency key, done once.

The key's row is written first in the transaction of the act, so that of two at once the second waits
and then finds the answer of the first.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stayaway.access.person import Person
from stayaway.kernel.errors import RefusedError
from stayaway.kernel.jsontext import canonical_json, parse_json
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import SYSTEM_SCOPE, Seal

_SQL = load_queries("stayaway.orders", "drafts.sql")
_PURPOSE = "order_request"


@dataclass(frozen=True, slots=True)
class Request:
    """One request under its key. `answered`: the answer of the first time; None: this is the first."""

    key_ref: bytes | None
    order_id: str
    answered: Mapping[str, Any] | None = None


async def begin_request(
    conn: Connection,
    seal: Seal,
    key: str | None,
    person: Person,
    order_id: str,
    body: Mapping[str, Any],
    now: datetime,
) -> Request:
    """Claim the key in the caller's transaction, or find what was answered to it.

    `body` says what is asked for, its kind included. Without a key nothing is remembered. Raises
    RefusedError where the key was used by this person for something else.
    """
    if key is None:
        return Request(None, order_id)
    key_ref = seal.reference(SYSTEM_SCOPE, f"order_request:{person.name}\n{key}")
    digest = seal.reference(order_id, f"order_request:{hashlib.sha256(canonical_json(body)).hexdigest()}")
    claimed = await conn.fetchval(_SQL.claim_request, key_ref, order_id, digest, now)
    if claimed is not None:
        return Request(key_ref, order_id)
    found = await conn.fetchrow(_SQL.load_request, key_ref)
    assert found is not None
    if found["order_id"] != order_id or found["request_digest"] != digest:
        raise RefusedError(
            [(("Idempotency-Key",), "This key was used for another request.")],
            "Nothing was recorded: give each new request a key of its own.",
        )
    answer = parse_json(seal.unseal(order_id, _PURPOSE, found["answer_sealed"]))
    return Request(key_ref, order_id, answer)


async def keep_answer(conn: Connection, seal: Seal, request: Request, answer: Mapping[str, Any]) -> None:
    """Remember what the request was answered, in the transaction of its act."""
    if request.key_ref is not None:
        sealed = seal.seal(request.order_id, _PURPOSE, canonical_json(answer))
        await conn.execute(_SQL.keep_answer, request.key_ref, sealed)
