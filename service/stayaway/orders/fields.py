"""Field types of the orders file, and the base of its forms."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from stayaway.kernel.forms import Form
from stayaway.kernel.instants import DATE_PATTERN
from stayaway.kernel.timezones import time_zone_names


def _read_date(value: Any) -> date:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("bad_date", "Input should be a date like 2026-03-06") from error
    # fromisoformat also takes 20260306 and 2026-W10-5.
    if day.isoformat() != value:
        raise PydanticCustomError("bad_date", "Input should be a date like 2026-03-06")
    return day


def _read_time_zone(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    if value not in time_zone_names():
        raise PydanticCustomError("bad_time_zone", "Input should be an IANA time zone")
    return value


def _read_object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "Input should be an object")
    return value


def _read_place(value: Any) -> Any:
    if value != "WHOLE_ZONE" and not isinstance(value, dict):
        raise PydanticCustomError("bad_place", 'Input should be "WHOLE_ZONE" or a geometry')
    return value


def only_true(value: Any) -> Any:
    """Refuse what is no boolean: Literal[True] alone would take the number 1."""
    if not isinstance(value, bool):
        raise PydanticCustomError("bool_type", "Input should be true")
    return value


_BBOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_POSITION = {
    "type": "array",
    "prefixItems": [
        {"type": "number", "minimum": -180, "maximum": 180},
        {"type": "number", "minimum": -90, "maximum": 90},
    ],
    "items": False,
    "minItems": 2,
}
_RINGS = {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 4, "items": _POSITION}}
_POINT_SCHEMA = {"const": "Point"}, _POSITION
_POLYGON_SCHEMA = {"const": "Polygon"}, _RINGS
_MULTIPOLYGON_SCHEMA = {"const": "MultiPolygon"}, {"type": "array", "minItems": 1, "items": _RINGS}


def _geometry_schema(*kinds: tuple[dict[str, Any], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "type": "object",
            "properties": {"type": kind, "coordinates": coordinates, "bbox": _BBOX},
            "required": ["type", "coordinates"],
            "additionalProperties": False,
        }
        for kind, coordinates in kinds
    ]


Date = Annotated[
    date,
    PlainValidator(_read_date),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DATE_PATTERN}),
]
TimeZoneName = Annotated[
    str,
    PlainValidator(_read_time_zone),
    WithJsonSchema({"type": "string", "description": "IANA time zone, as America/Phoenix."}),
]
Ori = Annotated[str, Field(pattern=r"^[A-Z0-9]{9}$", description="Originating agency identifier (NCIC).")]
Metres = Annotated[float, Field(ge=0, le=1e6)]
Geometry = Annotated[
    dict[str, Any],
    PlainValidator(_read_object),
    WithJsonSchema({"oneOf": _geometry_schema(_POLYGON_SCHEMA, _MULTIPOLYGON_SCHEMA, _POINT_SCHEMA)}),
]
Polygons = Annotated[
    dict[str, Any],
    PlainValidator(_read_object),
    WithJsonSchema({"oneOf": _geometry_schema(_POLYGON_SCHEMA, _MULTIPOLYGON_SCHEMA)}),
]
Place = Annotated[
    dict[str, Any] | str,
    PlainValidator(_read_place),
    WithJsonSchema(
        {"oneOf": [{"const": "WHOLE_ZONE"}, *_geometry_schema(_POLYGON_SCHEMA, _MULTIPOLYGON_SCHEMA)]}
    ),
]


class OrdersForm(Form):
    """A form whose left-out fields are None in Python and never null on the wire."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The JSON Schema without the null that stands for "left out"."""
        published = handler(schema)
        for name, field in handler.resolve_ref_schema(published).get("properties", {}).items():
            options = [option for option in field.get("anyOf", ()) if option != {"type": "null"}]
            if len(options) == 1:
                rest = {key: item for key, item in field.items() if key not in ("anyOf", "default")}
                handler.resolve_ref_schema(published)["properties"][name] = {**options[0], **rest}
        return published
