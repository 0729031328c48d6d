"""Each rule of joining, moved by a hair, makes the comparison of episodes with the oracle fail."""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stayaway.alerts import episodes, plan
from stayaway.alerts.episodes import Alerting
from support.episode_world import alertings
from support.mutations import Rewrite
from unit.alerts import test_episodes as proof

REWRITES = [
    Rewrite(plan._clusters, "first - reach > gap_us", "first - reach >= gap_us"),
    Rewrite(plan._clusters, "max(reach, last) if cluster else last", "last"),
    Rewrite(plan._clusters, "items.sort(key=lambda item: item[:2])", ""),
    Rewrite(plan._with_followers, "row.raised_anew_from in ids and ", "False and "),
    Rewrite(plan._change, "if member.is_new_event", ""),
    Rewrite(plan._change, "for row in roots) + new_events", "for row in roots[:1]) + new_events"),
    Rewrite(plan._change, "if rose and kept[-1].state in DISPOSED:", "if False:"),
    Rewrite(plan._change, "if rose and kept[-1].state in DISPOSED:", "if rose:"),
    Rewrite(plan._change, "min(member.observed_us for member in members)", "summary.first_us"),
    Rewrite(plan._change, "tuple(row for row in chain if row not in kept)", "()"),
    Rewrite(episodes.Summary.rises_above, "or not self.zone_ids <= other.zone_ids", ""),
    Rewrite(episodes.Summary.joined, "self.cautions | other.cautions", "self.cautions"),
]


@settings(
    max_examples=1_000,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(alertings(), st.randoms(use_true_random=False))
def compare(items: list[Alerting], random: Random) -> None:
    """Both proofs on one world, and no time spent on making it small."""
    proof.check_without_people(items, random)
    proof.check_with_people(items, random)


def prove() -> None:
    """What is rarely drawn first, then random worlds, the same ones each time."""
    proof.check_two_within_a_long_visit()
    proof.check_raised_anew_after_merging()
    compare()


@pytest.mark.parametrize("rewrite", REWRITES, ids=str)
def test_moved_by_a_hair_it_fails(rewrite: Rewrite, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite.apply(monkeypatch)
    with pytest.raises((AssertionError, KeyError, BaseExceptionGroup)):
        prove()
