"""Single acts on an order in the registry: a notice, a recall, a suspension, a validation.

Each is one record and one transaction, by the road of an orders file. None needs a second person: a
recall and a suspension only lift restrictions, and a notice says what has happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from stayaway.access.person import Person
from stayaway.access.policy import Policy
from stayaway.alerts.order_approval import alerts_of
from stayaway.alerts.order_changes import Imported, apply_records
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import NotFoundError, RefusedError
from stayaway.kernel.instants import format_instant
from stayaway.orders.acts import find_impossible, find_unusual
from stayaway.orders.draft_store import lock_order
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.looks import record_order_act
from stayaway.orders.model import CourtOrder
from stayaway.orders.parse import read_own
from stayaway.orders.records import ParsedOrders
from stayaway.orders.requests import begin_request, keep_answer
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

ActKind = Literal["NOTICE", "RECALL", "SUSPENSION", "VALIDATION"]
_IF_SO = (
    "Nothing was recorded. Correct it; or, if it is so, send it again with unusual_accepted (on the command"
    " line --accept-unusual)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOutcome:
    """What an act did: the registry after it, and the open alerts that it changed, by id.

    `alerts_revised` is empty in an answer that was kept before there was one.
    """

    order_id: str
    kind: ActKind
    recorded_at: str
    registry_sequence: int
    alerts_withdrawn: tuple[str, ...]
    alerts_ended: tuple[str, ...]
    alerts_raised: tuple[str, ...]
    alerts_revised: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "ActOutcome":
        """From the answer as it was kept."""
        lists = {name: tuple(item) for name, item in answer.items() if isinstance(item, list)}
        return cls(**{**answer, **lists})


async def act_on_order(
    conn: Connection,
    seal: Seal,
    order_id: str,
    kind: ActKind,
    fields: Mapping[str, Any],
    person: Person,
    *,
    policy: Policy | None,
    now: datetime,
    idempotency_key: str | None,
    unusual_accepted: bool = False,
) -> ActOutcome:
    """Record one act; `fields` as in orders.v1, without order_id and recorded_at (which is now).

    `unusual_accepted`: the person says that it is so even if it is unusual (see `orders.acts`). The same
    key and fields again give the first answer. Raises NotFoundError without such an order, RefusedError
    where a field does not hold, SettingsError where open alerts need a policy.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        order = (await load_court_orders(conn, seal, (order_id,))).get(order_id)
        if order is None:
            raise NotFoundError("There is no such order.", "Check the order's id, or look at the list.")
        accepted = {"unusual_accepted": True} if unusual_accepted else {}
        asked = {"kind": kind, "fields": dict(fields), **accepted}
        request = await begin_request(conn, seal, idempotency_key, person, order_id, asked, now)
        if request.answered is not None:
            return ActOutcome.of(request.answered)
        record = {**fields, "order_id": order_id, "recorded_at": format_instant(now)}
        parsed = read_own(kind, record)
        unusual = _require_sound(order, parsed, policy, now, unusual_accepted=unusual_accepted)
        imported = await apply_records(conn, seal, parsed, policy, actor=person.name, at=now)
        answer = _answer(order_id, kind, now, imported)
        await keep_answer(conn, seal, request, answer)
        payload = {"kind": kind, "unusual_accepted": unusual, **alerts_of(imported)}
        await record_order_act(conn, seal, EntryType.ORDER_ACTED, person, order_id, payload, now)
    return ActOutcome.of(answer)


def _answer(order_id: str, kind: ActKind, now: datetime, imported: Imported) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "kind": kind,
        "recorded_at": format_instant(now),
        "registry_sequence": imported.outcome.registry_sequence,
        **alerts_of(imported),
    }


def _require_sound(
    order: CourtOrder, act: ParsedOrders, policy: Policy | None, now: datetime, *, unusual_accepted: bool
) -> list[str]:
    """What is unusual about the act and was accepted, in words. RefusedError where it cannot be, or nobody
    has said that it is so.
    """
    record = act.records[0].value
    assert record is not None  # read_own refuses it otherwise
    impossible = find_impossible(order, record, now)
    if impossible:
        raise RefusedError(impossible)
    unusual = find_unusual(order, act, now, policy.notice_kinds if policy else None)
    if unusual and not unusual_accepted:
        raise RefusedError(unusual, _IF_SO)
    return [text for _, text in unusual]
