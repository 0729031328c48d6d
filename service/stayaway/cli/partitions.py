"""`stayaway partitions`: how far each partition has been read, and going on after a hold."""

from typing import Annotated

import typer

from stayaway.cli.options import Actor, Database, Keys, end_with_async, say, settings_with

app = typer.Typer(help="Positions in the stream.", no_args_is_help=True)


@app.command("list")
def list_(database: Database = None) -> None:
    """Where each partition stands, and what holds it."""
    from stayaway.worker.commands import position_lines

    async def run() -> None:
        settings = settings_with(database=database)
        for line in await position_lines(settings.need_database(), wait_s=settings.wait_s, on_wait=say):
            typer.echo(line)

    end_with_async(run)


@app.command()
def gap(
    topic: Annotated[str, typer.Argument()],
    partition: Annotated[int, typer.Argument(min=0)],
    to_offset: Annotated[int, typer.Option("--to", min=0, help="The offset to go on at.")],
    reason: Annotated[str, typer.Option(help="Why records were or may be missed.")],
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
) -> None:
    """Record that a held partition goes on at another offset; audited as a GAP."""
    from stayaway.platform.clock import now
    from stayaway.platform.seal import FileSeal
    from stayaway.worker.commands import run_gap

    async def run() -> None:
        settings = settings_with(database=database, keys_file=keys)
        await run_gap(
            settings.need_database(),
            FileSeal(settings.need_keys_file(), must_exist=True),
            topic=topic,
            partition=partition,
            to_offset=to_offset,
            actor=actor,
            reason_text=reason,
            at=now(),
            wait_s=settings.wait_s,
            on_wait=say,
        )
        say("recorded; the matcher goes on by itself")

    end_with_async(run)
