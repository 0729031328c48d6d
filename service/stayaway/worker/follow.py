"""The registry that decisions are made on, followed as orders change."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from stayaway.access.policy import Policy
from stayaway.alerts.rows import ENGINE_NAME, Basis
from stayaway.matching.engine import Engine
from stayaway.orders.load import load_registry
from stayaway.platform.logging import get_logger
from stayaway.platform.seal import Seal
from stayaway.worker.coverage import Knowledge
from stayaway.worker.database import Database


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry sequence, ready to judge with."""

    engine: Engine
    policy: Policy
    knowledge: Knowledge

    def basis(self, at: datetime) -> Basis:
        """What decisions made at `at` name."""
        return Basis(
            registry_sequence=self.knowledge.registry_sequence,
            known_at=self.knowledge.known_at,
            policy_sha256=self.knowledge.policy_sha256,
            engine=self.knowledge.engine,
            gap_us=self.policy.seconds_us("episode_gap_s"),
            decided_at=at,
        )


class RegistryFollower:
    """Holds the latest registry; `reload` takes what changed since."""

    def __init__(self, database: Database, seal: Seal, policy: Policy) -> None:
        self._database = database
        self._seal = seal
        self._policy = policy
        self._policy_sha256 = policy.sha256
        self._current: Registry | None = None
        self._compared_at = 0.0

    @property
    def current(self) -> Registry:
        """The registry as loaded last."""
        assert self._current is not None, "reload() comes first"
        return self._current

    async def reload(self) -> Registry:
        """Load what changed. The engine is built in a thread, so that heartbeats go on."""
        previous = None if self._current is None else self._current.engine.snapshot
        conn = await self._database.connection()
        snapshot = await load_registry(conn, self._seal, previous)
        engine = await asyncio.to_thread(Engine, snapshot, self._policy)
        knowledge = Knowledge(
            registry_sequence=snapshot.registry_sequence,
            known_at=snapshot.known_at,
            policy_sha256=self._policy_sha256,
            engine=ENGINE_NAME,
        )
        self._current = Registry(engine, self._policy, knowledge)
        self._compared_at = asyncio.get_running_loop().time()
        get_logger().info(
            "registry applied", registry_sequence=knowledge.registry_sequence, orders=len(snapshot.orders)
        )
        return self._current

    def age_s(self) -> float:
        """Seconds since the registry was last compared with the database."""
        return asyncio.get_running_loop().time() - self._compared_at

    async def follow(self, registry_sequence: int) -> bool:
        """Reload if the database has gone beyond what is loaded."""
        self._compared_at = asyncio.get_running_loop().time()
        if registry_sequence == self.current.knowledge.registry_sequence:
            return False
        await self.reload()
        return True
