"""Each edge of a rule moved by a hair, or half of a rule forgotten, makes the comparison fail.

`test_gates_are_needed` takes whole rules out; here starts and ends, "the first" and "the last",
"all" and "any" are swapped in the text of the functions that decide.
"""

import pytest

import compare
import oracle
from stayaway.access.policy import parse_policy
from stayaway.alerts import episodes
from stayaway.alerts import replay as replay_module
from stayaway.kernel import timezones
from stayaway.matching import decision, identity
from stayaway.orders import expiry, rules, schedule
from stayaway.orders.parse import parse_orders_file, to_orders
from stayaway.sightings import batch
from support.corners import corner_world
from support.days import Json, build_day
from support.mutations import Rewrite
from support.worlds import draw_world

REWRITES = [
    Rewrite(rules.choose_version, "v.effective_at <= t", "v.effective_at < t"),
    Rewrite(rules.choose_version, "n.noticed_at <= t", "n.noticed_at < t"),
    Rewrite(rules.counting_versions, "v.status not in _UNCOUNTED and ", ""),
    Rewrite(rules.choose_version, "return versions[0]", "return versions[-1]"),
    Rewrite(rules.choose_version, "return in_effect[-1]", "return in_effect[0]"),
    Rewrite(rules.choose_version, "while chosen + 1", "if chosen + 1"),
    Rewrite(rules.counting_notices, "n.respondent_id == respondent_id and ", ""),
    Rewrite(rules.version_expires_at, "min(", "max("),
    Rewrite(rules.order_reasons, "n.order_version <= version.version and ", ""),
    Rewrite(rules.order_reasons, "n.noticed_at <= t", "n.noticed_at < t"),
    Rewrite(rules.order_reasons, "all(v.status", "any(v.status"),
    Rewrite(rules.order_reasons, "standing[-1].status", "version.status"),
    Rewrite(rules.order_reasons, "version.effective_at > t", "version.effective_at >= t"),
    Rewrite(rules.order_reasons, "expiry_at <= t", "expiry_at < t"),
    Rewrite(rules.order_reasons, "r.recalled_at <= t", "r.recalled_at < t"),
    Rewrite(rules.order_reasons, "s.from_at <= t", "s.from_at < t"),
    Rewrite(rules.order_reasons, "t < s.until_at", "t <= s.until_at"),
    Rewrite(rules.has_ended_by, "return expired or lapsed or", "return"),
    Rewrite(rules.has_ended_by, "r.recalled_at <= known_at", "False"),
    Rewrite(rules.schedule_covers, "any(", "all("),
    Rewrite(expiry._day_after, "min(day.day, monthrange(year, month + 1)[1])", "1"),
    Rewrite(expiry.expires_at, "version.court_time_zone", "'UTC'"),
    Rewrite(timezones.end_of_day, "days=1", "days=0"),
    Rewrite(timezones.resolve_local, "zone, fold=0", "zone, fold=1"),
    Rewrite(schedule.open_until, "window.start_local, zone) <= at", "window.start_local, zone) < at"),
    Rewrite(schedule.open_until, "<= at < end_at", "<= at <= end_at"),
    Rewrite(schedule.open_until, "if start_at <= at and", "if start_at < at and"),
    Rewrite(schedule.open_until, "if at < end_at", "if at <= end_at"),
    Rewrite(schedule.open_until, "start_at <= rule.until_at", "start_at < rule.until_at"),
    Rewrite(schedule.open_until, "_instant(moved(start_local, span), zone)", "start_at + span"),
    Rewrite(identity.find_identity, "ranked[:2] < best[:2]", "ranked[:1] <= best[:1]"),
    Rewrite(identity.match_region, "read.region is None or ", ""),
    Rewrite(identity.match_region, "vehicle.region is None or ", ""),
    Rewrite(identity.match_region, "< policy.min_region_confidence", "<= policy.min_region_confidence"),
    Rewrite(identity.match_plate, 'region_match == "DIFFERS" or ', ""),
    Rewrite(identity.match_plate, "< policy.loose_min_length", "<= policy.loose_min_length"),
    Rewrite(identity.compare_description, "all(equal)", "any(equal)"),
    Rewrite(identity.compare_description, "a.casefold() == b.casefold()", "a == b"),
    Rewrite(decision.relate, "0.0 if over_cap else ", ""),
    Rewrite(decision.relate, "accuracy_m > policy.accuracy_cap_m", "accuracy_m >= policy.accuracy_cap_m"),
    Rewrite(decision.effective_accuracy_m, "return sighting.accuracy_m", "pass"),
    Rewrite(decision._evidence_reasons, "place.probability < policy", "place.probability <= policy"),
    Rewrite(decision._evidence_reasons, "and not zone.warning_alerts", ""),
    Rewrite(decision._exceptions, "not exception.names(zone.zone_id)", "False"),
    Rewrite(decision._exceptions, "not any(", "not all("),
    Rewrite(decision._exception_relation, "distance_m < radius_m", "False"),
    Rewrite(decision._exception_relation, "if is_inside(place, sighting.lon, sighting.lat)", "if True"),
    Rewrite(decision._cautions, "age_us > policy", "age_us >= policy"),
    Rewrite(decision._judge, "sorted(applying if reasons else possible)", "sorted(applying)"),
    Rewrite(replay_module._alertings, 'if match.outcome == "ALERT"', "if True"),
    Rewrite(episodes.split_at_gaps, "> gap_us", ">= gap_us"),
    Rewrite(episodes.split_at_gaps, 'sorted(alertings, key=attrgetter("observed_us"))', "list(alertings)"),
    Rewrite(episodes.Summary.joined, 'cautions -= {"HISTORICAL"}', "pass"),
    Rewrite(episodes.Summary.joined, "min(self.match_kind", "max(self.match_kind"),
    Rewrite(episodes.Summary.joined, "min(self.zone_relation", "max(self.zone_relation"),
    Rewrite(episodes._to_episode, "len({member.key for member in members})", "len(members)"),
    Rewrite(episodes._to_episode, "{member.key for", "{member.line for"),
    Rewrite(batch._refuse_by_age, "future | (age_us", "(age_us"),
    Rewrite(batch._refuse_by_age, 'future | (age_us > policy.seconds_us("max_age_s"))', "future"),
    Rewrite(batch._refuse_by_age, "age_us < -policy", "age_us <= -policy"),
    Rewrite(batch._refuse_by_age, "(age_us > policy", "(age_us >= policy"),
]  # fmt: skip

WORLDS = 30
Inputs = tuple[bytes, bytes, list[bytes], list[Json]]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Inputs]:
    """A small day, the corners, random worlds: orders, policy, lines, and what the oracle makes of them."""
    day = build_day(7, tmp_path_factory.mktemp("day"), reads=300)
    found = [(day.orders.read_bytes(), day.policy.read_bytes(), day.event_lines(), day.expected())]
    for world in (corner_world(), *map(draw_world, range(WORLDS))):
        expected = compare.telling(oracle.decide(world.orders, world.policy, world.lines, None))
        found.append((world.orders_bytes(), world.policy_bytes(), world.lines, expected))
    return found


def differs(given: Inputs) -> bool:
    orders, policy, lines, expected = given
    parsed = parse_orders_file(orders)
    assert parsed.known_at is not None
    snapshot = replay_module.snapshot_known_at(to_orders(parsed), parsed.known_at)
    found = replay_module.replay(snapshot, parse_policy(policy), lines)
    return bool(compare.differences(expected, compare.telling(found)))


def test_unchanged_everything_agrees(inputs: list[Inputs]) -> None:
    assert [number for number, given in enumerate(inputs) if differs(given)] == []


@pytest.mark.parametrize("rewrite", REWRITES, ids=str)
def test_moved_by_a_hair_it_fails(
    rewrite: Rewrite, inputs: list[Inputs], monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite.apply(monkeypatch)
    assert any(map(differs, inputs)), f"nothing notices {rewrite}"
