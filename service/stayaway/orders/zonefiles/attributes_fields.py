"""Which attributes of a record are read; apart, because the child that runs GDAL imports no more."""

from typing import Final

NAME_FIELDS: Final = ("name", "zone_name", "label", "title")
VALUE_FIELDS: Final = ("distance_value", "distance_v")
UNIT_FIELDS: Final = ("distance_unit", "distance_u")
_FIELDS: Final = frozenset((*NAME_FIELDS, *VALUE_FIELDS, *UNIT_FIELDS))


def is_name_field(field: str) -> bool:
    """Whether a field that is none of ours may still hold the name: `BoroName`, `SCHOOLNAME`."""
    return field.casefold().endswith("name")


def is_read(field: str) -> bool:
    """Whether a field is looked at; the others are not."""
    return field.casefold() in _FIELDS or is_name_field(field)
