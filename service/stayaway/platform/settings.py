"""Settings from the environment (STAYAWAY_...), all checked at once, none with a secret default."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeVar, get_args

from stayaway.kernel.errors import SettingsError

PREFIX = "STAYAWAY_"

REGISTRY_LIMIT_S = 30.0
"""An order registry that was not the database's for so long may lack an order: nothing is judged on it."""

PLATE_READS_TOPIC = "stayaway.plate-reads.v1"
CHECK_INS_TOPIC = "stayaway.check-ins.v1"
DEAD_LETTERS_TOPIC = "stayaway.dead-letters.v1"

_T = TypeVar("_T")

FirstPosition = Literal["earliest", "latest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are. A command line option goes before the variable of the same name.

    `database`: a postgresql:// address. `bootstrap`: host:port of Kafka, several with commas.
    `keys_file`: the sealing keys, mode 0600. `policy_file`: without one nothing is matched.
    `registry_policy_file`: without one no order is put in force by one person, and nothing is due.
    `readers_file`: where plate readers stand; without one no zone's coverage is checked.
    `court_areas_file`: the areas of courts; without one zones are compared with their states only.
    `first_position`: where a partition without a row starts; it has no default, since one loses
    reads and the other repeats them. `wait_s`: how long to wait for servers at the start.
    `registry_limit_s`: a matcher out of touch with the order registry for longer holds.
    `health_port`: where a matcher serves its health and metrics on the loopback; None: nowhere.
    """

    database: str | None = None
    bootstrap: str | None = None
    keys_file: Path | None = None
    policy_file: Path | None = None
    registry_policy_file: Path | None = None
    readers_file: Path | None = None
    court_areas_file: Path | None = None
    first_position: FirstPosition | None = None
    group: str = "stayaway-matchers"
    wait_s: float = 60.0
    registry_limit_s: float = REGISTRY_LIMIT_S
    health_port: int | None = None

    def need_database(self) -> str:
        """The database's address; SettingsError if none is set."""
        return _need(self.database, "database", "postgresql://USER@HOST/NAME")

    def need_bootstrap(self) -> str:
        """Kafka's address; SettingsError if none is set."""
        return _need(self.bootstrap, "bootstrap", "HOST:PORT")

    def need_keys_file(self) -> Path:
        """The keys file; SettingsError if none is set."""
        return _need(self.keys_file, "keys_file", "the path of a file that is this account's alone")

    def need_policy_file(self) -> Path:
        """The jurisdiction's policy file; SettingsError if none is set."""
        return _need(self.policy_file, "policy_file", "the path of the jurisdiction's policy.v1 file")

    def need_registry_policy_file(self) -> Path:
        """The registry's policy file; SettingsError if none is set."""
        return _need(
            self.registry_policy_file, "registry_policy_file", "the path of the registry_policy.v1 file"
        )

    def need_first_position(self) -> FirstPosition:
        """Where a new partition starts; SettingsError if it was not said."""
        return _need(self.first_position, "first_position", "earliest or latest")


def _need(value: _T | None, name: str, form: str) -> _T:
    if value is None:
        option = "--" + name.removesuffix("_file").replace("_", "-")
        raise SettingsError(f"{PREFIX}{name.upper()} is not set.", f"Set it, or give {option}: {form}.")
    return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises one SettingsError that lists everything wrong in it.

    An unknown STAYAWAY_ variable is refused: it is most often a misspelt one. Values are never
    repeated in the message.
    """
    known = {PREFIX + field.name.upper(): field.name for field in fields(Settings)}
    given: dict[str, object] = {}
    wrong = []
    for variable, text in sorted(environment.items()):
        if variable in known:
            try:
                given[known[variable]] = _parse(known[variable], text)
            except ValueError as error:
                wrong.append(f"{variable} {error}")
        elif variable.startswith(PREFIX) and not variable.startswith(_OTHERS):
            wrong.append(f"{variable} is no setting")
    if wrong:
        raise SettingsError(f"{'; '.join(wrong)}.", f"Settings are: {', '.join(sorted(known))}.")
    return Settings(**given)  # type: ignore[arg-type]


# Read elsewhere: fault tests and the tests' shared data.
_OTHERS = (PREFIX + "FAILPOINTS", PREFIX + "SHARED")


def _parse(name: str, text: str) -> object:
    if not text.strip():
        raise ValueError("is empty")
    if name.endswith("_file"):
        return Path(text)
    if name == "database" and not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("is no postgresql:// address")
    if name == "first_position" and text not in get_args(FirstPosition):
        raise ValueError("must be earliest or latest")
    if name == "wait_s":
        return _parse_seconds(text, least=0)
    if name == "registry_limit_s":
        return _parse_seconds(text, least=5)  # the registry is looked at once a second
    if name == "health_port":
        return _parse_port(text)
    return text


def _parse_port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise ValueError("must be a port from 0 to 65535")
    return int(text)


def _parse_seconds(text: str, *, least: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("is no number of seconds") from None
    if not least <= seconds <= 86_400:
        raise ValueError(f"must be {least} to 86400 seconds")
    return seconds
