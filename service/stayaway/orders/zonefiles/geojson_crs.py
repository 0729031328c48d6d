"""GeoJSON's old `crs` member (GeoJSON 2008, section 3), which RFC 7946 took away.

Files with it are still exported. One that names WGS 84 lon/lat says nothing new; one that names another
system is believed, because its numbers make no sense as lon/lat, and the report says so. A link is never
followed.
"""

import re
from typing import Any

from stayaway.orders.zonefiles.model import UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes

# OGC 06-023r1 ("urn:ogc:def:crs:EPSG::2263", "urn:ogc:def:crs:OGC:1.3:CRS84") and plain "EPSG:2263".
_EPSG = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:)?EPSG:(?:[0-9.]*:)?([0-9]{4,6})", re.ASCII | re.IGNORECASE)
_CRS84 = re.compile(r"(?:urn:(?:x-)?ogc:def:crs:)?OGC:(?:[0-9.]*:)?CRS84", re.ASCII | re.IGNORECASE)
_CONVERT = "Export the file again in WGS 84 longitude and latitude."


def read_crs_member(document: dict[str, Any], notes: Notes) -> str | None:
    """`EPSG:n` of the system that `crs` names; None for WGS 84 lon/lat.

    UnreadableZoneFileError where it names none that is known: its numbers could mean anything.
    """
    member = document["crs"]
    if member is None:
        notes.warning(None, ("crs",), None, "The file says that its coordinate system is unknown.")
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise UnreadableZoneFileError(
            "The file's `crs` member names no coordinate system (a link is not followed).", _CONVERT
        )
    found = _EPSG.fullmatch(name.strip())
    if _CRS84.fullmatch(name.strip()) or (found and found.group(1) == "4326"):
        remedy = (
            "RFC 7946 has no `crs` member any more. It names WGS 84: the numbers were read as lon, lat,"
            " as RFC 7946 has them."
        )
        notes.info(None, ("crs",), name, remedy)
        return None
    if found is None:
        raise UnreadableZoneFileError(
            "The file's `crs` member names a coordinate system that is not known.", _CONVERT
        )
    remedy = (
        "RFC 7946 knows WGS 84 lon/lat only and has no `crs` member any more. It was believed, and the"
        " coordinates were converted from the system that it names: check the zones on the map."
    )
    notes.warning(None, ("crs",), name, remedy)
    return f"EPSG:{found.group(1)}"
