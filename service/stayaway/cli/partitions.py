"""`stayaway partitions`: how far each partition has been read, and going on after a hold."""

from typing import Annotated

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.database import opened_database
from stayaway.cli.options import Actor, Database, Keys, end_with_async, say, settings_with

app = Commands(help="Positions in the stream.", no_args_is_help=True)

_LAST_PARTITION = (1 << 31) - 1
"""Of Kafka, which numbers them with 32 bits and a sign."""


@app.command("list")
def list_(database: Database = None) -> None:
    """Where each partition stands, and what holds it."""
    from stayaway.worker.commands import position_lines

    async def run() -> None:
        settings = settings_with(database=database)
        async with opened_database(settings) as conn:
            lines = await position_lines(conn)
        for line in lines:
            typer.echo(line)

    end_with_async(run)


@app.command()
def gap(
    topic: Annotated[str, typer.Argument()],
    partition: Annotated[int, typer.Argument(min=0, max=_LAST_PARTITION)],
    to_offset: Annotated[int, typer.Option("--to", min=0, help="The offset to go on at.")],
    reason: Annotated[str, typer.Option(help="Why records were or may be missed.")],
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
) -> None:
    """Record that a held partition goes on at another offset; audited as a GAP."""
    from stayaway.platform.clock import now
    from stayaway.platform.seal import FileSeal
    from stayaway.worker.partitions import record_gap

    async def run() -> None:
        settings = settings_with(database=database, keys_file=keys)
        seal = FileSeal(settings.need_keys_file(), must_exist=True)
        async with opened_database(settings, seal) as conn:
            await record_gap(
                conn, seal, (topic, partition), to_offset, actor=actor, reason_text=reason, at=now()
            )
        say("recorded; the matcher goes on by itself")

    end_with_async(run)
