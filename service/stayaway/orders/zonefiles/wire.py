"""`zone_file_report.v1`, the report's form on the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stayaway.orders.model import DistanceUnit
from stayaway.orders.zonefiles.model import Format, Severity


class _Output(BaseModel):
    model_config = ConfigDict(frozen=True)


class CoordinateSystemForm(_Output):
    """The file's coordinate system and its conversion to WGS 84."""

    name: str
    code: Annotated[str | None, Field(examples=["EPSG:2263"])]
    is_declared: Annotated[bool, Field(description="By the file; else by its format.")]
    operation: Annotated[str | None, Field(description="PROJ's name of the conversion; null: none needed.")]
    accuracy_m: Annotated[float | None, Field(description="As PROJ states it; null: not known.")]


class RepairOfferForm(_Output):
    """A valid geometry in place of an invalid one; used only after a yes to this very file."""

    geometry: Annotated[dict[str, Any], Field(description="RFC 7946 Polygon or MultiPolygon.")]
    vertices: int
    drawn_area_m2: float
    repaired_area_m2: float
    change_m2: float
    change_percent: float | None
    is_accepted: bool


class CandidateForm(_Output):
    """A zone that the file offers. Its name is a text about a place."""

    number: Annotated[int, Field(ge=1, description="By the order of records.")]
    pointer: str
    name: str | None
    is_usable: bool
    geometry: Annotated[
        dict[str, Any] | None, Field(description="RFC 7946 Polygon, MultiPolygon or Point; as drawn.")
    ]
    distance_value: float | None = None
    distance_unit: DistanceUnit | None = None
    vertices: int
    area_m2: float | None
    repair: RepairOfferForm | None


class ZoneFindingForm(_Output):
    """One thing to know about the file (candidate null) or one candidate."""

    severity: Severity
    candidate: int | None
    pointer: Annotated[str, Field(description="JSON Pointer; in other formats as GeoJSON would have it.")]
    value: Annotated[str, Field(description="A short text of what stands there.")]
    remedy: str
    lon_lat: Annotated[tuple[float, float] | None, Field(description="Where on the map.")]


class ZoneFileReportForm(_Output):
    """What an uploaded file holds. Nothing of it is stored."""

    schema_: Annotated[Literal["zone_file_report.v1"], Field(alias="schema")]
    format: Format
    file_sha256: Annotated[str, Field(description="Of the bytes that were read; a yes holds for these only.")]
    crs: CoordinateSystemForm
    usable: Annotated[int, Field(description="How many candidates may become zones.")]
    has_errors: bool
    candidates: list[CandidateForm]
    findings: list[ZoneFindingForm]
