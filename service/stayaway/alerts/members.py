"""The members of open alerts, judged again from their sealed evidence on what is known now."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stayaway.access.policy import Policy
from stayaway.alerts.episodes import Alerting
from stayaway.alerts.kept import decode_kept
from stayaway.alerts.queries import SQL
from stayaway.alerts.rows import Basis, basis_detail, probability, seal_detail
from stayaway.kernel.instants import format_instant, to_us
from stayaway.kernel.jsontext import canonical_json, parse_json
from stayaway.matching.engine import Engine
from stayaway.matching.model import Match
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal, SealError

_ENDED = "ORDER_SINCE_ENDED"
_KEY = ("order_id", "respondent_id", "source", "event_id", "observed_at", "content_digest", "zone_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An alerting decision's row, and what it is judged to be now (None: no match any more)."""

    row: Any
    match: Match | None
    content_sha256: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The decision row's primary key."""
        return tuple(self.row[name] for name in _KEY)

    @property
    def stands(self) -> bool:
        """Whether it would alert today too."""
        return self.match is not None and not self.match.reasons

    @property
    def is_changed(self) -> bool:
        """Whether it is judged otherwise than its row says."""
        return self.match is None or bool(self.match.reasons) or _differs(self.row, self.match)

    @property
    def is_newly_ended(self) -> bool:
        """Whether its order has ended since, which its row does not say yet."""
        return self.match is not None and _ENDED in self.match.cautions and _ENDED not in self.row["cautions"]


def judge_again(seal: Seal, rows: Sequence[Any], engine: Engine, policy: Policy) -> dict[str, list[Member]]:
    """Each alerting member with today's match, by root."""
    events: dict[tuple[Any, ...], int] = {}
    values: list[bytes] = []
    digests: list[str] = []
    for row in rows:
        key = (row["order_id"], row["source"], row["event_id"], row["observed_at"], row["content_digest"])
        if key not in events:
            events[key] = len(values)
            # Not compared with its digest: a row that somebody moved keeps no recall out. Who looks is told.
            payload = parse_json(seal.unseal(row["order_id"], "sighting", row["payload_sealed"]))
            values.append(payload["value"].encode())
            digests.append(payload["content_sha256"])
    batch = decode_kept(values, policy)
    found = {
        (decision.index, match.order_id, match.respondent_id, match.zone_id): match
        for decision in engine.judge(batch).decisions
        for match in decision.matches
    }
    members: dict[str, list[Member]] = {}
    for row in rows:
        event = (row["order_id"], row["source"], row["event_id"], row["observed_at"], row["content_digest"])
        place = events[event]
        match = found.get((place, row["order_id"], row["respondent_id"], row["zone_id"]))
        member = Member(row=row, match=match, content_sha256=digests[place])
        members.setdefault(row["root_id"], []).append(member)
    return members


async def write_members(conn: Connection, seal: Seal, members: Sequence[Member], basis: Basis) -> None:
    """Withdraw the decisions that no longer stand, revise those that changed.

    Every row that changes names the basis it was judged on now, so that it can be run again.
    """
    withdrawn = [
        (*member.key, *_basis_columns(basis), _with_basis(seal, member.row, basis))
        for member in members
        if member.match is None
    ]
    revised = [
        _revision(seal, member, member.match, basis)
        for member in members
        if member.match is not None and member.is_changed
    ]
    if withdrawn:
        await conn.executemany(SQL.withdraw_decision, withdrawn)
    if revised:
        await conn.executemany(SQL.revise_decision, revised)


def _with_basis(seal: Seal, row: Any, basis: Basis) -> bytes:
    """The decision's detail as it was, on another basis: what it matched then is still told."""
    detail = parse_json(seal.unseal(row["order_id"], "decision", row["detail_sealed"]))
    return seal.seal(row["order_id"], "decision", canonical_json({**detail, "basis": basis_detail(basis)}))


def _basis_columns(basis: Basis) -> tuple[Any, ...]:
    return basis.registry_sequence, basis.known_at, basis.policy_sha256, basis.engine, basis.decided_at


def _differs(row: Any, match: Match) -> bool:
    return (
        row["order_version"],
        row["match_kind"],
        row["region_match"],
        row["description"],
        row["zone_relation"],
        row["inside_probability"],
        tuple(row["cautions"]),
    ) != (
        match.order_version,
        match.match_kind,
        match.region_match,
        match.description,
        match.zone_relation,
        probability(match),
        match.cautions,
    )


def _revision(seal: Seal, member: Member, match: Match, basis: Basis) -> tuple[Any, ...]:
    return (
        *member.key,
        "ALERT" if member.stands else "WITHDRAWN",
        list(match.reasons),
        match.order_version,
        match.match_kind,
        match.region_match,
        match.description,
        match.zone_relation,
        probability(match),
        list(match.cautions),
        *_basis_columns(basis),
        seal_detail(seal, match, basis),
    )


def to_alertings(members: Iterable[Member]) -> list[tuple[Alerting, Member]]:
    """The members that stand, as episodes take them."""
    alertings = []
    for member in members:
        if member.match is None or not member.stands:
            continue
        row = member.row
        observed_us = to_us(row["observed_at"])
        key = (row["source"], row["event_id"], observed_us, row["content_digest"])
        alertings.append((Alerting(0, key, observed_us, member.match), member))
    return alertings


def members_payload(members: Sequence[Member]) -> list[dict[str, Any]]:
    """The members as an audit entry names them."""
    return [
        {**_named(member), "reasons": list(member.match.reasons) if member.match else []}
        for member in members
    ]


def overwritten_payload(seal: Seal, members: Iterable[Member]) -> list[dict[str, Any]]:
    """What the rows of changed members said until now, which is overwritten, as an audit entry keeps it.

    With what each was judged on, so that it can be run again, and the SHA-256 of its detail, which proves
    the steps that were shown.
    """
    return [
        {**_named(member), **_judged_before(member.row), **_detail_digests(seal, member.row)}
        for member in members
        if member.is_changed
    ]


def _named(member: Member) -> dict[str, Any]:
    return {
        "source": member.row["source"],
        "event_id": member.row["event_id"],
        "observed_at": format_instant(member.row["observed_at"]),
        "content_sha256": member.content_sha256,
        "zone_id": member.row["zone_id"],
    }


def _judged_before(row: Any) -> dict[str, Any]:
    probability = row["inside_probability"]
    return {
        "order_version": row["order_version"],
        "match_kind": row["match_kind"],
        "region_match": row["region_match"],
        "description": row["description"],
        "zone_relation": row["zone_relation"],
        "inside_probability": None if probability is None else str(probability),
        "cautions": list(row["cautions"]),
        "registry_sequence": row["registry_sequence"],
        "known_at": format_instant(row["known_at"]),
        "policy_sha256": row["policy_sha256"],
        "engine": row["engine"],
        "decided_at": format_instant(row["decided_at"]),
    }


def _detail_digests(seal: Seal, row: Any) -> dict[str, Any]:
    try:
        inside = seal.unseal(row["order_id"], "decision", row["detail_sealed"])
    except SealError:  # changed outside: no reason to keep a change of the order out, and nothing to prove
        return dict.fromkeys(("detail_sha256", "order_sha256", "input_sha256"))
    detail = parse_json(inside)
    return {
        "detail_sha256": hashlib.sha256(inside).hexdigest(),
        "order_sha256": detail["order_sha256"],
        "input_sha256": detail["input_sha256"],
    }
