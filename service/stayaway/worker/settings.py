"""What a matcher is started with."""

from dataclasses import dataclass

from stayaway.platform.settings import REGISTRY_LIMIT_S, FirstPosition

TOPICS = ("stayaway.plate-reads.v1", "stayaway.check-ins.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherSettings:
    """Where the servers are and how to begin. `first_position`: where a partition that nobody ever
    read begins; it has no default, because either choice loses or repeats something. `group` None:
    the only matcher there is takes every partition, without waiting for a group to form.
    `registry_limit_s`: out of touch with the order registry for longer, it holds: no read is fetched
    or judged until it has caught up.
    """

    dsn: str
    bootstrap: str
    group: str | None
    owner: str
    first_position: FirstPosition
    topics: tuple[str, ...] = TOPICS
    wait_s: float = 60.0
    session_timeout_ms: int = 10_000
    registry_limit_s: float = REGISTRY_LIMIT_S
