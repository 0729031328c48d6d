"""The approvals of an order's versions from Postgres, unsealed."""

import hmac
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stayaway.access.person import person_key
from stayaway.kernel.jsontext import parse_json
from stayaway.orders.approval import Approval, RecordedAnswer
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.draft_store import load_drafts
from stayaway.orders.over_approved import ApprovedHere
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import Seal, SealError

SEAL_PURPOSE = "order_approval"
_SQL = load_queries("stayaway.orders", "drafts.sql")


async def load_approvals(conn: Connection, seal: Seal, order_id: str) -> dict[int, Approval]:
    """The approvals of the order's versions, by version; one that came with a file has none.

    The caller audits the look. Raises SealError rather than leave an answer out.
    """
    rows = await conn.fetch(_SQL.load_approvals, order_id)
    drafts = await load_drafts(conn, seal, [row["draft_number"] for row in rows])
    writers = {draft.draft_number: draft.writers for draft in drafts}
    return {row["version"]: _approval(seal, order_id, row, writers[row["draft_number"]]) for row in rows}


async def find_approved_here(
    conn: Connection, seal: Seal, order_ids: Collection[str]
) -> dict[str, ApprovedHere]:
    """Those of these orders that have a version approved here, by id. The caller audits the look."""
    by_order: dict[str, list[Any]] = defaultdict(list)
    if order_ids:
        for row in await conn.fetch(_SQL.find_approved, sorted(order_ids)):
            by_order[row["order_id"]].append(row)
    return {order_id: _approved_here(seal, rows) for order_id, rows in by_order.items()}


def _approved_here(seal: Seal, rows: Sequence[Any]) -> ApprovedHere:
    last = rows[-1]
    try:
        approver = _open_answers(seal, last["order_id"], last)["approver"]
    except (SealError, StoredOrderError):  # a recall must be recorded whatever became of what is sealed here
        approver = None
    return ApprovedHere(
        versions=frozenset(row["version"] for row in rows),
        version=last["version"],
        kind=last["approval_kind"],
        approver=approver,
    )


def _open_answers(seal: Seal, order_id: str, row: Any) -> Mapping[str, Any]:
    """What the approver answered. StoredOrderError where the row says that somebody else approved.

    Its order's key opens it in every row of that order: whoever may write the table could move it to another.
    """
    kept: Mapping[str, Any] = parse_json(seal.unseal(order_id, SEAL_PURPOSE, row["answers_sealed"]))
    if not hmac.compare_digest(seal.reference(order_id, person_key(kept["approver"])), row["approver_ref"]):
        raise StoredOrderError(
            f"The answers stored with the approval of version {row['version']} of order {order_id} are"
            " another person's than who approved it.",
            "The row was changed outside stayaway: restore it from a backup.",
        )
    return kept


def _approval(seal: Seal, order_id: str, row: Any, writers: tuple[str, ...]) -> Approval:
    kept = _open_answers(seal, order_id, row)
    asked = {question["question_id"]: question["text"] for question in kept["asked"]}
    return Approval(
        kind=row["approval_kind"],
        version=row["version"],
        draft_number=row["draft_number"],
        writers=writers,
        approver=kept["approver"],
        approved_at=row["approved_at"],
        until_at=row["until_at"],
        confirmed_at=row["confirmed_at"],
        reason_text=kept.get("reason_text"),
        typed=kept["typed"],
        answers=tuple(
            RecordedAnswer(
                question_id=name,
                text=asked[name],
                answer=given["answer"],
                reason_text=given["reason_text"],
            )
            for name, given in kept["answers"].items()
        ),
    )
