"""A policy that gives a name twice is no policy: two readers would decide by two."""

import json

import pytest

from stayaway.access.policy import parse_policy
from stayaway.access.registry_policy import parse_registry_policy
from stayaway.kernel.errors import SettingsError
from support.lives import REGISTRY_POLICY
from support.wire_examples import POLICY


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        (
            '"min_region_confidence":',
            '"min_region_confidence":0,"min_region_confidence":',
            "/min_region_confidence",
        ),
        ('"WIFI":', '"WIFI":1,"W\\u0049FI":', "/default_accuracy_m/WIFI"),
        ('"schema":', '"schema":"policy.v1","schema":', "/schema"),
    ],
)
def test_a_name_given_twice_is_named_with_its_place(old: str, new: str, pointer: str) -> None:
    text = json.dumps(POLICY)
    assert text.count(old) == 1
    assert parse_policy(text.encode()).min_region_confidence == POLICY["min_region_confidence"]
    with pytest.raises(SettingsError, match=rf"{pointer}\. Write each name once"):
        parse_policy(text.replace(old, new).encode())


def test_so_is_the_registry_s() -> None:
    text = json.dumps(REGISTRY_POLICY)
    twice = text.replace('"validation_then_days":', '"validation_then_days":1,"validation_then_days":')
    with pytest.raises(SettingsError, match=r"/validation_then_days\. Write each name once"):
        parse_registry_policy(twice.encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"a":"\\ud800","a":1}'])
def test_what_is_no_policy_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(SettingsError, match=r"policy file|policy\.v1"):
        parse_policy(data)
