"""`stayaway orders`: check a file, import it."""

import asyncio
import gc
import json
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.database import opened_database, opened_pool
from stayaway.cli.options import (
    EXIT_NO_ANSWER,
    Actor,
    CourtAreasFile,
    Database,
    Keys,
    PolicyFile,
    ReadersFile,
    RegistryPolicyFile,
    end_with,
    end_with_async,
    say,
    say_not_checked,
    settings_with,
    tell,
)
from stayaway.cli.registry_tools import person, registry_policy_if_any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from typing import TextIO

    from stayaway.access.person import Person
    from stayaway.access.policy import Policy
    from stayaway.access.registry_policy import RegistryPolicy
    from stayaway.alerts.order_changes import Imported
    from stayaway.orders.beside import Advised
    from stayaway.orders.findings import Finding
    from stayaway.orders.parse import OnProgress
    from stayaway.orders.records import ParsedOrders
    from stayaway.orders.shortlist import Shortlist
    from stayaway.orders.standing import Met
    from stayaway.platform.seal import FileSeal
    from stayaway.platform.settings import Settings

_PROGRESS_EACH = 10_000

app = Commands(help="The order registry.", no_args_is_help=True)

OrdersFile = Annotated[Path, typer.Argument(help="The orders file (orders.v1).")]


@app.command("check")
def check(
    file: OrdersFile,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a finding.")] = False,
    file_only: Annotated[
        bool, typer.Option("--file-only", help="Do not look at the registry, though a database is set.")
    ] = False,
    database: Database = None,
    keys: Keys = None,
    registry_policy: RegistryPolicyFile = None,
    actor: Actor = "cli",
) -> None:
    """Explain what is wrong in an orders file without storing it. Exit 0, 1 with errors, 2 unreadable.

    With a database it is compared with the orders in the registry too; that look is audited.
    """
    from stayaway.orders.cli_support import check_lines
    from stayaway.orders.known_places_files import load_known_places
    from stayaway.platform.clock import now
    from stayaway.platform.files import read_file

    def run() -> int:
        settings = settings_with(
            database=database,
            keys_file=keys,
            registry_policy_file=registry_policy,
            readers_file=readers,
            court_areas_file=areas,
        )
        places = load_known_places(settings)
        data = read_file(file, "orders file")
        look = None if file_only or settings.database is None else _look_at_registry(settings, actor)
        rules = None if look is None else registry_policy_if_any(settings)
        may_change = rules is None or rules.feeds_may_change_approved_orders
        lines, code = check_lines(data, places, look, now=now(), may_change_approved=may_change)
        for line in lines:
            if as_json:
                typer.echo(line)
            else:
                tell(_in_words(line))
        if not as_json:
            typer.echo("The file can be used." if code == 0 else "The file has errors.")
        if look is None:
            say("Compared with this file only, not with the registry.")
        say_not_checked(places.not_checked)
        return code

    end_with(run, failed=EXIT_NO_ANSWER)


def _look_at_registry(settings: "Settings", actor: str) -> "Callable[[ParsedOrders], Met]":
    """Looks at the registry for a file that is checked, and says so."""
    from stayaway.platform.seal import FileSeal

    seal = FileSeal(settings.need_keys_file(), must_exist=True)

    def look(parsed: "ParsedOrders") -> "Met":
        met = asyncio.run(_look(parsed, settings, seal, actor, "cli-check"))
        say(
            f"Compared with the registry (sequence {met.registry_sequence}):"
            f" {len(met.orders):,} orders there concern this file."
        )
        return met

    return look


async def _look(
    parsed: "ParsedOrders", settings: "Settings", seal: "FileSeal", actor: str, view: str
) -> "Met":
    """What the registry holds that concerns the file, on a connection of its own; audited."""
    from stayaway.orders.meet import look_at_met
    from stayaway.platform.clock import now

    async with opened_database(settings, seal) as conn:
        return await look_at_met(conn, seal, parsed, person(actor), now=now(), view=view)


def _in_words(line: str) -> str:
    finding = json.loads(line)
    if not finding["pointer"] and finding["value"]:  # of the file as a whole, in words already
        return f"{finding['severity']}: {finding['value']} {finding['remedy']}"
    order = f" order {finding['order_id']}" if finding["order_id"] else ""
    value = f" is {finding['value']}" if finding["value"] else ""
    return f"{finding['severity']}{order}: {finding['pointer'] or 'the file'}{value}. {finding['remedy']}"


def _progress() -> "OnProgress":
    """Says each further 10,000 records."""
    said = 0

    def say_progress(done: int, total: int) -> None:
        nonlocal said
        if done // _PROGRESS_EACH > said:
            said = done // _PROGRESS_EACH
            say(f"{done:,} of {total:,} records read")

    return say_progress


@app.command("import")
def import_(
    file: OrdersFile,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    registry_policy: RegistryPolicyFile = None,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
    actor: Actor = "cli",
    advice: Annotated[
        Path | None,
        typer.Option("--advice", help="Write every finding to this new file, a line of JSON each."),
    ] = None,
) -> None:
    """Record an orders file: orders all or nothing; recalls, suspensions and notices apply anyway.

    Exit 0, 1 where something of the file was refused, 2 where it is unreadable or could not be recorded, or
    where its outcome could not be printed. Advice that cannot be had is said and changes nothing of that.
    Of many findings the first of each kind are shown and the rest is counted; --advice has them all.
    """
    from stayaway.access.policy_file import load_policy
    from stayaway.orders.ahead import refuse_ahead
    from stayaway.orders.beside import advice_beside
    from stayaway.orders.cli_support import EXIT_UNREADABLE, unreadable_finding
    from stayaway.orders.findings import UnreadableFileError
    from stayaway.orders.halves import read_in_halves
    from stayaway.orders.known_places_files import load_known_places
    from stayaway.orders.parse import parse_orders_file
    from stayaway.orders.shortlist import Shortlist
    from stayaway.platform.clock import now
    from stayaway.platform.files import new_private_file, read_file
    from stayaway.platform.seal import FileSeal

    async def run() -> int:
        who = person(actor)  # before anything is recorded under a name that is none
        settings = settings_with(
            database=database,
            keys_file=keys,
            policy_file=policy,
            registry_policy_file=registry_policy,
            readers_file=readers,
            court_areas_file=areas,
        )
        rules = load_policy(settings.policy_file) if settings.policy_file else None
        registry_rules = registry_policy_if_any(settings)
        places = load_known_places(settings)
        data = read_file(file, "orders file")
        gc.disable()  # all that is read stays until it is recorded: there is nothing to collect meanwhile
        with nullcontext() if advice is None else new_private_file(advice, "advice file") as findings_file:
            try:
                read = parse_orders_file(data, _progress(), read_in_halves)
            except UnreadableFileError as error:
                unreadable = (unreadable_finding(error),)
                _give(Shortlist(unreadable), unreadable, findings_file)
                return EXIT_UNREADABLE
            # Before the advice, which is meant at the latest instant recorded.
            parsed = refuse_ahead(read, now())
            seal = FileSeal(settings.need_keys_file())
            look = partial(_look, settings=settings, seal=seal, actor=who.name, view="cli-import")
            with advice_beside(parsed, look, places, whole=findings_file is not None) as advice_found:
                imported = await _record(settings, seal, parsed, rules, registry_rules, who)
                advised = await _advised(advice_found)
            shown = Shortlist(imported.outcome.findings)
            shown.join(advised.shown)
            _give(shown, (*imported.outcome.findings, *advised.findings), findings_file)
        say_not_checked(places.not_checked)
        return 1 if imported.outcome.has_errors else 0

    end_with_async(run, failed=EXIT_NO_ANSWER)


async def _record(
    settings: "Settings",
    seal: "FileSeal",
    parsed: "ParsedOrders",
    rules: "Policy | None",
    registry_rules: "RegistryPolicy | None",
    who: "Person",
) -> "Imported":
    """The file recorded, and said so at once: whatever comes after changes nothing of it."""
    from stayaway.alerts.order_changes import import_parsed
    from stayaway.platform.clock import now

    async with opened_pool(settings, seal) as pool:
        imported = await import_parsed(
            pool,
            seal,
            parsed,
            rules,
            actor=who.name,
            at=now(),
            clock=now,
            registry_policy=registry_rules,
        )
    for line in _outcome_lines(imported):
        typer.echo(line)
    return imported


async def _advised(advice_found: "Callable[[], Awaitable[Advised]]") -> "Advised":
    """The advice; none where it cannot be had, which is said: the file has been recorded by then."""
    from stayaway.kernel.errors import StayawayError
    from stayaway.orders.beside import Advised
    from stayaway.orders.shortlist import Shortlist
    from stayaway.platform.logging import get_logger

    try:
        return await advice_found()
    except StayawayError as error:
        why = error.message.rstrip(".")
    except Exception as error:  # noqa: BLE001 - whatever it was, the outcome stands and is what the exit code says
        get_logger().error("advice failed", exc_info=error)
        why = f"{type(error).__name__}, as the line above says"
    words = (
        "No advice on this file could be had, neither by itself nor beside the registry"
        f" ({why}). What was recorded stands; `stayaway orders check FILE` gives the advice."
    )
    say_not_checked([words])
    return Advised(Shortlist(()), ())


def _give(shown: "Shortlist", findings: "Sequence[Finding]", file: "TextIO | None") -> None:
    """What is shown of the findings, and all of them to the file where one was asked for.

    That the file cannot take them is said; it changes nothing of what was recorded.
    """
    for line in shown.lines():
        say(line)
    if file is None:
        return
    try:
        with file:
            file.writelines(f"{finding.as_line()}\n" for finding in findings)
    except OSError as error:
        say(f"The advice file is not whole: {error.strerror}. What was recorded stands.")


def _outcome_lines(imported: "Imported") -> "Iterator[str]":
    from stayaway.kernel.instants import format_instant

    outcome = imported.outcome
    known_at = format_instant(outcome.known_at) if outcome.known_at else "-"
    applied = ", ".join(f"{count} {kind.lower()}" for kind, count in outcome.applied.items() if count)
    yield (
        f"applied: {applied or 'nothing'}; unchanged: {outcome.unchanged}; registry sequence "
        f"{outcome.registry_sequence}, known at {known_at}; alerts withdrawn {len(imported.withdrawn)}, "
        f"marked as ended {len(imported.ended)}, revised {len(imported.revised)}, raised "
        f"{len(imported.raised)}"
    )
    if outcome.held_back:
        yield (
            f"held back: {outcome.held_back} versions that are right, because something else is wrong;"
            " nothing of them was recorded"
        )
