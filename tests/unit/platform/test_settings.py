"""Settings: read from the environment, refused together, never guessed."""

from pathlib import Path

import pytest

from stayaway.kernel.errors import SettingsError
from stayaway.platform.settings import Settings, read_settings

SECRET = "hunter2"


def test_the_environment_is_read() -> None:
    settings = read_settings(
        {
            "STAYAWAY_DATABASE": "postgresql://u@h/d",
            "STAYAWAY_BOOTSTRAP": "h:9092",
            "STAYAWAY_KEYS_FILE": "keys.jsonl",
            "STAYAWAY_FIRST_POSITION": "latest",
            "STAYAWAY_WAIT_S": "2.5",
            "STAYAWAY_REGISTRY_LIMIT_S": "12",
            "STAYAWAY_HEALTH_PORT": "0",
            "STAYAWAY_READERS_FILE": "readers.json",
            "STAYAWAY_COURT_AREAS_FILE": "areas.json",
            "STAYAWAY_FAILPOINTS": "before_commit",
            "HOME": "elsewhere",
        }
    )
    assert settings == Settings(
        database="postgresql://u@h/d",
        bootstrap="h:9092",
        keys_file=Path("keys.jsonl"),
        first_position="latest",
        wait_s=2.5,
        registry_limit_s=12.0,
        health_port=0,
        readers_file=Path("readers.json"),
        court_areas_file=Path("areas.json"),
    )


def test_everything_wrong_is_listed_and_no_value_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {
                "STAYAWAY_DATABASE": f"mysql://u:{SECRET}@h/d",
                "STAYAWAY_FIRST_POSITION": "newest",
                "STAYAWAY_WAIT_S": "nan",
                "STAYAWAY_REGISTRY_LIMIT_S": "1",
                "STAYAWAY_BOOTSTRAP": " ",
                "STAYAWAY_HEALTH_PORT": "65536",
                "STAYAWAY_POLICYFILE": "x",
            }
        )
    text = str(caught.value)
    for part in (
        "DATABASE is no",
        "FIRST_POSITION must",
        "WAIT_S must",
        "REGISTRY_LIMIT_S must be 5 to",
        "BOOTSTRAP is empty",
        "HEALTH_PORT must be a port",
        "POLICYFILE is no",
    ):
        assert part in text
    assert SECRET not in text


@pytest.mark.parametrize("name", ["database", "bootstrap", "keys_file", "policy_file", "first_position"])
def test_what_is_needed_and_missing_is_named_with_its_option(name: str) -> None:
    """Nothing that decides where data is or which reads count has a default."""
    with pytest.raises(SettingsError, match=f"STAYAWAY_{name.upper()} is not set.*--"):
        getattr(Settings(), f"need_{name}")()
    assert getattr(Settings(**{name: "given"}), f"need_{name}")() == "given"  # type: ignore[arg-type]
