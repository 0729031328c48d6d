"""`stayaway orders notice|suspend|recall|validate|confirm|expire`: single acts on an order."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.options import EXIT_FAILED, Actor, Database, Keys, PolicyFile, end_with_async, say
from stayaway.cli.registry_tools import LAST_VERSION, OrderId, Tools, person, use_tools, with_tools
from stayaway.kernel.errors import UnreachableError

if TYPE_CHECKING:
    from stayaway.alerts.order_acts import ActKind
    from stayaway.api.order_forms import ActAnswer

Reason = Annotated[str, typer.Option(help="Why; recorded with the act.")]
Kind = Annotated[
    str, typer.Option(help="PERSONAL, IN_COURT, OFFICER_VERBAL, MAIL, SUBSTITUTE or PUBLICATION.")
]

AcceptUnusual = Annotated[
    bool,
    typer.Option("--accept-unusual", help="It is so, though it was called unusual; recorded."),
]


def _act(
    order: str,
    kind: "ActKind",
    fields: dict[str, Any],
    actor: str,
    database: str | None,
    keys: Any,
    policy: Any,
    *,
    accept_unusual: bool,
) -> None:
    """One act with no second person; its answer says which alerts it changed."""
    from stayaway.alerts.order_acts import act_on_order
    from stayaway.api.order_forms import ActAnswer
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        outcome = await act_on_order(
            tools.conn,
            tools.seal,
            order,
            kind,
            fields,
            person(actor),
            policy=tools.policy_if_any(),
            now=now(),
            idempotency_key=None,
            unusual_accepted=accept_unusual,
        )
        say_act(ActAnswer.of(outcome))

    with_tools(act, database=database, keys=keys, policy=policy)


def say_act(answer: "ActAnswer") -> None:
    """What an act did, in a line."""
    typer.echo(
        f"recorded: {answer.kind} of {answer.order_id} at {answer.recorded_at}; registry sequence "
        f"{answer.registry_sequence}; alerts withdrawn {len(answer.alerts_withdrawn)}, marked as ended "
        f"{len(answer.alerts_ended)}, revised {len(answer.alerts_revised)}, raised "
        f"{len(answer.alerts_raised)}"
    )
    for alert_id in (*answer.alerts_withdrawn, *answer.alerts_ended, *answer.alerts_revised):
        typer.echo(f"- {alert_id}")


def notice(
    order: OrderId,
    version: Annotated[int, typer.Option(min=1, max=LAST_VERSION, help="The version they were told of.")],
    respondent: Annotated[str, typer.Option(help="Who was told.")],
    kind: Kind,
    noticed_at: Annotated[str, typer.Option(help="When (…Z).")],
    accept_unusual: AcceptUnusual = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
) -> None:
    """Record that a respondent was told of a version."""
    fields = {"order_version": version, "respondent_id": respondent, "kind": kind, "noticed_at": noticed_at}
    _act(order, "NOTICE", fields, actor, database, keys, policy, accept_unusual=accept_unusual)


def suspend(
    order: OrderId,
    reason: Reason,
    from_at: Annotated[str, typer.Option(help="From when (…Z).")],
    until_at: Annotated[str, typer.Option(help="Until when (…Z).")],
    accept_unusual: AcceptUnusual = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
) -> None:
    """Record a pause of the order, with its end."""
    fields = {"from_at": from_at, "until_at": until_at, "reason_text": reason}
    _act(order, "SUSPENSION", fields, actor, database, keys, policy, accept_unusual=accept_unusual)


def recall(
    order: OrderId,
    reason: Reason,
    recalled_at: Annotated[str, typer.Option(help="From when it no longer binds (…Z).")],
    void: Annotated[bool, typer.Option("--void", help="It never bound: from the beginning.")] = False,
    accept_unusual: AcceptUnusual = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
) -> None:
    """Record that the court took the order back. One person may: it only lifts restrictions."""
    fields = {"recalled_at": recalled_at, "reason_text": reason, **({"void": True} if void else {})}
    _act(order, "RECALL", fields, actor, database, keys, policy, accept_unusual=accept_unusual)


def validate(
    order: OrderId,
    source: Annotated[str, typer.Option(help="What the entry was compared with, such as the docket.")],
    validated_at: Annotated[str, typer.Option(help="When (…Z).")],
    accept_unusual: AcceptUnusual = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
) -> None:
    """Record that the entry was compared with the court's papers."""
    fields = {"validated_at": validated_at, "source_text": source}
    _act(order, "VALIDATION", fields, actor, database, keys, policy, accept_unusual=accept_unusual)


def confirm(
    order: OrderId,
    version: Annotated[
        int, typer.Option(min=1, max=LAST_VERSION, help="The version that one person put in force.")
    ],
    case_number: Annotated[str, typer.Option(help="Retyped from the papers.")],
    expiry: Annotated[str, typer.Option(help="Retyped: 2028-01-05, 2028-01-05T17:00:00Z, P2Y or none.")],
    actor: Actor,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
) -> None:
    """Stand as the second person behind an emergency entry, before it lapses."""
    from stayaway.alerts.order_approval import confirm_version
    from stayaway.api.order_forms import ActAnswer
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        at = now()
        imported = await confirm_version(
            tools.conn,
            tools.seal,
            order,
            version,
            person(actor),
            case_number=case_number,
            expiry=expiry,
            policy=tools.policy_if_any(),
            now=at,
        )
        say_act(ActAnswer.of_import(order, "CONFIRMATION", imported, at))

    with_tools(act, database=database, keys=keys, policy=policy)


def expire(
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
    every: Annotated[
        int | None,
        typer.Option(min=1, max=86_400, help="Look again every so many seconds, until stopped."),
    ] = None,
) -> None:
    """Mark the open alerts of orders that have ended by now, by expiry or lapse. Run it each minute.

    Orders that do not open are named, and nothing of them is marked: exit 1; with --every it goes on.
    """
    from stayaway.alerts.order_expiry import mark_ended_orders
    from stayaway.platform.clock import now

    async def look(tools: Tools) -> int:
        rules, who = tools.policy(), person(actor)
        marked = await mark_ended_orders(tools.conn, tools.seal, rules, actor=who.name, at=now())
        if marked.alert_ids or every is None:
            typer.echo(f"alerts marked as ended: {len(marked.alert_ids)}")
        for alert_id in marked.alert_ids:
            typer.echo(f"- {alert_id}")
        if marked.unread:
            say(_unread_line(marked.unread))
        return EXIT_FAILED if marked.unread else 0

    async def look_apart() -> None:
        await use_tools(look, database=database, keys=keys, policy=policy, on_wait=lambda _: None)

    if every is None:
        with_tools(look, database=database, keys=keys, policy=policy)
    else:
        every_s = every
        end_with_async(lambda: _until_stopped(look_apart, every_s))


def _unread_line(unread: Mapping[str, str]) -> str:
    """One line a look, with every order and the first one's reason."""
    why = next(iter(unread.values())).rstrip(".")
    return (
        f"NOT LOOKED AT, as they do not open: {len(unread)} orders with open alerts: {', '.join(unread)}."
        f" The first: {why}. If they have ended, their alerts do not say so."
    )


async def _until_stopped(look: Callable[[], Awaitable[None]], every_s: int) -> None:
    """A connection for each look: a server that goes away is said once, and the next look tries again."""
    import asyncio

    is_away = False
    while True:
        try:
            await look()
        except UnreachableError as error:
            if not is_away:
                say(f"{error.message} Trying again every {every_s} s.")
            is_away = True
        else:
            if is_away:
                say("Postgres answers again.")
            is_away = False
        await asyncio.sleep(every_s)


def add_to(app: typer.Typer) -> None:
    """Put the commands under `stayaway orders`."""
    for command in (notice, suspend, recall, validate, confirm, expire):
        app.command(command.__name__)(command)
