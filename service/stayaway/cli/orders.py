"""`stayaway orders`: check a file, import it."""

import gc
import json
from pathlib import Path
from typing import Annotated

import typer

from stayaway.cli.options import (
    Actor,
    Database,
    Keys,
    PolicyFile,
    end_with,
    end_with_async,
    say,
    settings_with,
)

_PROGRESS_EACH = 10_000

app = typer.Typer(help="The order registry.", no_args_is_help=True)

ReadersFile = Annotated[
    Path | None,
    typer.Option("--readers", help="Where plate readers stand (readers.v1): warns of zones without one."),
]
OrdersFile = Annotated[Path, typer.Argument(help="The orders file (orders.v1).")]


@app.command("check")
def check(
    file: OrdersFile,
    readers: ReadersFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a finding.")] = False,
) -> None:
    """Explain what is wrong in an orders file without storing it. Exit 0, 1 with errors, 2 unreadable."""
    from stayaway.orders.cli_support import check_lines
    from stayaway.platform.files import read_file

    def run() -> int:
        known_readers = None if readers is None else read_file(readers, "readers file")
        lines, code = check_lines(read_file(file, "orders file"), known_readers)
        for line in lines:
            typer.echo(line if as_json else _in_words(line))
        if not as_json:
            typer.echo("The file can be used." if code == 0 else "The file has errors.")
        return code

    end_with(run)


def _in_words(line: str) -> str:
    finding = json.loads(line)
    if not finding["pointer"] and finding["value"]:  # of the file as a whole, in words already
        return f"{finding['severity']}: {finding['value']} {finding['remedy']}"
    order = f" order {finding['order_id']}" if finding["order_id"] else ""
    value = f" is {finding['value']}" if finding["value"] else ""
    return f"{finding['severity']}{order}: {finding['pointer'] or 'the file'}{value}. {finding['remedy']}"


def _say_progress(done: int, total: int) -> None:
    if done % _PROGRESS_EACH == 0:
        say(f"{done:,} of {total:,} records read")


@app.command("import")
def import_(
    file: OrdersFile,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
    advice: Annotated[
        Path | None,
        typer.Option("--advice", help="Write every finding to this new file, a line of JSON each."),
    ] = None,
) -> None:
    """Record an orders file: orders all or nothing; recalls, suspensions and notices apply anyway.

    Of many findings the first of each kind are shown and the rest is counted; --advice has them all.
    """
    from stayaway.access.policy_file import load_policy
    from stayaway.alerts.order_changes import import_parsed
    from stayaway.kernel.instants import format_instant
    from stayaway.orders.beside import advice_beside
    from stayaway.orders.halves import read_in_halves
    from stayaway.orders.parse import parse_orders_file
    from stayaway.orders.shortlist import shortlist
    from stayaway.platform.clock import now
    from stayaway.platform.files import new_private_file, read_file
    from stayaway.platform.postgres import open_pool
    from stayaway.platform.seal import FileSeal

    async def run() -> int:
        settings = settings_with(database=database, keys_file=keys, policy_file=policy)
        rules = load_policy(settings.policy_file) if settings.policy_file else None
        data = read_file(file, "orders file")
        findings_file = None if advice is None else new_private_file(advice, "advice file")
        gc.disable()  # all that is read stays until it is recorded: there is nothing to collect meanwhile
        parsed = parse_orders_file(data, _say_progress, read_in_halves)
        seal = FileSeal(settings.need_keys_file())
        with advice_beside(parsed) as advice_found:
            async with await open_pool(settings.need_database(), wait_s=settings.wait_s, on_wait=say) as pool:
                imported = await import_parsed(pool, seal, parsed, rules, actor=actor, at=now(), clock=now)
            outcome = imported.outcome
            findings = (*outcome.findings, *advice_found())
        for line in shortlist(findings):
            say(line)
        if findings_file is not None:
            with findings_file:
                findings_file.writelines(f"{finding.as_line()}\n" for finding in findings)
        known_at = format_instant(outcome.known_at) if outcome.known_at else "-"
        applied = ", ".join(f"{count} {kind.lower()}" for kind, count in outcome.applied.items() if count)
        typer.echo(
            f"applied: {applied or 'nothing'}; unchanged: {outcome.unchanged}; registry sequence "
            f"{outcome.registry_sequence}, known at {known_at}; alerts withdrawn {len(imported.withdrawn)}, "
            f"marked as ended {len(imported.ended)}"
        )
        return 1 if outcome.has_errors else 0

    end_with_async(run)
