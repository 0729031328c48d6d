"""`stayaway orders draft ...`: write a version, look at it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.options import (
    EXIT_NO_ANSWER,
    Actor,
    CourtAreasFile,
    Database,
    Keys,
    ReadersFile,
    say,
    say_not_checked,
    tell,
)
from stayaway.cli.order_lines import behind_words
from stayaway.cli.registry_tools import (
    DEFAULT_PURPOSE,
    LAST_VERSION,
    AsJson,
    OrderId,
    Purpose,
    Tools,
    person,
    with_tools,
)
from stayaway.cli.version_lines import field_words

if TYPE_CHECKING:
    from stayaway.api.draft_forms import CheckAnswer, DraftItem, FindingItem, LackItem, PreviewAnswer
    from stayaway.orders.draft import OrderDraft

draft_app = Commands(help="Drafts of order versions: nothing of them counts.", no_args_is_help=True)

DraftNumber = Annotated[int, typer.Argument(min=1, help="The draft's number.")]
ContentFile = Annotated[
    Path, typer.Argument(help="One record of orders.v1 as JSON, without version and recorded_at.")
]


def _quoted(tag: str) -> str:
    """The tag in the quotes that belong to it; a shell takes them off."""
    return tag if tag.startswith('"') else f'"{tag}"'


Tag = Annotated[
    str,
    typer.Option("--etag", help="The tag of the draft as you saw it; `show` prints it.", callback=_quoted),
]


def _content(file: Path) -> Any:
    from stayaway.kernel.errors import RefusedError, SettingsError
    from stayaway.kernel.jsontext import NotJsonError
    from stayaway.kernel.repeated import parse_telling_repeats
    from stayaway.platform.files import read_file

    try:
        content, repeated = parse_telling_repeats(read_file(file, "draft file"))
    except NotJsonError as error:
        raise SettingsError(f"The draft file is {error}.", "Send one JSON object in UTF-8.") from error
    if repeated:
        raise RefusedError([(("order", *item.path), item.words) for item in repeated])
    return content


def say_draft(draft: "OrderDraft") -> None:
    """A draft in a line, with the tag that its next edit names."""
    from stayaway.api.draft_forms import DraftItem

    typer.echo(_line(DraftItem.of(draft)))


def _line(item: "DraftItem") -> str:
    return (
        f"{item.draft_number} {item.state} {item.order_id} version {item.version} | last written by "
        f"{item.author} at {item.changed_at} | etag {item.etag}"
    )


@draft_app.command()
def create(file: ContentFile, actor: Actor, database: Database = None, keys: Keys = None) -> None:
    """Keep a draft, right or wrong."""
    from stayaway.orders.draft_store import create_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        content = _content(file)
        say_draft(
            await create_draft(
                tools.conn, tools.seal, content, person(actor), now=now(), idempotency_key=None
            )
        )

    with_tools(act, database=database, keys=keys, makes_keys=True)


@draft_app.command("from")
def from_(
    order: OrderId,
    version: Annotated[int, typer.Option(min=1, max=LAST_VERSION, help="The version to start from.")],
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """Print a version's content as JSON, to write the next draft from; the look is audited."""
    from stayaway.orders.draft import ASSIGNED
    from stayaway.orders.history_load import look_at_version
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        who = person(actor, purpose)
        raw = await look_at_version(
            tools.conn, tools.seal, order, version, who, now=now(), view="cli-version"
        )
        content = {name: value for name, value in raw.items() if name not in ASSIGNED}
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))

    with_tools(act, database=database, keys=keys)


@draft_app.command()
def replace(
    draft: DraftNumber,
    file: ContentFile,
    etag: Tag,
    actor: Actor,
    database: Database = None,
    keys: Keys = None,
) -> None:
    """Another content for the draft; whoever sends it cannot approve it."""
    from stayaway.orders.draft_store import replace_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        content = _content(file)
        say_draft(
            await replace_draft(
                tools.conn, tools.seal, draft, content, person(actor), if_match=etag, now=now()
            )
        )

    with_tools(act, database=database, keys=keys)


@draft_app.command()
def withdraw(
    draft: DraftNumber, etag: Tag, actor: Actor, database: Database = None, keys: Keys = None
) -> None:
    """Close the draft without approving it."""
    from stayaway.orders.draft_store import withdraw_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        say_draft(
            await withdraw_draft(tools.conn, tools.seal, draft, person(actor), if_match=etag, now=now())
        )

    with_tools(act, database=database, keys=keys)


@draft_app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="OPEN, APPROVED or WITHDRAWN; else all.")] = None,
    before: Annotated[int | None, typer.Option(min=1, help="Only drafts with a lower number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """Drafts, newest first; the look is audited."""
    from stayaway.kernel.errors import SettingsError
    from stayaway.orders.draft import DRAFT_STATES
    from stayaway.orders.draft_store import list_drafts
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        chosen = next((item for item in DRAFT_STATES if item == state), None)
        if state is not None and chosen is None:
            raise SettingsError(f"There is no state {state!r}.", f"Choose one of {', '.join(DRAFT_STATES)}.")
        who = person(actor, purpose)
        page = await list_drafts(
            tools.conn, tools.seal, who, state=chosen, before=before, limit=limit, now=now(), view="cli"
        )
        for item in page.drafts:
            say_draft(item)
        if page.next_before:
            say(f"more: --before {page.next_before}")

    with_tools(act, database=database, keys=keys)


@draft_app.command()
def show(
    draft: DraftNumber,
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """One draft with its content and approval, as JSON; the look is audited."""
    from stayaway.api.draft_forms import DraftDetail
    from stayaway.orders.draft_views import look_at_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        found, approval = await look_at_draft(
            tools.conn, tools.seal, draft, person(actor, purpose), now=now(), view="cli"
        )
        typer.echo(DraftDetail.of_draft(found, approval).model_dump_json(indent=2))

    with_tools(act, database=database, keys=keys)


@draft_app.command()
def check(
    draft: DraftNumber,
    as_json: AsJson = False,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """What the checks of an orders file say of the draft. Exit 0, 1 with errors, 2 without an answer."""
    from stayaway.api.draft_forms import CheckAnswer
    from stayaway.orders.draft_views import check_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> int:
        who, places = person(actor, purpose), tools.places()
        found, checked = await check_draft(tools.conn, tools.seal, draft, who, places=places, now=now())
        answer = CheckAnswer.of(found, checked)
        if as_json:
            typer.echo(answer.model_dump_json())
        else:
            say_findings(answer.findings)
            _say_lacks(answer.lacks)
            typer.echo(_verdict(answer))
            say_not_checked(answer.not_checked, tell)
        return int(answer.has_errors)

    with_tools(act, database=database, keys=keys, readers=readers, areas=areas, failed=EXIT_NO_ANSWER)


def _verdict(answer: "CheckAnswer") -> str:
    if answer.has_errors:
        return "The draft has errors."
    if answer.lacks:
        return "The draft can be used once what is to be answered is answered."
    return "The draft can be used."


def _say_lacks(lacks: "list[LackItem]") -> None:
    for lack in lacks:
        tell(f"TO ANSWER IN THE DRAFT {lack.pointer}: {lack.detail}")


def say_findings(findings: "list[FindingItem]") -> None:
    """What the checks found, a line each."""
    for item in findings:
        value = f" is {item.value}" if item.value else ""
        tell(f"{item.severity}: {item.pointer or 'the order'}{value}. {item.remedy}")


@draft_app.command()
def preview(
    draft: DraftNumber,
    as_json: AsJson = False,
    readers: ReadersFile = None,
    areas: CourtAreasFile = None,
    database: Database = None,
    keys: Keys = None,
    actor: Actor = "cli",
    purpose: Purpose = DEFAULT_PURPOSE,
) -> None:
    """What approving the draft would change, and what the approver must answer; the look is audited."""
    from stayaway.api.draft_forms import PreviewAnswer
    from stayaway.orders.draft_views import preview_draft
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> None:
        found, checked, shown = await preview_draft(
            tools.conn, tools.seal, draft, person(actor, purpose), places=tools.places(), now=now()
        )
        answer = PreviewAnswer.of(found, checked, shown)
        if as_json:
            typer.echo(answer.model_dump_json())
        else:
            _say_preview(answer)

    with_tools(act, database=database, keys=keys, readers=readers, areas=areas)


def _say_preview(answer: "PreviewAnswer") -> None:
    tell(_line(answer.draft))
    behind = f" ({behind_words(answer.before_approval)})" if answer.before_approval else ""
    beside = f"version {answer.before}{behind}" if answer.before else "nothing: no version counts"
    tell(f"compared with {beside}; {answer.vertices} vertices")
    for item in answer.differences:
        tell(f"{item.change} {item.what} {item.subject}")
        for field in item.fields:
            before, after = (field_words(field.name, value) for value in (field.before, field.after))
            change = {"ADDED": after, "REMOVED": before}.get(item.change, f"{before} -> {after}")
            tell(f"  {field.name}: {change}")
    say_findings(answer.findings)
    say_not_checked(answer.not_checked, tell)
    _say_lacks(answer.lacks)
    for question in answer.questions:
        only = f" (if {question.asked_if[0]} is {question.asked_if[1]})" if question.asked_if else ""
        tell(f"TO ANSWER {question.question_id}{only}: {question.text}")


def add_to(app: typer.Typer) -> None:
    """Put the commands under `stayaway orders`."""
    app.add_typer(draft_app, name="draft")
