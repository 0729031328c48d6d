"""How far one person alone may go: a new order, for some hours, and once for the same people.

Else one person could keep an entry in force for ever, version by version or under one order_id after another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stayaway.access.person import Person
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.audit.entries import EntryType
from stayaway.kernel.errors import NotAllowedError, RefusedError
from stayaway.kernel.instants import format_instant
from stayaway.orders.alone import concern_the_same, entry_alone
from stayaway.orders.approval import ApprovalKind
from stayaway.orders.draft import OrderDraft
from stayaway.orders.looks import record_look
from stayaway.orders.meet import load_sharing
from stayaway.orders.model import OrderVersion
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal

_SECOND = "Ask a second person to approve it."


@dataclass(frozen=True, slots=True)
class Road:
    """How many people stand behind an approval, until when it holds, and what more is kept of it."""

    kind: ApprovalKind
    until_at: datetime | None = None
    more: Mapping[str, str] = field(default_factory=dict)


TWO_PEOPLE = Road("SECOND_PERSON")


class AloneAgainError(NotAllowedError):
    """One person alone put an order for the same people in force before. `order_ids`: what was compared."""

    def __init__(self, message: str, remedy: str, order_ids: tuple[str, ...]) -> None:
        super().__init__(message, remedy)
        self.order_ids = order_ids


def emergency_road(
    draft: OrderDraft, registry_policy: RegistryPolicy | None, reason_text: str, now: datetime
) -> Road:
    """How far one person alone may go with this draft: a new order, for some hours.

    Never a later version: one person could renew their own entry for ever, or replace what two people
    approved. Of two drafts of one new order approved at once the second finds the first one's version
    under the registry's lock; the database refuses a later version by itself. Raises NotAllowedError, and
    RefusedError without a reason.
    """
    period = registry_policy.emergency_period(draft.content.get("kind", "")) if registry_policy else None
    if registry_policy is None or period is None:
        raise NotAllowedError(
            "The registry's policy does not let one person alone put this kind of order in force.", _SECOND
        )
    if draft.version != 1:
        known = f"the registry has version {draft.version - 1} of this one"
        raise NotAllowedError(
            f"One person alone can only put the first version of an order in force, and {known}.", _SECOND
        )
    if draft.content.get("relief"):
        raise NotAllowedError(
            "One person alone cannot put relief in force: it would bind before anybody is told.", _SECOND
        )
    if not reason_text.strip():
        raise RefusedError([(("emergency_reason_text",), "Say why no second person can be waited for.")])
    kept = {"reason_text": reason_text, "registry_policy_sha256": registry_policy.sha256}
    return Road("EMERGENCY", now + period, kept)


async def require_first_alone(
    conn: Connection, seal: Seal, version: OrderVersion, now: datetime
) -> tuple[str, ...]:
    """AloneAgainError where one person alone put an order of the same people in force before.

    The registry's orders are found by the blind index. The caller holds the registry's lock, so that of two
    such drafts approved at once the second finds the first. What was compared, by order id, ascending.
    """
    sharing = await load_sharing(conn, seal, version)
    compared = tuple(sorted(sharing.orders))
    if sharing.common:
        raise AloneAgainError(
            "So many orders have a respondent, plate or device of this one that nobody can tell whether one"
            " person put it in force before.",
            "Give the respondent an id of their own, or ask a second person to approve it.",
            compared,
        )
    for order_id, order in sorted(sharing.orders.items()):
        entry = entry_alone(order, now)
        if entry is not None and concern_the_same(version, order.versions[-1]):
            raise AloneAgainError(
                f"One person alone put order {order_id} in force for the same people, until"
                f" {format_instant(entry.until_at)}, and nobody else has stood behind it: one person alone"
                " cannot do so again under another order_id.",
                _SECOND,
                compared,
            )
    return compared


async def record_refusal(
    conn: Connection, seal: Seal, refused: AloneAgainError, draft: int, person: Person, now: datetime
) -> None:
    """The audit entry of a comparison that was rolled back: the refusal tells what it found."""
    payload = {
        "view": "emergency",
        "draft_number": draft,
        "refused": True,
        "order_ids": list(refused.order_ids),
    }
    async with conn.transaction():
        await record_look(conn, seal, EntryType.ORDERS_COMPARED, person, None, payload, now)
