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
from stayaway.orders.draft_store import lock_order
from stayaway.orders.history_load import load_court_orders
from stayaway.orders.looks import record_order_act
from stayaway.orders.model import CourtOrder, Notice, Recall, Record, Suspension, Validation
from stayaway.orders.parse import read_own
from stayaway.orders.questions import Problem
from stayaway.orders.requests import begin_request, keep_answer
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

ActKind = Literal["NOTICE", "RECALL", "SUSPENSION", "VALIDATION"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOutcome:
    """What an act did: the registry after it, and the open alerts that it changed, by id."""

    order_id: str
    kind: ActKind
    recorded_at: str
    registry_sequence: int
    alerts_withdrawn: tuple[str, ...]
    alerts_ended: tuple[str, ...]
    alerts_raised: tuple[str, ...]

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
) -> ActOutcome:
    """Record one act; `fields` as in orders.v1, without order_id and recorded_at (which is now).

    The same key and fields again give the first answer. Raises NotFoundError without such an order,
    RefusedError where a field does not hold, SettingsError where open alerts need a policy.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        order = (await load_court_orders(conn, seal, (order_id,))).get(order_id)
        if order is None:
            raise NotFoundError("There is no such order.", "Check the order's id, or look at the list.")
        asked = {"kind": kind, "fields": dict(fields)}
        request = await begin_request(conn, seal, idempotency_key, person, order_id, asked, now)
        if request.answered is not None:
            return ActOutcome.of(request.answered)
        record = {**fields, "order_id": order_id, "recorded_at": format_instant(now)}
        parsed = read_own(kind, record)
        _require_sound(order, parsed.records[0].value, now)
        imported = await apply_records(conn, seal, parsed, policy, actor=person.name, at=now)
        answer = _answer(order_id, kind, now, imported)
        await keep_answer(conn, seal, request, answer)
        payload = {"kind": kind, **alerts_of(imported)}
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


def _require_sound(order: CourtOrder, record: Record | None, now: datetime) -> None:
    """RefusedError where the act contradicts the order or the clock."""
    problems: list[Problem] = []
    if isinstance(record, Notice):
        problems = _notice_problems(order, record, now)
    elif isinstance(record, Validation) and record.validated_at > now:
        problems = [(("validated_at",), "It lies in the future: record it when it has been done.")]
    elif isinstance(record, Recall | Suspension) and not record.reason_text.strip():
        problems = [(("reason_text",), "Say why: it is recorded with the act.")]
    if problems:
        raise RefusedError(problems)


def _notice_problems(order: CourtOrder, notice: Notice, now: datetime) -> list[Problem]:
    problems: list[Problem] = []
    version = next((item for item in order.versions if item.version == notice.order_version), None)
    if version is None:
        problems.append((("order_version",), "The order has no such version."))
    elif notice.respondent_id not in {item.respondent_id for item in version.respondents}:
        problems.append((("respondent_id",), "That version of the order names no such respondent."))
    if notice.noticed_at > now:
        problems.append((("noticed_at",), "It lies in the future: record a notice once it was given."))
    return problems
