"""The policies that decisions were made by, kept so that each decision can be run again."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from stayaway.access.policy import Policy, parse_policy
from stayaway.platform.postgres import Connection, load_queries

_SQL = load_queries("stayaway.access", "policies.sql")


async def record_policy(conn: Connection, policy: Policy, at: datetime) -> None:
    """Keep the policy before anything is decided by it."""
    await conn.execute(_SQL.record_policy, policy.sha256, policy.canonical.decode(), at)


async def load_policies(conn: Connection, digests: Collection[str]) -> dict[str, Policy]:
    """Those of `digests` that are kept as they were, by digest; one whose row was changed is left out."""
    rows = await conn.fetch(_SQL.load_policies, sorted(digests))
    kept = [(row["policy_sha256"], row["content"].encode()) for row in rows]
    return {
        digest: parse_policy(content)
        for digest, content in kept
        if hashlib.sha256(content).hexdigest() == digest
    }
