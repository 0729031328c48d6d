"""Each gate and rule, taken out on purpose, makes the comparison with the oracle fail.

A suite that stays green without a rule proves nothing about it. What is compared is what the
other tests compare: random worlds and a small day in which every planted case stands.
"""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compare
import oracle
from stayaway.access.policy import Policy, parse_policy
from stayaway.alerts import replay as replay_module
from stayaway.alerts.replay import replay, snapshot_known_at
from stayaway.matching import boundary, decision, engine, identities, identity, index
from stayaway.matching.inside import is_inside
from stayaway.orders import rules
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.sightings import batch
from support.days import build_day
from support.worlds import draw_world

Patch = Callable[[pytest.MonkeyPatch], None]
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Case:
    """Inputs and what the oracle makes of them."""

    orders: bytes
    policy: bytes
    lines: list[bytes]
    expected: list[compare.Json]

    def differs(self) -> bool:
        parsed = parse_orders_file(self.orders)
        assert parsed.known_at is not None
        snapshot = snapshot_known_at(to_orders(parsed), parsed.known_at)
        found = list(replay(snapshot, parse_policy(self.policy), self.lines))
        telling = list(compare.telling(found))
        return bool(compare.differences(list(compare.telling(self.expected)), telling))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Twelve worlds and one small day."""
    found = []
    for seed in range(12):
        world = draw_world(seed)
        expected = list(oracle.decide(world.orders, world.policy, world.lines, None))
        found.append(Case(world.orders_bytes(), world.policy_bytes(), world.lines, expected))
    folder: Path = tmp_path_factory.mktemp("day")
    day = build_day(7, folder, reads=300)
    found.append(Case(day.orders.read_bytes(), day.policy.read_bytes(), day.event_lines(), day.expected()))
    return found


def put(target: Any, name: str, value: Any) -> Patch:
    return lambda patch: patch.setattr(target, name, value)


def without_reason(reason: str) -> Patch:
    """The order's own reasons, but for one."""
    original = rules.order_reasons

    def fewer(*arguments: Any) -> list[str]:
        return [found for found in original(*arguments) if found != reason]

    return put(decision, "order_reasons", fewer)


def without_evidence_reason(reason: str) -> Patch:
    original = decision._evidence_reasons

    def fewer(*arguments: Any) -> list[str]:
        return [found for found in original(*arguments) if found != reason]

    return put(decision, "_evidence_reasons", fewer)


def without_caution(caution: str) -> Patch:
    original = decision._cautions

    def fewer(*arguments: Any) -> list[str]:
        return [found for found in original(*arguments) if found != caution]

    return put(decision, "_cautions", fewer)


def without_relief(patch: pytest.MonkeyPatch) -> None:
    original = rules.choose_version

    def choose(order: Any, notices: Any, t: datetime) -> Any:
        plain = tuple(dataclasses.replace(version, relief=False) for version in order.versions)
        chosen = original(dataclasses.replace(order, versions=plain), notices, t)
        return next(version for version in order.versions if version.version == chosen.version)

    patch.setattr(decision, "choose_version", choose)


def with_policy(**changes: Any) -> Patch:
    """The engine works by another policy than the one it was given."""
    original = engine.Engine

    def make(snapshot: Any, policy: Policy) -> Any:
        return original(snapshot, policy.model_copy(update=changes))

    return put(replay_module, "Engine", make)


def open_boundary(patch: pytest.MonkeyPatch) -> None:
    """What is on the boundary counts as outside."""

    def strictly(shape: Any, lon: float, lat: float) -> bool:
        return is_inside(shape, lon, lat) and boundary.boundary_distance_m(shape, lon, lat, 1.0) > 0

    patch.setattr(decision, "is_inside", strictly)


def one_meridian(patch: pytest.MonkeyPatch) -> None:
    """-180 and 180 are two meridians."""
    patch.setattr(boundary, "_offset_degrees", lambda edges, lon: edges.lon1 - lon)


MUTATIONS: dict[str, Patch] = {
    "FUTURE and TOO_OLD": put(batch, "_refuse_by_age", lambda columns, *_: columns),
    "version: notices": put(
        decision, "choose_version", lambda order, _n, t: rules.choose_version(order, (), t)
    ),
    "version: effect": put(
        decision, "choose_version", lambda order, n, _t: rules.choose_version(order, n, LONG_AGO)
    ),
    "version: relief": without_relief,
    "version: which notices count": with_policy(notice_kinds=["PERSONAL", "MAIL", "IN_COURT"]),
    "identity: confusion classes": put(identity, "fold_plate", lambda plate: plate),
    "identity: the gate's confusion classes": put(identities, "_FOLDED", np.arange(256, dtype=np.uint8)),
    "identity: one substitution": put(identity, "differing_positions", lambda *_: (0, 1)),
    "identity: regions": put(identity, "match_region", lambda *_: "MATCH"),
    "identity: the region's confidence": with_policy(min_region_confidence=0.0),
    "identity: the shortest loose plate": with_policy(loose_min_length=1),
    "identity: the best kind first": put(identity, "_RANK", dict.fromkeys(identity._RANK, 0)),
    "identity: description": put(identity, "compare_description", lambda *_: "UNKNOWN"),
    "identity: devices": put(identities.OrderIdentities, "_agree_plates", lambda *_: np.arange(0)),
    "place: boundary inside": open_boundary,
    "place: one meridian": one_meridian,
    "place: accuracy circle": put(decision, "circle_radius_m", lambda *_: 0.0),
    "place: the anchor's accuracy": put(decision, "circle_radius_m", lambda accuracy_m, _a: accuracy_m),
    "place: the cap": with_policy(accuracy_cap_m=1e6),
    "place: probability": put(decision, "inside_probability", lambda *_: 0.6),
    "index: the reach": put(index, "reach_boxes", lambda bounds, _r: (bounds, np.arange(len(bounds)))),
    "schedule": put(decision, "schedule_covers", lambda *_: True),
    "exceptions: time": put(decision, "covers", lambda *_: True),
    "exceptions: place": put(decision, "_exception_relation", lambda *_: "APPLIES"),
    "exceptions: at all": put(decision, "_exceptions", lambda *_: ([], [])),
    "episodes: the gap": put(replay_module, "group_alerts", lambda found, _g: _grouped(found)),
    **{f"reason {name}": without_reason(name) for name in (
        "NOT_APPROVED", "ENTERED_IN_ERROR", "NOT_NOTICED", "NOT_YET_EFFECTIVE", "EXPIRED", "RECALLED", "VOID",
        "SUSPENDED",
    )},
    **{f"reason {name}": without_evidence_reason(name) for name in (
        "REGION_DIFFERS", "KIND_NOT_ALLOWED", "WARNING_RING", "POSITION_UNCERTAIN", "ACCURACY_OVER_CAP",
        "CELL_ONLY",
    )},
    **{f"caution {name}": without_caution(name) for name in (
        "EXCEPTION_POSSIBLE", "HISTORICAL", "ORDER_SINCE_ENDED",
    )},
}  # fmt: skip


def _grouped(found: Any) -> Any:
    from stayaway.alerts.episodes import group_alerts

    return group_alerts(found, 10**15)


def shared_vehicle(patch: pytest.MonkeyPatch) -> None:
    original = decision._bind

    def bind(*arguments: Any) -> Any:
        binding = original(*arguments)
        if binding is None:
            return None
        person = binding.respondent
        vehicles = tuple(dataclasses.replace(vehicle, used_by=None) for vehicle in person.vehicles)
        return dataclasses.replace(binding, respondent=dataclasses.replace(person, vehicles=vehicles))

    patch.setattr(decision, "_bind", bind)


MUTATIONS["reason SHARED_VEHICLE"] = shared_vehicle


def test_unchanged_everything_agrees(cases: list[Case]) -> None:
    assert [number for number, case in enumerate(cases) if case.differs()] == []


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_without_it_the_comparison_fails(
    name: str, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    MUTATIONS[name](monkeypatch)
    assert any(case.differs() for case in reversed(cases)), f"nothing notices that {name!r} is gone"
