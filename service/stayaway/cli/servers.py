"""`stayaway matcher` and `stayaway web`: what runs all day."""

import os
import signal
import socket
from typing import Annotated

import typer

from stayaway.cli.database import opened_pool
from stayaway.cli.options import (
    Bootstrap,
    CourtAreasFile,
    Database,
    Keys,
    PolicyFile,
    ReadersFile,
    RegistryPolicyFile,
    end_with,
    end_with_async,
    say,
    settings_with,
)
from stayaway.cli.registry_tools import registry_policy_if_any


def matcher(
    database: Database = None,
    bootstrap: Bootstrap = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    first_position: Annotated[
        str | None,
        typer.Option(
            help="Where a partition never read before starts: earliest or latest [STAYAWAY_FIRST_POSITION]"
        ),
    ] = None,
    group: Annotated[str | None, typer.Option(help="Consumer group [STAYAWAY_GROUP]")] = None,
    health_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Serve /health/live, /health/ready and /metrics on 127.0.0.1; 0 takes a free port."
            " [STAYAWAY_HEALTH_PORT; without it nothing listens]",
        ),
    ] = None,
) -> None:
    """Judge the stream; any number of matchers share the group's partitions."""
    from stayaway.access.policy_file import load_policy
    from stayaway.platform.logging import configure_logging
    from stayaway.platform.seal import FileSeal
    from stayaway.platform.serving import listen
    from stayaway.worker.commands import HealthSettings, run_matcher
    from stayaway.worker.loop import MatcherSettings

    def run() -> int:
        settings = settings_with(
            database=database,
            bootstrap=bootstrap,
            keys_file=keys,
            policy_file=policy,
            first_position=first_position,
            group=group,
            health_port=health_port,
        )
        configure_logging()
        chosen = MatcherSettings(
            dsn=settings.need_database(),
            bootstrap=settings.need_bootstrap(),
            group=settings.group,
            owner=f"{socket.gethostname()}-{os.getpid()}",
            first_position=settings.need_first_position(),
            wait_s=settings.wait_s,
            registry_limit_s=settings.registry_limit_s,
        )
        rules = load_policy(settings.need_policy_file())
        health = None
        if settings.health_port is not None:
            listener = listen("The health page", settings.health_port)
            health = HealthSettings(listener, settings.need_policy_file())
        return run_matcher(chosen, FileSeal(settings.need_keys_file()), rules, say=say, health=health)

    end_with(run)


def web(
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    registry_policy: RegistryPolicyFile = None,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8420,
    host: Annotated[str, typer.Option(help="127.0.0.1 only, until there is sign-in.")] = "127.0.0.1",
) -> None:
    """Serve the review page on this machine."""
    import asyncio

    from stayaway.access.policy_file import load_policy
    from stayaway.api.settings import ReviewSettings
    from stayaway.console.app import create_app
    from stayaway.console.serve import serve
    from stayaway.orders.known_places_files import load_known_places
    from stayaway.platform.logging import configure_logging
    from stayaway.platform.seal import FileSeal

    async def run() -> None:
        settings = settings_with(
            database=database,
            keys_file=keys,
            policy_file=policy,
            registry_policy_file=registry_policy,
            readers_file=readers,
            court_areas_file=areas,
        )
        configure_logging()
        rules = load_policy(settings.need_policy_file())
        registry_rules = registry_policy_if_any(settings)
        places = load_known_places(settings)
        seal = FileSeal(settings.need_keys_file())
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with opened_pool(settings, seal) as pool:
            app = create_app(
                ReviewSettings(
                    pool=pool, seal=seal, policy=rules, registry_policy=registry_rules, places=places
                ),
                settings.need_database(),
            )
            await serve(app, host, port, stop, on_listening=lambda address: typer.echo(f"page: {address}"))

    end_with_async(run)
