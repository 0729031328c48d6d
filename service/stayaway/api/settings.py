"""What the review server is given; it reads no clock, file or environment of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.access.registry_policy import RegistryPolicy
from stayaway.orders.known_places import NO_PLACES, KnownPlaces
from stayaway.platform.clock import now
from stayaway.platform.postgres import Pool
from stayaway.platform.seal import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """Proof of life. `last_read_s`: seconds since the matcher last took in a read, None if never.

    `readers_heard` of `readers_known` where somebody counts them; `note`: one line more, such as the
    instant that a replay has reached; `holds`: partitions that stand still, each with its reason.
    """

    last_read_s: float | None
    readers_heard: int | None = None
    readers_known: int | None = None
    note: str | None = None
    holds: tuple[str, ...] = ()


StatusSource = Callable[[], StreamStatus | Awaitable[StreamStatus]]


def no_image(_sha256: str) -> bytes | None:
    """No image store: every image is a placeholder."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """`clock`: what "read N min ago" counts from (a replay has its own); `wall_clock`: leases and records.

    `images`: the bytes of an image by the SHA-256 in hex that its read carries, None where there is none.
    `status`: proof of life; None asks the database when a partition last moved.
    `registry_policy`: without one nobody puts an emergency order in force alone, and nothing is due.
    `places`: what orders are checked against besides the registry.
    `stale_after_s`: without a read for so long, the page says that the stream is stale.
    """

    pool: Pool
    seal: Seal
    policy: Policy
    registry_policy: RegistryPolicy | None = None
    places: KnownPlaces = NO_PLACES
    clock: Callable[[], datetime] = now
    wall_clock: Callable[[], datetime] = now
    images: Callable[[str], bytes | None] = no_image
    status: StatusSource | None = None
    stale_after_s: float = 10.0
