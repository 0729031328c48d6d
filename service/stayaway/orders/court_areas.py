"""The areas of courts, as their counties: the small strict form `court_areas.v1`, named by an installation.

It is a GeoJSON FeatureCollection (RFC 7946) with `schema` as a foreign member. No table of counties is built
in: none is public that goes by NCIC's county numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import shapely
from pydantic import Field

from stayaway.kernel.forms import Extensions, Text
from stayaway.kernel.geodesy import Floats
from stayaway.kernel.shape import Shape
from stayaway.orders.fields import OrdersForm, Polygons
from stayaway.orders.findings import FindingList
from stayaway.orders.geometry import read_polygons
from stayaway.orders.outlines import to_outlines
from stayaway.orders.plain_geometry import draw_plain
from stayaway.orders.reference_file import read_reference_file

SCHEMA = "court_areas.v1"
ORI_LENGTH = 9
_SHORTEST = 2
"""An ORI's first two characters are its state's."""


class CourtAreaProperties(OrdersForm):
    """Whose area it is."""

    name: Annotated[Text, Field(description="As people call it; findings name it.")]
    oris: Annotated[
        list[Annotated[str, Field(pattern=rf"^[A-Z0-9]{{{_SHORTEST},{ORI_LENGTH}}}$")]],
        Field(
            min_length=1,
            description="ORIs of its courts and agencies, or what those begin with: the first 5 characters of"
            " an ORI name state and county. Of several entries that an ORI begins with the longest counts.",
        ),
    ]


class CourtAreaFeature(OrdersForm):
    """One area, in lon, lat of WGS 84."""

    type: Literal["Feature"]
    properties: CourtAreaProperties
    geometry: Polygons


class CourtAreasForm(OrdersForm):
    """The areas of the courts and agencies whose orders an installation holds."""

    schema_: Literal["court_areas.v1"] = Field(alias="schema")
    type: Literal["FeatureCollection"]
    features: Annotated[list[CourtAreaFeature], Field(min_length=1)]
    extensions: Extensions = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CourtArea:
    """`oris`: whole ORIs, or beginnings of them."""

    name: str
    oris: tuple[str, ...]
    shape: Shape


@dataclass(frozen=True)
class CourtAreas:
    """Every area of the file. An area is meant by its number, its place in `areas`."""

    areas: tuple[CourtArea, ...]

    @cached_property
    def _by_entry(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for number, area in enumerate(self.areas):
            for entry in area.oris:
                found[entry].append(number)
        return found

    @cached_property
    def boxes(self) -> Floats:
        """(lon_min, lat_min, lon_max, lat_max) of each area."""
        made: Floats = shapely.bounds(to_outlines([area.shape for area in self.areas])).reshape(-1, 4)
        return made

    def named_by(self, oris: Iterable[str]) -> tuple[int, ...]:
        """The areas of any of these ORIs, ascending: of each ORI those with the longest entry that it begins
        with.
        """
        return tuple(sorted({number for ori in oris for number in self._named_by(ori)}))

    def _named_by(self, ori: str) -> Sequence[int]:
        entries = (ori[:length] for length in range(ORI_LENGTH, _SHORTEST - 1, -1))
        return next((self._by_entry[entry] for entry in entries if entry in self._by_entry), ())


def parse_court_areas(data: bytes) -> CourtAreas:
    """The areas of a `court_areas.v1` file. Raises SettingsError, which names the first bad field."""
    return read_reference_file(CourtAreasForm, data, _to_areas, what="court areas file", schema=SCHEMA)


def _to_areas(form: CourtAreasForm, findings: FindingList) -> CourtAreas:
    drawn = draw_plain([feature.geometry for feature in form.features])
    areas = []
    for number, feature in enumerate(form.features):
        shape = read_polygons(feature.geometry, ("features", number, "geometry"), findings, drawn)
        if shape is not None:
            areas.append(CourtArea(feature.properties.name, tuple(feature.properties.oris), shape))
    return CourtAreas(tuple(areas))
