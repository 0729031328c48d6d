"""`stayaway orders latency`: how long changes took from their recording to their enforcement."""

from datetime import timedelta
from typing import Annotated

import typer

from stayaway.cli.database import opened_database
from stayaway.cli.options import Database, end_with_async, settings_with


def latency(
    days: Annotated[float, typer.Option(min=0, max=36_500, help="Look back so many days.")] = 7.0,
    database: Database = None,
) -> None:
    """How long changes of orders took to be in use, for each matcher that was running then."""
    from stayaway.platform.clock import now
    from stayaway.worker.latency import latency_lines

    async def run() -> None:
        settings = settings_with(database=database)
        since_at = now() - timedelta(days=days)
        async with opened_database(settings) as conn:
            lines = await latency_lines(conn, since_at)
        for line in lines:
            typer.echo(line)

    end_with_async(run)
