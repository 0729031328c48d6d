"""Where plate readers stand: the small strict form `readers.v1`, asked for by `orders check --readers`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from stayaway.kernel.forms import Extensions, Identifier, Latitude, Longitude
from stayaway.kernel.jsontext import NotJsonError, json_pointer, parse_json
from stayaway.orders.fields import OrdersForm
from stayaway.orders.findings import UnreadableFileError

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
    try:
        body = parse_json(data)
    except NotJsonError as error:
        raise UnreadableFileError(
            f"The readers file is {error}.", "Send one JSON object in UTF-8, without a byte order mark."
        ) from error
    try:
        form = ReadersFileForm.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UnreadableFileError(
            f"The readers file cannot be used: {json_pointer(*first['loc']) or 'the file'}: {first['msg']}.",
            f'Give {{"schema": "{SCHEMA}", "readers": [{{"reader_id", "lon", "lat", "reach_m"}}]}}.',
        ) from error
    return tuple(
        Reader(item.reader_id, item.lon, item.lat, DEFAULT_REACH_M if item.reach_m is None else item.reach_m)
        for item in form.readers
    )
