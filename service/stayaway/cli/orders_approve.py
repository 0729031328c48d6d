"""`stayaway orders approve`: put a draft in force."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from stayaway.cli.options import (
    Actor,
    CourtAreasFile,
    Database,
    Keys,
    PolicyFile,
    ReadersFile,
    RegistryPolicyFile,
    say_not_checked,
    tell,
)
from stayaway.cli.orders_acts import say_act
from stayaway.cli.orders_drafts import DraftNumber, Tag, say_findings
from stayaway.cli.registry_tools import Tools, person, with_tools

if TYPE_CHECKING:
    from stayaway.orders.questions import Answer


def approve(
    draft: DraftNumber,
    etag: Tag,
    case_number: Annotated[str, typer.Option(help="Retyped from the papers.")],
    expiry: Annotated[str, typer.Option(help="Retyped: 2028-01-05, 2028-01-05T17:00:00Z, P2Y or none.")],
    actor: Actor,
    answer: Annotated[
        list[str] | None, typer.Option(help="QUESTION=YES or QUESTION=NO, a reason after a colon; repeat it.")
    ] = None,
    emergency: Annotated[
        str | None,
        typer.Option(help="Put it in force alone, where the registry's policy allows: why nobody else can."),
    ] = None,
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    registry_policy: RegistryPolicyFile = None,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
) -> None:
    """Put a draft in force, as another person than any of its writers."""
    from stayaway.alerts.order_approval import approve_draft, approve_emergency
    from stayaway.api.order_forms import ApprovalAnswer
    from stayaway.orders.questions import ApprovalStatement
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        answers = dict(_parse_answer(text) for text in answer or ())
        stated = ApprovalStatement(case_number=case_number, expiry=expiry, answers=answers)
        at, rules, places, who = now(), tools.policy_if_any(), tools.places(), person(actor)
        about = (tools.conn, tools.seal, draft, stated, who)
        if emergency is None:
            approved = await approve_draft(*about, if_match=etag, places=places, policy=rules, now=at)
        else:
            approved = await approve_emergency(
                *about,
                reason_text=emergency,
                if_match=etag,
                places=places,
                policy=rules,
                registry_policy=tools.registry_policy(),
                now=at,
            )
        done = ApprovalAnswer.of_approval(approved, at)
        say_act(done)
        say_findings(done.findings)
        say_not_checked(done.not_checked, tell)
        if done.second_check:
            typer.echo(f"{done.second_check}: another person must confirm it before {done.until_at}.")

    with_tools(
        act,
        database=database,
        keys=keys,
        policy=policy,
        registry_policy=registry_policy,
        readers=readers,
        areas=areas,
    )


_ANSWER = re.compile(r"([^=]+)=(YES|NO)(?::(.*))?", re.DOTALL)


def _parse_answer(text: str) -> "tuple[str, Answer]":
    from stayaway.kernel.errors import SettingsError
    from stayaway.orders.questions import Answer

    match = _ANSWER.fullmatch(text)
    if match is None:
        raise SettingsError("An --answer is not in form.", "Write QUESTION=YES, or QUESTION=NO:reason.")
    given = Answer(answer="YES" if match[2] == "YES" else "NO", reason_text=match[3] or "")
    return match[1], given


def add_to(app: typer.Typer) -> None:
    """Put the command under `stayaway orders`."""
    app.command("approve")(approve)
