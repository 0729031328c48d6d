"""`stayaway deadletters`: where refused events lie, what they were, and sending them again."""

import sys
from functools import partial
from typing import Annotated

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.database import opened_database, opened_pool
from stayaway.cli.options import (
    Actor,
    Bootstrap,
    Database,
    Keys,
    Purpose,
    end_with_async,
    say,
    settings_with,
    tell,
)

app = Commands(help="Refused events: a place, a reason and a field, never a value.", no_args_is_help=True)

Place = Annotated[str, typer.Argument(help="topic/partition/offset, as `list` prints it.")]


@app.command("list")
def list_(database: Database = None, limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50) -> None:
    """The newest dead letters, and how many there are by reason."""
    from stayaway.kernel.instants import format_instant
    from stayaway.sightings.dead_letters import count_dead_letters, list_dead_letters

    async def run() -> None:
        async with opened_database(settings_with(database=database)) as conn:
            listed = await list_dead_letters(conn, limit=limit)
            counts = await count_dead_letters(conn)
        for item in listed:
            sent = f" sent again at {format_instant(item.redriven_at)}" if item.redriven_at else ""
            letter, refused_at = item.letter, format_instant(item.refused_at)
            typer.echo(f"{letter.origin} {letter.reason} {letter.field or '-'} {refused_at}{sent}")
        say(", ".join(f"{reason} {count}" for reason, count in counts.items()) or "no dead letters")

    end_with_async(run)


@app.command()
def show(
    place: Place,
    purpose: Purpose,
    database: Database = None,
    bootstrap: Bootstrap = None,
    keys: Keys = None,
    actor: Actor = "cli",
) -> None:
    """The refused bytes, read from the source topic; the look is audited."""
    from stayaway.platform.clock import now
    from stayaway.platform.kafka import read_record
    from stayaway.platform.seal import FileSeal
    from stayaway.sightings.dead_letters import Origin, show_dead_letter

    async def run() -> None:
        settings = settings_with(database=database, bootstrap=bootstrap, keys_file=keys)
        origin = Origin.parse(place)
        seal = FileSeal(settings.need_keys_file(), must_exist=True)
        read = partial(read_record, settings.need_bootstrap())
        async with opened_pool(settings, seal) as pool:
            _, value = await show_dead_letter(
                pool, seal, read, origin, actor=actor, purpose=purpose, at=now()
            )
        _print_bytes(value)

    end_with_async(run)


def _print_bytes(value: bytes) -> None:
    """As they are to a file or pipe. On a terminal a stranger's bytes would be its commands: escaped."""
    if sys.stdout is not None and sys.stdout.isatty():
        tell(value.decode(errors="backslashreplace"))
    else:
        typer.echo(value)


@app.command()
def redrive(
    place: Place,
    purpose: Purpose,
    database: Database = None,
    bootstrap: Bootstrap = None,
    keys: Keys = None,
    actor: Actor = "cli",
) -> None:
    """Send the same bytes to the same topic again, once; audited."""
    from stayaway.platform.clock import now
    from stayaway.platform.kafka import make_producer, read_record
    from stayaway.platform.seal import FileSeal
    from stayaway.sightings.dead_letters import Origin, redrive_dead_letter

    async def run() -> None:
        settings = settings_with(database=database, bootstrap=bootstrap, keys_file=keys)
        origin = Origin.parse(place)
        seal = FileSeal(settings.need_keys_file(), must_exist=True)
        address = settings.need_bootstrap()
        async with (
            opened_pool(settings, seal) as pool,
            make_producer(address) as producer,
        ):
            read = partial(read_record, address)
            sent = await redrive_dead_letter(
                pool, seal, read, producer, origin, actor=actor, purpose=purpose, at=now()
            )
        typer.echo("sent again" if sent else "was sent again before; nothing was sent")

    end_with_async(run)
