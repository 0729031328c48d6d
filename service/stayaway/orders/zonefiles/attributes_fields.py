"""Which attributes of a record are read; apart, because the child that runs GDAL imports no more."""

from typing import Final

NAME_FIELDS: Final = ("name", "zone_name", "label", "title")
VALUE_FIELDS: Final = ("distance_value", "distance_v")
UNIT_FIELDS: Final = ("distance_unit", "distance_u")
FIELDS: Final = (*NAME_FIELDS, *VALUE_FIELDS, *UNIT_FIELDS)
"""Every field that is read; the others are not looked at."""
