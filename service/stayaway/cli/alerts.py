"""`stayaway alerts`: look at alerts, claim, confirm and dismiss them, with the page's own code."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.database import with_database
from stayaway.cli.options import (
    Actor,
    Database,
    Keys,
    PolicyFile,
    Purpose,
    end_with_async,
    reviewer_of,
    say,
    settings_with,
    tell,
)

if TYPE_CHECKING:
    from stayaway.alerts.review_model import AlertRow, AlertView

app = Commands(help="Alerts: unverified leads that a human must judge.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(help="The alert's number, or its id.")]
ListName = Annotated[str, typer.Argument(help="live, historical, ended or closed.")]


def _with_database(database: str | None, keys: Any, act: Callable[[Any, Any], Awaitable[None]]) -> None:
    """Run `act(conn, seal)` and exit."""
    end_with_async(lambda: with_database(database, keys, act))


@app.command("list")
def list_(
    list_name: ListName = "live",
    database: Database = None,
    keys: Keys = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    before: Annotated[int | None, typer.Option(help="Only alerts with a lower number.")] = None,
    actor: Actor = "cli",
    purpose: Purpose = "ALERT_REVIEW",
) -> None:
    """One list, newest first; the look is audited."""
    from stayaway.alerts.review import list_alerts
    from stayaway.alerts.review_model import LIST_NAMES, ListQuery
    from stayaway.kernel.errors import SettingsError
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        if list_name not in LIST_NAMES:
            raise SettingsError(f"There is no list {list_name!r}.", f"Choose one of {', '.join(LIST_NAMES)}.")
        query = ListQuery(list_name=list_name, before=before, limit=limit)
        page = await list_alerts(conn, seal, query, reviewer_of(actor, purpose), now=now(), view="cli")
        for row in page.rows:
            typer.echo(_row_line(row))
        say(", ".join(f"{name} {count}" for name, count in page.open_counts.items()))

    _with_database(database, keys, act)


def _row_line(row: "AlertRow") -> str:
    from stayaway.alerts.words import MATCH_KINDS, RELATIONS, STANDINGS
    from stayaway.kernel.instants import format_instant
    from stayaway.platform.clock import now

    standing, kind = STANDINGS[row.standing], MATCH_KINDS[row.match_kind]
    awaited = row.awaits_acknowledgement
    return (
        f"{row.alert_number} {row.state_at(now())} {standing.symbol} {standing.text} | "
        f"{kind.symbol} {kind.text} | {RELATIONS[row.zone_relation].text} | "
        f"{row.alert_id} | {row.sighting_count} sightings until "
        f"{format_instant(row.last_observed_at)}"
        f"{f' | to be acknowledged by {awaited}' if awaited else ''}"
    )


@app.command()
def show(
    alert: Reference,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
    purpose: Purpose = "ALERT_REVIEW",
) -> None:
    """One alert with its words, its facts and its reasons; the look is audited."""
    from stayaway.access.policy_file import load_policy
    from stayaway.alerts.review import find_alert, load_alert
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        rules = load_policy(settings_with(policy_file=policy).need_policy_file())
        number = await find_alert(conn, alert)
        view = await load_alert(
            conn,
            seal,
            number,
            reviewer_of(actor, purpose),
            policy=rules,
            now=now(),
            view="cli",
        )
        for line in _view_lines(view):
            tell(line)

    _with_database(database, keys, act)


def _view_lines(view: "AlertView") -> list[str]:
    from stayaway.kernel.plates import difference_words

    lines = [view.words.text, _row_line(view.row)]
    lines += [f"- {fact.text}" for fact in view.facts]
    if view.best_plate is not None:
        lines += [f"- {words}" for words in difference_words(view.best_plate.characters)]
    lines += [f"- not monitored: {term}" for term in view.version.not_monitored]
    for item in view.evidence:
        lines.append(f"sighting {item.topic}/{item.partition}/{item.record_offset}, zone {item.zone_id}")
        lines += [f"  {step.text}" for step in item.steps]
    lines += [
        f"act {item.act_number}: {item.act} by {item.actor} {item.reason_code or ''}" for item in view.acts
    ]
    return lines


@app.command()
def claim(alert: Reference, database: Database = None, keys: Keys = None, actor: Actor = "cli") -> None:
    """Take the alert for 90 seconds; claiming is not confirming."""
    from stayaway.alerts.review import claim as take
    from stayaway.alerts.review import find_alert
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        number = await find_alert(conn, alert)
        typer.echo(_row_line(await take(conn, seal, number, reviewer_of(actor, "ALERT_REVIEW"), now=now())))

    _with_database(database, keys, act)


@app.command()
def acknowledge(alert: Reference, database: Database = None, keys: Keys = None, actor: Actor = "cli") -> None:
    """Say that you know: the alert you held was withdrawn, or its order has ended."""
    from stayaway.alerts.review import acknowledge as record
    from stayaway.alerts.review import find_alert
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        number = await find_alert(conn, alert)
        typer.echo(_row_line(await record(conn, seal, number, reviewer_of(actor, "ALERT_REVIEW"), now=now())))

    _with_database(database, keys, act)


@app.command()
def confirm(
    alert: Reference,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    officer_sight: Annotated[
        bool, typer.Option("--officer-sight", help="An officer saw plate, region and vehicle.")
    ] = False,
    second_look: Annotated[
        bool, typer.Option("--second-look", help="Each differing character was looked at again.")
    ] = False,
    actor: Actor = "cli",
) -> None:
    """Record VERIFIED_LEAD, never a violation; for a plate an officer's sight (images are on the page)."""
    from stayaway.access.policy_file import load_policy
    from stayaway.alerts.review import confirm as record
    from stayaway.alerts.review import find_alert
    from stayaway.alerts.review_model import Confirmation
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        rules = load_policy(settings_with(policy_file=policy).need_policy_file())
        stated = Confirmation(sight="OFFICER_SIGHT" if officer_sight else None, second_look=second_look)
        number = await find_alert(conn, alert)
        reviewer = reviewer_of(actor, "ALERT_REVIEW")
        row = await record(conn, seal, number, stated, reviewer, policy=rules, has_image=False, now=now())
        typer.echo(_row_line(row))

    _with_database(database, keys, act)


@app.command()
def dismiss(
    alert: Reference,
    reason: Annotated[str, typer.Option(help="A disposition code, such as MISREAD.")],
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
) -> None:
    """Close the alert with a coded reason."""
    from stayaway.alerts.review import dismiss as record
    from stayaway.alerts.review import find_alert
    from stayaway.alerts.review_model import Dismissal
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> None:
        number = await find_alert(conn, alert)
        reviewer = reviewer_of(actor, "ALERT_REVIEW")
        typer.echo(
            _row_line(await record(conn, seal, number, Dismissal(reason_code=reason), reviewer, now=now()))
        )

    _with_database(database, keys, act)
