"""`stayaway explain`: why an alert was raised, and whether it comes out the same again."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.database import with_database
from stayaway.cli.options import (
    EXIT_NO_ANSWER,
    Actor,
    Database,
    Keys,
    PolicyFile,
    Purpose,
    end_with_async,
    reviewer_of,
    tell,
)

if TYPE_CHECKING:
    from stayaway.alerts.explain import Explanation
    from stayaway.alerts.rerun import Rerun

EXIT_CODES = {"SAME": 0, "DIFFERENT": 1, "NOT_RUN": 3}


def explain(
    alert: Annotated[str, typer.Argument(help="The alert's number, or its id.")],
    database: Database = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    every: Annotated[
        bool, typer.Option("--all", help="The steps of every decision, not of the best.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="explanation.v1 with everything.")] = False,
    actor: Actor = "cli",
    purpose: Purpose = "ALERT_REVIEW",
) -> None:
    """Print an alert's numbered steps and run its decisions again from what was stored.

    Exit 0: the same bit for bit; 1: something differs, the first field is named; 2: nothing was compared,
    because there is no such alert, or the database or its keys are not to be had; 3: not run again, because
    the event was destroyed or the policy is not kept. The look is audited.
    """
    from stayaway.access.policy_file import load_policy
    from stayaway.alerts.explain import explain_alert
    from stayaway.alerts.explain_wire import ExplanationForm
    from stayaway.alerts.review import find_alert
    from stayaway.kernel.jsontext import compact_json
    from stayaway.platform.clock import now

    async def act(conn: Any, seal: Any) -> int:
        rules = load_policy(policy) if policy is not None else None
        number = await find_alert(conn, alert)
        reviewer = reviewer_of(actor, purpose)
        found = await explain_alert(conn, seal, number, reviewer, now=now(), policy=rules)
        if as_json:
            form = ExplanationForm.of(found).model_dump(by_alias=True)
            typer.echo(compact_json(form).decode())
        else:
            tell("\n".join(explanation_lines(found, every=every)))
        return EXIT_CODES[found.verdict]

    end_with_async(lambda: with_database(database, keys, act), failed=EXIT_NO_ANSWER)


def explanation_lines(found: "Explanation", *, every: bool) -> list[str]:
    """For a person: whose decisions, their steps, what was found."""
    from stayaway.alerts.words import EXPLAINED_WORDS

    row = found.row
    told = found.decisions if every else _best(found)
    lines = [f"Alert {row.alert_number} ({row.alert_id}), {row.state}. {EXPLAINED_WORDS}"]
    for item in told:
        lines += ["", *_decision_lines(item)]
    if len(told) < len(found.decisions):
        lines += [
            "",
            f"{_decisions(len(found.decisions) - len(told))} more: --all prints the steps of every one.",
        ]
    lines += ["", found.episode.text]
    if found.two_places is not None:
        lines.append(f"Evidence, which decides nothing: {found.two_places.words}")
    if found.neighbours.unopened_words is not None:
        lines.append(found.neighbours.unopened_words)
    return [*lines, "", *_verdict_lines(found)]


def _best(found: "Explanation") -> "tuple[Rerun, ...]":
    """The decision that gives the alert its kind and relation; where none does, the first."""
    kind, relation = found.row.match_kind, found.row.zone_relation
    ranked = sorted(
        found.decisions,
        key=lambda item: (
            item.stored.columns["match_kind"] != kind,
            item.stored.columns["zone_relation"] != relation,
        ),
    )
    return tuple(ranked[:1])


def _decision_lines(item: "Rerun") -> list[str]:
    from stayaway.kernel.instants import format_instant

    row, detail, event = item.stored.columns, item.stored.detail or {}, item.stored.event or {}
    destroyed = "destroyed with its key or its row"
    on = f"event {row['source']}/{row['event_id']} of {format_instant(row['observed_at'])}"
    known = f"known at {format_instant(row['known_at'])}, registry sequence {row['registry_sequence']}"
    return [
        f"Decision on {on}, zone {row['zone_id']}: {row['outcome']}",
        *(f"  {step.text}" for step in item.stored.steps),
        f"  order: version {row['order_version']}, {detail.get('order_sha256', destroyed)}, {known}",
        f"  policy: {row['policy_sha256']}",
        f"  engine: {row['engine']}, on {format_instant(row['decided_at'])}",
        f"  event: {event.get('content_sha256', destroyed)}",
        f"  whole input: {detail.get('input_sha256', destroyed)}",
        f"  run again: {_outcome(item)}",
    ]


def _outcome(item: "Rerun") -> str:
    if item.difference is not None:
        return f"DIFFERENT at {item.difference.field}"
    return item.verdict if item.why is None else f"NOT RUN: {item.why}"


def _decisions(number: int) -> str:
    return f"{number} decision{'' if number == 1 else 's'}"


def _verdict_lines(found: "Explanation") -> list[str]:
    from stayaway.alerts.rows import ENGINE_NAME

    others = {item.stored.columns["engine"] for item in found.decisions} - {ENGINE_NAME}
    lines = (
        [f"Decided by another engine ({', '.join(sorted(others))}), run again by {ENGINE_NAME}."]
        if others
        else []
    )
    if found.verdict == "SAME":
        return [
            *lines,
            f"SAME bit for bit: {_decisions(len(found.decisions))}, and the alert made of that.",
        ]
    if found.difference is not None:
        what = found.difference
        return [*lines, f"DIFFERENT: {what.field} was stored as {what.stored!r} and is {what.now!r} now."]
    whys = sorted({item.why for item in found.decisions if item.why is not None})
    return [*lines, f"NOT RUN AGAIN: {'; '.join(whys) or 'no decision is stored'}."]
