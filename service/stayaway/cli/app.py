"""`stayaway` and its commands."""

from pathlib import Path
from typing import Annotated

import typer

from stayaway import ENGINE_VERSION
from stayaway.cli import (
    alerts,
    deadletters,
    draft_zone,
    explain,
    latency,
    orders,
    orders_acts,
    orders_approve,
    orders_drafts,
    orders_life,
    partitions,
    servers,
    zones,
)
from stayaway.cli.checked import Commands
from stayaway.cli.options import EXIT_NO_ANSWER, Database, end_with, end_with_async, say, settings_with

app = Commands(
    name="stayaway",
    help="Court-ordered exclusion zones, checked against plate reads and check-ins.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
orders.app.command("latency")(latency.latency)
orders_life.add_to(orders.app)
orders_acts.add_to(orders.app)
orders_drafts.add_to(orders.app)
draft_zone.add_to(orders_drafts.draft_app)
orders_approve.add_to(orders.app)
app.add_typer(orders.app, name="orders")
app.add_typer(zones.app, name="zones")
app.add_typer(alerts.app, name="alerts")
app.add_typer(deadletters.app, name="deadletters")
app.add_typer(partitions.app, name="partitions")
app.command("explain")(explain.explain)
app.command("matcher")(servers.matcher)
app.command("web")(servers.web)


@app.command()
def version() -> None:
    """Print the engine's version."""
    typer.echo(ENGINE_VERSION)


@app.command()
def migrate(database: Database = None) -> None:
    """Bring the database's tables up to this version."""
    from stayaway.cli.database import opened_database
    from stayaway.platform.migrations import migrate as apply

    async def run() -> None:
        async with opened_database(settings_with(database=database), is_migrated=False) as conn:
            applied = await apply(conn)
        say(f"applied: {', '.join(applied)}" if applied else "nothing to apply")

    end_with_async(run)


@app.command()
def decide(
    orders: Annotated[Path, typer.Option(help="Orders file (orders.v1).")],
    policy: Annotated[Path, typer.Option(help="Policy file (policy.v1).")],
    events: Annotated[str, typer.Option(help="Events, one JSON object a line; - reads standard input.")],
    known_at: Annotated[
        str | None, typer.Option(help="Judge by what was recorded by this instant; else by all of the file.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write here instead of standard output.")] = None,
) -> None:
    """Judge a file of events with the engine's own code and no server; the same bytes each time.

    Exit 0: every line was read; 1: some were refused; 2: a file is bad, or the output could not be written.
    """
    from stayaway.cli.decide import run_decide

    end_with(
        lambda: run_decide(orders=orders, policy=policy, events=events, known_at=known_at, out=out),
        failed=EXIT_NO_ANSWER,
    )


@app.command()
def demo(
    orders: Annotated[Path | None, typer.Option(help="Orders file; else the packaged day.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; else the packaged day's.")] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events file (.gz too); else the packaged day's.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Times faster than the day; 0: as fast as it is read.")
    ] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0 takes a free one.")] = 0,
    bootstrap: Annotated[str | None, typer.Option(help="A real Kafka instead of the embedded one.")] = None,
    database: Annotated[str | None, typer.Option(help="A real Postgres instead of the embedded one.")] = None,
    keys: Annotated[Path | None, typer.Option(help="The keys' file; needed with --database.")] = None,
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="End once the day has been read.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The summary as the last line of standard output.")
    ] = False,
) -> None:
    """Show a day of plate reads and check-ins turn into explained alerts, with real parts."""
    from stayaway.demo.command import DemoSettings, run_demo
    from stayaway.demo.day import choose_files

    def run() -> int:
        settings = DemoSettings(
            files=choose_files(orders, policy, events),
            speed=speed,
            port=port,
            bootstrap=bootstrap,
            database=database,
            keys=keys,
            exit_when_done=exit_when_done,
            as_json=as_json,
        )
        return run_demo(settings)

    end_with(run)


def main() -> None:
    """The console script."""
    app()
