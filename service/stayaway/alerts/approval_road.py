"""How many people stand behind an approval, and how far one alone may go (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stayaway.access.registry_policy import RegistryPolicy
from stayaway.kernel.errors import NotAllowedError, RefusedError
from stayaway.orders.approval import ApprovalKind
from stayaway.orders.draft import OrderDraft

_SECOND = "Ask a second person to approve it."


@dataclass(frozen=True, slots=True)
class Road:
    """`kind`: how many people stand behind an approval; `until_at`: until when it holds; `more`: what else is
    kept of it.
    """

    kind: ApprovalKind
    until_at: datetime | None = None
    more: Mapping[str, str] = field(default_factory=dict)


TWO_PEOPLE = Road("SECOND_PERSON")


def emergency_road(
    draft: OrderDraft, registry_policy: RegistryPolicy | None, reason_text: str, now: datetime
) -> Road:
    """How far one person alone may go with this draft: a new order, for some hours.

    NotAllowedError where that is nowhere. Never a later version: one person could renew their own entry for
    ever, or replace what two people approved. Of two drafts of one new order approved at once the second
    finds the first one's version, under the registry's lock; the database refuses a later version by itself.
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
