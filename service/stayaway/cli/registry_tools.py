"""What the commands of the order registry share: a connection, the seal, the policies, instants."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.database import opened_database
from stayaway.cli.options import EXIT_FAILED, end_with_async, say, settings_with

if TYPE_CHECKING:
    from stayaway.access.person import Person
    from stayaway.access.policy import Policy
    from stayaway.access.registry_policy import RegistryPolicy
    from stayaway.orders.known_places import KnownPlaces
    from stayaway.platform.settings import Settings

OrderId = Annotated[str, typer.Argument(help="The order's id.")]
Purpose = Annotated[str, typer.Option(help="What for; recorded with the look or act.")]
AsJson = Annotated[bool, typer.Option("--json", help="As the API answers, one JSON object.")]
DEFAULT_PURPOSE = "ORDER_REGISTRY"
LAST_VERSION = (1 << 31) - 2
"""`MAX_VERSION` of the wire form, which takes long to load."""


@dataclass(frozen=True)
class Tools:
    """What a command works with; policies are loaded where they are needed."""

    conn: Any
    seal: Any
    settings: "Settings"

    def policy(self) -> "Policy":
        """The jurisdiction's policy; SettingsError without one."""
        from stayaway.access.policy_file import load_policy

        return load_policy(self.settings.need_policy_file())

    def policy_if_any(self) -> "Policy | None":
        """The same, or None: acts need one only where open alerts must be judged again."""
        return self.policy() if self.settings.policy_file else None

    def registry_policy(self) -> "RegistryPolicy":
        """The registry's policy; SettingsError without one."""
        from stayaway.access.policy_file import load_registry_policy

        return load_registry_policy(self.settings.need_registry_policy_file())

    def places(self) -> "KnownPlaces":
        """What orders are checked against besides the registry, where files of it are named."""
        from stayaway.orders.known_places_files import load_known_places

        return load_known_places(self.settings)


def registry_policy_if_any(settings: "Settings") -> "RegistryPolicy | None":
    """The registry's policy, where one is named."""
    from stayaway.access.policy_file import load_registry_policy

    return load_registry_policy(settings.registry_policy_file) if settings.registry_policy_file else None


async def use_tools(
    act: Callable[[Tools], Awaitable[int | None]],
    *,
    database: str | None,
    keys: Path | None,
    policy: Path | None = None,
    registry_policy: Path | None = None,
    readers: Path | None = None,
    areas: Path | None = None,
    makes_keys: bool = False,
    on_wait: Callable[[str], None] = say,
) -> int | None:
    """Run `act` on one connection of its own. UnreachableError where that breaks meanwhile.

    `makes_keys`: it may be the first to seal anything; else a keys file that is not there is refused.
    """
    from stayaway.platform.seal import FileSeal

    settings = settings_with(
        database=database,
        keys_file=keys,
        policy_file=policy,
        registry_policy_file=registry_policy,
        readers_file=readers,
        court_areas_file=areas,
    )
    seal = FileSeal(settings.need_keys_file(), must_exist=not makes_keys)
    async with opened_database(settings, seal, on_wait=on_wait) as conn:
        return await act(Tools(conn=conn, seal=seal, settings=settings))


def with_tools(
    act: Callable[[Tools], Awaitable[int | None]],
    *,
    database: str | None,
    keys: Path | None,
    policy: Path | None = None,
    registry_policy: Path | None = None,
    readers: Path | None = None,
    areas: Path | None = None,
    makes_keys: bool = False,
    failed: int = EXIT_FAILED,
) -> None:
    """The same, and exit."""
    end_with_async(
        lambda: use_tools(
            act,
            database=database,
            keys=keys,
            policy=policy,
            registry_policy=registry_policy,
            readers=readers,
            areas=areas,
            makes_keys=makes_keys,
        ),
        failed=failed,
    )


def person(actor: str, purpose: str = DEFAULT_PURPOSE) -> "Person":
    """Who runs the command, as they say."""
    from stayaway.access.person import Person

    return Person.of(actor, "cli", purpose)


def instant(text: str | None, option: str) -> datetime | None:
    """An instant given as an option; SettingsError for any other form than the wire's."""
    from stayaway.kernel.errors import SettingsError
    from stayaway.kernel.instants import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise SettingsError(f"{option} is {error}.", "Write it in UTC, ending in Z.") from None
