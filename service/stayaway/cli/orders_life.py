"""`stayaway orders show|history|list|due`: looks at the registry, each of them audited."""

from datetime import timedelta
from typing import Annotated

import typer

from stayaway.cli.options import Actor, Database, Keys, PolicyFile, RegistryPolicyFile, say, tell
from stayaway.cli.order_lines import item_line, order_lines, record_lines
from stayaway.cli.registry_tools import (
    DEFAULT_PURPOSE,
    AsJson,
    OrderId,
    Purpose,
    Tools,
    instant,
    person,
    with_tools,
)


def show(
    order: OrderId,
    at: Annotated[str | None, typer.Option(help="For this instant (…Z); else now.")] = None,
    known_at: Annotated[
        str | None, typer.Option(help="As known then (…Z); else all that is recorded.")
    ] = None,
    as_json: AsJson = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """What an order said for one instant as known at another; the look is audited."""
    from stayaway.api.order_forms import OrderDetail
    from stayaway.orders.history_load import look_at_order
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        statement = await look_at_order(
            tools.conn,
            tools.seal,
            order,
            person(actor, purpose),
            notice_kinds=tools.policy().notice_kinds,
            now=now(),
            at=instant(at, "--at"),
            known_at=instant(known_at, "--known-at"),
            view="cli",
        )
        detail = OrderDetail.of_statement(statement)
        if as_json:
            typer.echo(detail.model_dump_json())
            return
        for line in order_lines(detail):
            tell(line)

    with_tools(act, database=database, keys=keys, policy=policy)


def history(
    order: OrderId,
    as_json: AsJson = False,
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """Every record of an order with both its times and who applied it; the look is audited."""
    from stayaway.api.order_forms import OrderHistory, RecordItem
    from stayaway.orders.history_load import look_at_history
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        who = person(actor, purpose)
        records = await look_at_history(tools.conn, tools.seal, order, who, now=now(), view="cli-history")
        shown = OrderHistory(order_id=order, records=[RecordItem.of(item) for item in records])
        if as_json:
            typer.echo(shown.model_dump_json())
            return
        for item in shown.records:
            for line in record_lines(item):
                tell(line)

    with_tools(act, database=database, keys=keys)


def list_(
    after: Annotated[str, typer.Option(help="Only orders whose id comes after this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """A page of orders by id, each as it stands now; the look is audited."""
    from stayaway.api.order_forms import OrderItem, OrderList
    from stayaway.orders.history_load import list_orders
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        page = await list_orders(
            tools.conn,
            tools.seal,
            person(actor, purpose),
            notice_kinds=tools.policy().notice_kinds,
            now=now(),
            after=after,
            limit=limit,
            view="cli",
        )
        items = [OrderItem.of(item) for item in page.statements]
        if as_json:
            typer.echo(OrderList(orders=items, next=page.next_after).model_dump_json())
            return
        for item in items:
            tell(item_line(item))
        if page.next_after:
            say(f"more: --after {page.next_after}")

    with_tools(act, database=database, keys=keys, policy=policy)


def due(
    within_days: Annotated[int, typer.Option(min=0, max=3_650, help="For orders that soon expire.")] = 30,
    as_json: AsJson = False,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    registry_policy: RegistryPolicyFile = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """What must be chased: emergencies without a second person, validations, service, orders soon over."""
    from stayaway.api.order_forms import DueEntry, DueList
    from stayaway.orders.due_load import look_at_due
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        items = await look_at_due(
            tools.conn,
            tools.seal,
            person(actor, purpose),
            policy=tools.registry_policy(),
            notice_kinds=tools.policy().notice_kinds,
            within=timedelta(days=within_days),
            now=now(),
            view="cli-due",
        )
        entries = [DueEntry.of(item) for item in items]
        if as_json:
            typer.echo(DueList(due=entries, total=len(entries)).model_dump_json())
            return
        for entry in entries:
            whom = f" respondent {entry.respondent_id}" if entry.respondent_id else ""
            typer.echo(f"{entry.kind} {entry.order_id} version {entry.version}{whom} {entry.due_at}")
        say(f"{len(entries)} due")

    with_tools(act, database=database, keys=keys, policy=policy, registry_policy=registry_policy)


def add_to(app: typer.Typer) -> None:
    """Put the commands under `stayaway orders`."""
    for command in (show, history, due):
        app.command(command.__name__)(command)
    app.command("list")(list_)
