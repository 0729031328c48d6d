"""`decide` and an oracle that shares no code with it say the same of crowded random worlds."""

import random
from collections import Counter

import pytest

import compare
import oracle
from stayaway.access.policy import parse_policy
from stayaway.alerts.replay import Line, replay, snapshot_known_at
from stayaway.kernel.instants import parse_instant
from stayaway.orders.parse import parse_orders_file, to_orders
from support.worlds import World, draw_world

FRESH_DRAWS = range(20)


def decided(world: World, known_at: str | None = None, batch_lines: int = 5_000) -> list[Line]:
    parsed = parse_orders_file(world.orders_bytes())
    assert not parsed.has_errors, [finding.as_line() for finding in parsed.findings]
    assert parsed.known_at is not None
    at = parse_instant(known_at) if known_at else parsed.known_at
    snapshot = snapshot_known_at(to_orders(parsed), at)
    return list(replay(snapshot, parse_policy(world.policy_bytes()), world.lines, batch_lines))


def assert_as_the_oracle(seed: int) -> None:
    world = draw_world(seed)
    expected = list(oracle.decide(world.orders, world.policy, world.lines, None))
    assert compare.differences(expected, decided(world)) == [], f"seed {seed}"


@pytest.mark.parametrize("seed", range(60))
def test_a_random_world_is_judged_as_the_oracle_judges_it(seed: int) -> None:
    assert_as_the_oracle(seed)


@pytest.mark.parametrize("draw", FRESH_DRAWS)
def test_a_fresh_world_is_judged_as_the_oracle_judges_it(draw: int) -> None:
    """Seeds nobody has seen; drawn here, so that parallel runs collect the same tests."""
    assert_as_the_oracle(random.SystemRandom().randrange(1 << 32))


@pytest.mark.parametrize("seed", range(100, 110))
def test_as_known_at_an_earlier_instant(seed: int) -> None:
    world = draw_world(seed)
    known_at = "2026-03-06T12:00:00Z"
    expected = list(oracle.decide(world.orders, world.policy, world.lines, known_at))
    assert compare.differences(expected, decided(world, known_at)) == [], f"seed {seed}"


def test_the_worlds_reach_every_reason_and_caution() -> None:
    """A comparison over worlds in which a rule never holds would prove nothing about it."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        for line in decided(draw_world(seed)):
            seen.update(line.get("reasons", ()))
            for match in line.get("matches", ()):
                seen.update(
                    [*match["reasons"], *match["cautions"], match["match_kind"], match["zone_relation"]]
                )
    names = """REGION_DIFFERS KIND_NOT_ALLOWED WARNING_RING POSITION_UNCERTAIN ACCURACY_OVER_CAP CELL_ONLY
        NOT_APPROVED ENTERED_IN_ERROR NOT_NOTICED NOT_YET_EFFECTIVE EXPIRED RECALLED VOID SUSPENDED
        OUTSIDE_SCHEDULE EXCEPTION_APPLIES SHARED_VEHICLE EXCEPTION_POSSIBLE HISTORICAL ORDER_SINCE_ENDED
        DEVICE EXACT REGION_UNKNOWN OCR_EQUIVALENT ONE_DIFFERENT INSIDE INSIDE_WITHIN_ERROR WARNING
        FUTURE TOO_OLD"""
    wanted = names.split()
    assert [name for name in wanted if not seen[name]] == []


@pytest.mark.parametrize("batch_lines", [1, 7, 500])
def test_batch_size_changes_nothing(batch_lines: int) -> None:
    world = draw_world(7)
    assert decided(world, batch_lines=batch_lines) == decided(world)


def test_neighbours_change_nothing() -> None:
    """Shuffled events get the decisions they had, and the same alerts but for their lines."""
    world = draw_world(11)
    shuffled = World(world.orders, world.policy, random.Random(5).sample(world.lines, len(world.lines)))

    def alike(lines: list[Line]) -> list[str]:
        return sorted(str({k: v for k, v in line.items() if k not in ("line", "lines")}) for line in lines)

    assert alike(decided(world)) == alike(decided(shuffled))
