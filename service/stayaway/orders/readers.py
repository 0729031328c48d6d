"""Where plate readers stand: the small strict form `readers.v1`, asked for by `orders check --readers`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from stayaway.kernel.forms import Extensions, Identifier, Latitude, Longitude
from stayaway.kernel.jsontext import Encoded, NotJsonError, parse_json
from stayaway.orders.fields import OrdersForm
from stayaway.orders.findings import FindingList, UnreadableFileError
from stayaway.orders.formcheck import note_repeated_names, read_form

SCHEMA = "readers.v1"
DEFAULT_REACH_M = 30.0
"""Ours: how far from a reader the cars are that it reads; makers name 20 to 30 m for fixed ones."""


class ReaderForm(OrdersForm):
    """A fixed plate reader."""

    reader_id: Annotated[Identifier, Field(description="As the network's reads name it.")]
    lon: Longitude
    lat: Latitude
    reach_m: Annotated[
        float | None,
        Field(
            gt=0, le=1000, description=f"How far off it reads plates; left out: {DEFAULT_REACH_M:g} metres."
        ),
    ] = None


class ReadersFileForm(OrdersForm):
    """The plate readers of one or more networks."""

    schema_: Literal["readers.v1"] = Field(alias="schema")
    readers: list[ReaderForm]
    extensions: Extensions = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """Where a plate reader stands, and how far it reads."""

    reader_id: str
    lon: float
    lat: float
    reach_m: float


def parse_readers_file(data: bytes) -> tuple[Reader, ...]:
    """The readers of a `readers.v1` file. Raises UnreadableFileError, which names the first bad field."""
    findings = FindingList(None)
    try:
        body = parse_json(data)
        note_repeated_names(data, Encoded.of(body), findings, within=0)
    except NotJsonError as error:
        raise UnreadableFileError(
            f"The readers file is {error}.", "Send one JSON object in UTF-8, without a byte order mark."
        ) from error
    if not isinstance(body, dict):
        raise UnreadableFileError(
            "The readers file is no JSON object.", f'Send one object with "schema": "{SCHEMA}".'
        )
    form = read_form(ReadersFileForm, body, findings)
    if form is None or findings.has_errors:
        first, *others = findings.findings
        more = f" (and {len(others)} more)" if others else ""
        raise UnreadableFileError(f"The readers file cannot be used: {first.pointer}{more}.", first.remedy)
    return tuple(_to_reader(item) for item in form.readers)


def _to_reader(form: ReaderForm) -> Reader:
    reach_m = DEFAULT_REACH_M if form.reach_m is None else form.reach_m
    return Reader(reader_id=form.reader_id, lon=form.lon, lat=form.lat, reach_m=reach_m)
