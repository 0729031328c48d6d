"""A matcher without Kafka: events judged and written as the worker's transaction writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from stayaway.access.policies import record_policy
from stayaway.access.policy import Policy
from stayaway.alerts.evidence import Judged
from stayaway.alerts.rows import ENGINE_NAME, Basis
from stayaway.alerts.store import Recorded, publication, record_decisions
from stayaway.matching.engine import Engine
from stayaway.platform.seal import Seal
from stayaway.platform.statements import fetch_in_one
from stayaway.sightings.batch import decode_batch
from stayaway.worker.locks import lock_batch
from support.whole_registry import load_registry

NOW = datetime(2026, 3, 6, 21, 0, tzinfo=UTC)


@dataclass
class DirectWriter:
    """Judges by the registry as it stood when `load` was called last."""

    conn: asyncpg.Connection
    seal: Seal
    policy: Policy
    topic: str = "stayaway.plate-reads.v1"
    partition: int = 0
    next_offset: int = 0
    engine: Engine = field(init=False)

    async def load(self) -> None:
        """Take the registry as it stands."""
        await record_policy(self.conn, self.policy, NOW)
        self.engine = Engine(await load_registry(self.conn, self.seal), self.policy)

    def judge(self, values: Sequence[bytes]) -> list[Judged]:
        """The events that may leave a row, each at the next offset of this writer's partition."""
        decisions = self.engine.judge(decode_batch(values, self.policy)).decisions
        start, self.next_offset = self.next_offset, self.next_offset + len(values)
        return [
            Judged(
                decision=decision,
                value=values[decision.index],
                topic=self.topic,
                partition=self.partition,
                record_offset=start + decision.index,
            )
            for decision in decisions
            if any(match.may_be_stored for match in decision.matches)
        ]

    @property
    def basis(self) -> Basis:
        """What the decisions name."""
        snapshot = self.engine.snapshot
        return Basis(
            registry_sequence=snapshot.registry_sequence,
            known_at=snapshot.known_at,
            policy_sha256=self.policy.sha256,
            engine=ENGINE_NAME,
            gap_us=self.policy.seconds_us("episode_gap_s"),
            decided_at=NOW,
        )

    async def write(self, values: Sequence[bytes]) -> Recorded:
        """One transaction, as the worker's: heads, decisions and alerts, the outbox."""
        judged = self.judge(values)
        async with self.conn.transaction():
            return await self.write_judged(judged)

    async def write_judged(self, judged: Sequence[Judged]) -> Recorded:
        """The same inside the caller's transaction."""
        await lock_batch(self.conn, [], judged)
        recorded = await record_decisions(self.conn, self.seal, judged, self.basis)
        await fetch_in_one(self.conn, [*recorded.to_run, *publication(recorded.changes, NOW)])
        return recorded
