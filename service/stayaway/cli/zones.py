"""`stayaway zones`: read a zone file from a county's GIS and explain it, storing nothing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stayaway.cli.checked import Commands
from stayaway.cli.options import EXIT_NO_ANSWER, end_with, say
from stayaway.kernel.errors import SettingsError

if TYPE_CHECKING:
    from stayaway.orders.zonefiles.model import Distance, ReadOptions, ZoneFileReport

app = Commands(help="Zone files: GeoJSON, KML, KMZ, zipped shapefile, GeoPackage, CSV.", no_args_is_help=True)

EXIT_USABLE, EXIT_ERRORS, EXIT_UNREADABLE = 0, 1, 2
_PROGRESS_FROM = 1_000


ZoneFile = Annotated[Path, typer.Argument(help="The zone file.")]
AcceptRepair = Annotated[
    list[int] | None, typer.Option(min=1, help="Agree to the repair of this candidate; repeatable.")
]
DistanceUnitText = Annotated[str | None, typer.Option(help="Its unit: YD, FT or M.")]


@app.command("read")
def read(
    file: ZoneFile,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
    accept_repair: AcceptRepair = None,
    distance: Annotated[
        float | None, typer.Option(help="Distance of points and lines that have none; drawn around lines.")
    ] = None,
    unit: DistanceUnitText = None,
    out: Annotated[Path | None, typer.Option(help="Write the usable candidates here, as GeoJSON.")] = None,
) -> None:
    """Explain a zone file: its zones, what is wrong with them and where. Nothing is stored.

    A CSV has a first row with the columns lon, lat, distance_value, distance_unit (YD, FT or M) and name, in
    any order. Other formats may carry the last three as attributes. A shapefile is zipped with its .prj.

    Exit 0: every candidate can be used; 1: there are errors, or nothing to use; 2: unreadable.
    """
    from stayaway.orders.zonefiles.model import ReadOptions

    def run() -> int:
        options = ReadOptions(
            file_name=file.name,
            accepted_repairs=frozenset(accept_repair or ()),
            distance=ordered_distance(distance, unit),
        )
        return _explain(file, options, as_json=as_json, out=out)

    end_with(run, failed=EXIT_NO_ANSWER)


@app.command("around")
def around(
    file: ZoneFile,
    out: Annotated[Path, typer.Option(help="Write the zones here, as GeoJSON.")],
    accept_repair: AcceptRepair = None,
    distance: Annotated[
        float | None, typer.Option(help="The distance as ordered, of places that have none in the file.")
    ] = None,
    unit: DistanceUnitText = None,
) -> None:
    """Draw the zone within a distance of each place in a file, on the WGS 84 ellipsoid. Nothing is stored.

    Places are points, lines, buildings and parcels, in any format that `read` takes. Never beyond the
    distance, short of it by at most 0.05 % and 50 cm. Exit 0: all were drawn; 1: some not; 2: unreadable.
    """
    from stayaway.orders.zonefiles.model import ReadOptions

    def run() -> int:
        options = ReadOptions(
            file_name=file.name,
            accepted_repairs=frozenset(accept_repair or ()),
            distance=ordered_distance(distance, unit),
            draws_all=True,
        )
        return _explain(file, options, as_json=False, out=out)

    end_with(run, failed=EXIT_NO_ANSWER)


def _explain(file: Path, options: "ReadOptions", *, as_json: bool, out: Path | None) -> int:
    """Say what the file holds, and write what of it can be used."""
    from stayaway.kernel.jsontext import compact_json
    from stayaway.orders.zonefiles.model import UnreadableZoneFileError
    from stayaway.orders.zonefiles.read import read_zone_file
    from stayaway.orders.zonefiles.report import feature_collection
    from stayaway.platform.files import whole_file

    try:
        report = read_zone_file(read_bounded(file), options, _say_progress)
    except UnreadableZoneFileError as error:
        say(str(error))
        return EXIT_UNREADABLE
    say_report(report, as_json=as_json)
    if out is not None:
        with whole_file(out) as written:
            written.write(compact_json(feature_collection(report)) + b"\n")
    return EXIT_ERRORS if report.has_errors or not report.usable else EXIT_USABLE


def ordered_distance(value: float | None, unit: str | None) -> "Distance | None":
    """--distance with its --unit; None where neither was given. Raises SettingsError."""
    from stayaway.orders.zonefiles.attributes import checked_distance, parse_unit
    from stayaway.orders.zonefiles.model import Distance
    from stayaway.orders.zonefiles.notes import Notes

    if value is None and unit is None:
        return None
    parsed = parse_unit(unit)
    if value is None or parsed is None:
        raise SettingsError(
            "--distance and --unit belong together.", "Say --distance 100 --unit YD, FT or M."
        )
    notes = Notes()
    found = checked_distance(Distance(value, parsed), None, (), notes)
    if found is None:
        raise SettingsError("--distance cannot be used.", notes.all()[0].remedy)
    return found


def read_bounded(path: Path) -> bytes:
    """The file's bytes, one over the limit at most: a huge one is refused without being read."""
    from stayaway.orders.zonefiles.limits import MAX_UPLOAD_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MAX_UPLOAD_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"The zone file {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


def _say_progress(done: int, total: int) -> None:
    if total >= _PROGRESS_FROM:
        say(f"{done} of {total} candidates read")


def say_report(report: "ZoneFileReport", *, as_json: bool) -> None:
    """The file's candidates and what is wrong with them, where."""
    from stayaway.orders.zonefiles.model import FORMAT_WORDS
    from stayaway.orders.zonefiles.report import report_json

    if as_json:
        typer.echo(json.dumps(report_json(report), ensure_ascii=False))
        return
    code = f" ({report.crs.code})" if report.crs.code else ""
    typer.echo(f"{FORMAT_WORDS[report.format]}, {report.crs.name}{code}, SHA-256 {report.file_sha256}")
    for candidate in report.candidates:
        kind = candidate.geometry["type"] if candidate.geometry else "no geometry"
        area = "" if candidate.area_m2 is None else f", {candidate.area_m2:,.1f} m2"
        distance = candidate.distance
        within = "" if distance is None else f", {distance.value:g} {distance.unit}"
        name = f" {candidate.name}" if candidate.name else ""
        state = "usable" if candidate.is_usable else "not usable"
        typer.echo(f"{candidate.number}{name}: {state}, {kind}, {candidate.vertices} vertices{area}{within}")
    for finding in report.findings:
        who = f" candidate {finding.candidate}" if finding.candidate is not None else ""
        value = f" {finding.value}." if finding.value else ""
        typer.echo(f"{finding.severity}{who} {finding.pointer or 'the file'}:{value} {finding.remedy}")
    typer.echo(f"{len(report.usable)} of {len(report.candidates)} candidates can be used.")
