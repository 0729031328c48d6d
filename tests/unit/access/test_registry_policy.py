"""The registry's policy: every field required, nothing guessed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from stayaway.access.policy_file import load_registry_policy
from stayaway.access.registry_policy import parse_registry_policy
from stayaway.kernel.errors import SettingsError
from support.lives import REGISTRY_POLICY, registry_policy


@pytest.mark.parametrize("name", sorted(REGISTRY_POLICY))
def test_every_field_is_required(name: str) -> None:
    body = {key: value for key, value in REGISTRY_POLICY.items() if key != name}
    with pytest.raises(SettingsError, match=f"/{name}"):
        parse_registry_policy(json.dumps(body).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"emergency_single_approval_hours": -1},
        {"emergency_single_approval_hours": 1.5},
        {"emergency_kinds": ["URGENT"]},
        {"validation_first_days": 0},
        {"validation_then_days": None},
        {"schema": "registry_policy.v2"},
        {"feeds_may_change_approved_orders": None},
        {"feeds_may_change_approved_orders": "no"},
    ],
)
def test_what_is_out_of_form_is_named(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=f"/{next(iter(changes))}"):
        registry_policy(**changes)


def test_the_example_can_be_used() -> None:
    file = Path(__file__).parents[3] / "fixtures" / "example" / "registry_policy.json"
    assert load_registry_policy(file).validation_first_days == 90


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_policy_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(SettingsError, match=r"registry policy file|registry_policy\.v1"):
        parse_registry_policy(data)


def test_one_person_alone_only_for_the_kinds_named_and_never_with_zero_hours() -> None:
    policy = registry_policy()
    assert policy.emergency_period("EMERGENCY") == timedelta(hours=24)
    assert policy.emergency_period("FINAL") is None
    assert registry_policy(emergency_single_approval_hours=0).emergency_period("EMERGENCY") is None


def test_what_feeds_may_do_can_be_left_out_and_then_the_digest_is_as_before() -> None:
    """Approvals name the digest: a policy from before the field must keep it."""
    absent, may = registry_policy(), registry_policy(feeds_may_change_approved_orders=True)
    assert absent.feeds_may_change_approved_orders
    assert absent.sha256 == "9f25a8fc152b375c8ea76967d4939ee3ab74533b0168bb0cb2d81b9c576abed0"
    assert may.sha256 != absent.sha256
    assert not registry_policy(feeds_may_change_approved_orders=False).feeds_may_change_approved_orders
