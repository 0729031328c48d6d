"""Events as alerts keep them: opened, and checked to be those that their rows were made of (pure)."""

import hmac
from typing import Any, NamedTuple

from stayaway.kernel.errors import StayawayError
from stayaway.kernel.jsontext import parse_json
from stayaway.platform.seal import Seal, SealError
from stayaway.sightings.model import Refusal, Sighting
from stayaway.sightings.wire import parse_sighting


class StoredEvent(NamedTuple):
    """An event's bytes as they were read, and their SHA-256 in hex."""

    value: bytes
    content_sha256: str

    def read(self) -> Sighting:
        """As a sighting. StayawayError where this release does not read it any more."""
        sighting = parse_sighting(self.value)
        if isinstance(sighting, Refusal):
            raise StayawayError(
                f"a stored sighting cannot be read again ({sighting.reason} at {sighting.field})",
                "This software reads fewer wire forms than the one that stored it: upgrade it.",
            )
        return sighting


def open_event(seal: Seal, order_id: str, row: Any) -> StoredEvent:
    """The event of a row with `payload_sealed` and `content_digest`.

    Its order's key opens it in every row of that order: the digest says whether it is this row's. SealError
    where it is not, as where it does not open.
    """
    stored = parse_json(seal.unseal(order_id, "sighting", row["payload_sealed"]))
    content_sha256 = str(stored["content_sha256"])
    if not hmac.compare_digest(seal.reference(order_id, content_sha256), row["content_digest"]):
        raise SealError(
            "what was stored as 'sighting' is another sighting's of the same order",
            "The row was changed outside stayaway: restore it from a backup.",
        )
    return StoredEvent(stored["value"].encode("utf-8"), content_sha256)
