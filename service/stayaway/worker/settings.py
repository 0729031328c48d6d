"""What a matcher is started with."""

from dataclasses import dataclass

from stayaway.worker.assignment import FirstPosition

TOPICS = ("stayaway.plate-reads.v1", "stayaway.check-ins.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherSettings:
    """Where the servers are and how to begin. `first_position`: where a partition that nobody ever
    read begins; it has no default, because either choice loses or repeats something. `group` None:
    the only matcher there is takes every partition, without waiting for a group to form.
    """

    dsn: str
    bootstrap: str
    group: str | None
    owner: str
    first_position: FirstPosition
    topics: tuple[str, ...] = TOPICS
    wait_s: float = 60.0
    session_timeout_ms: int = 10_000
