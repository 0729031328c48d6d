"""What a zone file was found to hold."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from stayaway.kernel.errors import StayawayError
from stayaway.orders.findings import Path
from stayaway.orders.model import DistanceUnit

Floats = npt.NDArray[np.float64]
Format = Literal["GEOJSON", "KML", "KMZ", "SHAPEFILE", "GEOPACKAGE", "CSV"]
Severity = Literal["ERROR", "WARNING", "INFO"]
Kind = Literal["POLYGON", "POINT", "LINE", "NOTHING"]

FORMAT_WORDS: dict[Format, str] = {
    "GEOJSON": "GeoJSON",
    "KML": "KML",
    "KMZ": "KMZ (zipped KML)",
    "SHAPEFILE": "zipped shapefile",
    "GEOPACKAGE": "GeoPackage",
    "CSV": "CSV of points",
}


class UnreadableZoneFileError(StayawayError):
    """No candidate can be had from the file: another format, broken, hostile or too large."""


class TooLargeError(UnreadableZoneFileError):
    """The file exceeds a limit of `limits`."""


@dataclass(frozen=True, slots=True)
class ZoneFinding:
    """One thing to know about the file or one of its candidates (`candidate`, None for the file).

    ERROR: the candidate cannot be used. WARNING: look at it. INFO: what was done in reading.
    `pointer`: a JSON Pointer into a GeoJSON file; in other formats to the record, then to part, ring and
    position as GeoJSON would have them. `lon_lat`: where on the map, if that is known.
    """

    severity: Severity
    candidate: int | None
    pointer: str
    value: str
    remedy: str
    lon_lat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance as ordered: a positive value and its unit."""

    value: float
    unit: DistanceUnit


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One record as the file has it, in the file's coordinates; nothing is judged yet.

    `pointer` leads to the geometry's coordinates. `parts`: polygons, each its outer ring, then holes, as
    (n, 2) arrays. `lines`: of a LINE, the same. `position`: of a POINT. `is_multi`: whether several parts
    or lines are told apart by the pointer. `flat`: how many numbers after the first two were dropped.
    """

    pointer: Path
    kind: Kind
    name: str | None = None
    distance: Distance | None = None
    parts: tuple[tuple[Floats, ...], ...] = ()
    lines: tuple[Floats, ...] = ()
    position: tuple[float, float] | None = None
    is_multi: bool = False
    flat: int = 0

    @property
    def vertices(self) -> int:
        """Positions in all rings and lines."""
        return sum(map(len, self.arrays))

    @property
    def arrays(self) -> tuple[Floats, ...]:
        """Every ring and line."""
        return (*(ring for part in self.parts for ring in part), *self.lines)

    def ring_path(self, part: int, ring: int) -> Path:
        """The path to one ring."""
        return (*self.pointer, part, ring) if self.is_multi else (*self.pointer, ring)

    def line_path(self, line: int) -> Path:
        """The path to one line."""
        return (*self.pointer, line) if self.is_multi else self.pointer


@dataclass(frozen=True, slots=True)
class CoordinateSystem:
    """The file's coordinate system and how it was converted to WGS 84.

    `code`: such as EPSG:2263, where it is known. `is_declared`: by the file; else by its format, which
    knows lon/lat only. `operation`: PROJ's name of the conversion, None where there was none to do.
    `accuracy_m`: as PROJ states it, None where it does not.
    """

    name: str
    code: str | None
    is_declared: bool
    operation: str | None = None
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class RepairOffer:
    """A valid geometry in place of an invalid one, to be used only after a yes.

    Areas are geodesic, in square metres: of the rings as drawn (outer less holes; lobes drawn the other
    way round count against), and after the repair. `change_percent` is None where nothing was enclosed.
    """

    geometry: dict[str, Any]
    vertices: int
    drawn_area_m2: float
    repaired_area_m2: float
    change_m2: float
    change_percent: float | None
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A zone that the file offers. `number`: from 1, by the order of records.

    `geometry`: Polygon, MultiPolygon or Point in WIRE.md's form, None where it could not be read. A point
    has its distance, if one was given; of a line it is what was drawn within its distance. `name` is a text
    about a place: it is to be sealed, never logged. `area_m2`: geodesic; None for a point.
    """

    number: int
    pointer: str
    name: str | None
    geometry: dict[str, Any] | None
    distance: Distance | None
    vertices: int
    area_m2: float | None
    is_usable: bool
    repair: RepairOffer | None = None


@dataclass(frozen=True, slots=True)
class ZoneFileReport:
    """What the file holds. `file_sha256` binds a yes to a repair to these very bytes."""

    format: Format
    file_sha256: str
    crs: CoordinateSystem
    candidates: tuple[Candidate, ...]
    findings: tuple[ZoneFinding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything in the file cannot be used as it is."""
        return any(finding.severity == "ERROR" for finding in self.findings)

    @property
    def usable(self) -> tuple[Candidate, ...]:
        """The candidates that may become zones."""
        return tuple(candidate for candidate in self.candidates if candidate.is_usable)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the clerk says about the file.

    `file_name`: as it was called, only to say where it does not fit the content. `accepted_repairs`: numbers
    of candidates whose repair is agreed to. `distance`: for points and lines that have none of their own.
    `draws_all`: the distance is drawn around points and polygons too; around lines it always is.
    `draws_only`: around this candidate alone, as an order names one street of a layer; None: around each.
    """

    file_name: str | None = None
    accepted_repairs: frozenset[int] = frozenset()
    distance: Distance | None = None
    draws_all: bool = False
    draws_only: int | None = None
