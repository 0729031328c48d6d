"""The policy files on disk."""

from pathlib import Path

from stayaway.access.policy import Policy, parse_policy
from stayaway.access.registry_policy import RegistryPolicy, parse_registry_policy
from stayaway.platform.files import read_file


def load_policy(path: Path) -> Policy:
    """The policy in the file; SettingsError where it is missing or cannot be used."""
    return parse_policy(read_file(path, "policy file"))


def load_registry_policy(path: Path) -> RegistryPolicy:
    """The registry's policy in the file; SettingsError where it is missing or cannot be used."""
    return parse_registry_policy(read_file(path, "registry policy file"))
