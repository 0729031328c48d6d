"""`stayaway orders draft zone`: a zone of a draft drawn from a county's file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stayaway.cli.options import EXIT_FAILED, Actor, Database, Keys, say
from stayaway.cli.orders_drafts import DraftNumber, Tag, say_draft
from stayaway.cli.registry_tools import Tools, person, with_tools
from stayaway.cli.zones import ordered_distance, read_bounded, say_report
from stayaway.kernel.errors import SettingsError

if TYPE_CHECKING:
    from stayaway.orders.zonefiles.model import Candidate, ReadOptions, ZoneFileReport


def zone(
    draft: DraftNumber,
    zone_id: Annotated[str, typer.Argument(help="The zone of the draft: its zone_id.")],
    file: Annotated[Path, typer.Argument(help="The zone file, as `stayaway zones read` takes it.")],
    etag: Tag,
    actor: Actor,
    candidate: Annotated[
        int | None, typer.Option(min=1, help="Which of the file's candidates, where it has several.")
    ] = None,
    accept_repair: Annotated[
        bool, typer.Option("--accept-repair", help="Agree to the repair of that candidate.")
    ] = False,
    distance: Annotated[float | None, typer.Option(help="Distance of a point or line that has none.")] = None,
    unit: Annotated[str | None, typer.Option(help="Its unit: YD, FT or M.")] = None,
    database: Database = None,
    keys: Keys = None,
) -> None:
    """Give a zone of the draft the geometry of a file's candidate; whoever does it cannot approve it.

    The file is explained as `stayaway zones read` does. Exit 1: the candidate cannot be used, and nothing was
    changed.
    """
    from stayaway.orders.draft import with_geometry
    from stayaway.orders.draft_store import replace_draft
    from stayaway.orders.draft_views import look_at_draft
    from stayaway.orders.zonefiles.model import ReadOptions
    from stayaway.platform.clock import now

    async def act(tools: Tools) -> int:
        options = ReadOptions(
            file_name=file.name,
            accepted_repairs=frozenset({candidate or 1} if accept_repair else ()),
            distance=ordered_distance(distance, unit),
            draws_only=candidate,
        )
        chosen = _chosen(_read(file, options), candidate)
        if not chosen.is_usable:
            say("Nothing was changed.")
            return EXIT_FAILED
        who = person(actor)
        found, _ = await look_at_draft(tools.conn, tools.seal, draft, who, now=now(), view="cli")
        content = with_geometry(found.content, zone_id, _fields(chosen))
        say_draft(await replace_draft(tools.conn, tools.seal, draft, content, who, if_match=etag, now=now()))
        return 0

    with_tools(act, database=database, keys=keys)


def _read(file: Path, options: "ReadOptions") -> "ZoneFileReport":
    from stayaway.orders.zonefiles.read import read_zone_file

    report = read_zone_file(read_bounded(file), options, lambda _done, _total: None)
    say_report(report, as_json=False)
    return report


def _chosen(report: "ZoneFileReport", number: int | None) -> "Candidate":
    """The candidate named, or the only one there is."""
    found = [item for item in report.candidates if number in (None, item.number)]
    if len(found) == 1:
        return found[0]
    numbers = [str(item.number) for item in report.candidates]
    if number is None:
        raise SettingsError(f"The file has {len(numbers)} candidates.", "Name one with --candidate.")
    raise SettingsError(
        f"The file has no candidate {number}.", f"It has {', '.join(numbers[:20]) or 'none'}."
    )


def _fields(candidate: "Candidate") -> dict[str, Any]:
    """A zone's fields that a candidate gives."""
    given: dict[str, Any] = {"geometry": candidate.geometry}
    if candidate.distance is not None:
        given |= {"distance_value": candidate.distance.value, "distance_unit": candidate.distance.unit}
    return given


def add_to(app: typer.Typer) -> None:
    """Put the command under `stayaway orders draft`."""
    app.command("zone")(zone)
