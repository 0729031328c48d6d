"""Where plate readers stand: the small strict form `readers.v1`, which an installation names."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from stayaway.kernel.forms import Extensions, Identifier, Latitude, Longitude
from stayaway.orders.fields import OrdersForm
from stayaway.orders.findings import FindingList
from stayaway.orders.reference_file import read_reference_file

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
    """The readers of a `readers.v1` file. Raises SettingsError, which names the first bad field."""
    return read_reference_file(ReadersFileForm, data, _to_readers, what="readers file", schema=SCHEMA)


def _to_readers(form: ReadersFileForm, _findings: FindingList) -> tuple[Reader, ...]:
    return tuple(_to_reader(item) for item in form.readers)


def _to_reader(form: ReaderForm) -> Reader:
    reach_m = DEFAULT_REACH_M if form.reach_m is None else form.reach_m
    return Reader(reader_id=form.reader_id, lon=form.lon, lat=form.lat, reach_m=reach_m)
