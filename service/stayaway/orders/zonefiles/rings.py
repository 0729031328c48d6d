"""Checks of rings and positions, in the file's coordinates and then in lon/lat. Nothing is mended here."""

import math

import numpy as np

from stayaway.orders.zonefiles.limits import MAX_FINDINGS_EACH, MAX_ZONE_VERTICES
from stayaway.orders.zonefiles.model import Feature, Floats
from stayaway.orders.zonefiles.notes import Notes

_FOREIGN_LON = 540.0
"""Longitudes to here are one turn over the 180 degree meridian, which some programs write."""
_FOREIGN_WIDTH = 180.0
"""They write whole rings so; one stray position of 190 degrees in a ring elsewhere is a slip."""
_PROJECTED_FROM = 1_000.0
_DROPPED = "Repeated positions next to each other were dropped."
_CLOSE = "Close the ring: its last position must equal its first."
_FOUR = "A ring has at least four positions, the last equal to the first."
_THREE = "A ring needs three different positions at least."


def check_rings(feature: Feature, number: int, notes: Notes) -> bool:
    """Whether every ring is one, before any conversion (RFC 7946 section 3.1.6)."""
    is_good = True
    if feature.vertices > MAX_ZONE_VERTICES:
        remedy = f"A zone has at most {MAX_ZONE_VERTICES} positions: simplify it."
        notes.error(number, feature.pointer, f"{feature.vertices} positions", remedy)
        return False
    for part_index, part in enumerate(feature.parts):
        for ring_index, ring in enumerate(part):
            path = feature.ring_path(part_index, ring_index)
            is_good &= _check_ring(ring, number, path, notes)
    return is_good and all(len(part) and all(len(ring) for ring in part) for part in feature.parts)


def _check_ring(ring: Floats, number: int, path: tuple[str | int, ...], notes: Notes) -> bool:
    if not len(ring):
        return False  # said where it was read
    if not _check_finite(ring, number, path, notes):
        return False
    if len(ring) < 4:
        notes.error(number, path, f"{len(ring)} positions", _FOUR)
        return False
    if not (ring[0] == ring[-1]).all():
        notes.error(number, (*path, len(ring) - 1), _text(ring[-1]), _CLOSE)
        return False
    moved = (np.diff(ring, axis=0) != 0).any(axis=1)
    others = ring[(ring != ring[0]).any(axis=1)]
    if not len(others) or not (others != others[0]).any():
        notes.error(number, path, "one or two different positions", _THREE)
        return False
    if not moved.all():
        notes.tally(number, _DROPPED)
    return True


def check_lines(feature: Feature, number: int, notes: Notes) -> bool:
    """Whether every line is one, before any conversion (RFC 7946 section 3.1.4)."""
    is_good = bool(feature.lines)
    for index, line in enumerate(feature.lines):
        path = feature.line_path(index)
        if not _check_finite(line, number, path, notes):
            is_good = False
        elif not (line != line[:1]).any():
            notes.error(number, path, f"{len(line)} positions", "A line has two or more different positions.")
            is_good = False
    return is_good


def _check_finite(positions: Floats, number: int, path: tuple[str | int, ...], notes: Notes) -> bool:
    finite = np.isfinite(positions).all(axis=1)
    if finite.all():
        return True
    bad = int(np.flatnonzero(~finite)[0])
    value = "not finite" if np.isnan(positions[bad]).any() else "infinite"
    notes.error(number, (*path, bad), value, "A coordinate is a finite number; draw the zone again.")
    return False


def check_range(
    positions: Floats, number: int, path: tuple[str | int, ...], notes: Notes, *, is_point: bool = False
) -> bool:
    """Whether positions are lon/lat on the Earth. Longitudes over 180 degrees are left to the cut there."""
    lon, lat = positions.T
    with np.errstate(invalid="ignore"):
        is_narrow = not is_point and float(np.ptp(lon)) < _FOREIGN_WIDTH
        good = (np.abs(lat) <= 90) & (np.abs(lon) <= (_FOREIGN_LON if is_narrow else 180))
    if good.all():
        return True
    bad = np.flatnonzero(~good).tolist()
    for index in bad[:MAX_FINDINGS_EACH]:
        at = path if is_point else (*path, index)
        notes.error(number, at, _text(positions[index]), _remedy(*positions[index].tolist()))
    if len(bad) > MAX_FINDINGS_EACH:
        notes.error(number, path, f"{len(bad)} positions in all", "Correct those listed, then try again.")
    return False


def _remedy(lon: float, lat: float) -> str:
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return "The position has no place in WGS 84: check the coordinate system that the file declares."
    if max(abs(lon), abs(lat)) > _PROJECTED_FROM:
        return (
            "This looks like projected metres or feet, not degrees: export the layer in WGS 84 longitude and"
            " latitude, or in a format that declares its coordinate system (a shapefile, a GeoPackage)."
        )
    if abs(lon) <= 90 < abs(lat) <= 180:
        return (
            f"Latitude must be -90..90: latitude and longitude are swapped; did you mean [{lat:g}, {lon:g}]?"
        )
    if 90 < abs(lat) <= 90.001:
        return (
            "Latitude must be -90..90: it lies just over the pole; correct it to 90 or -90 if that is meant."
        )
    return "Longitude must be -180..180 and latitude -90..90 (WGS 84, [lon, lat])."


def _text(position: Floats) -> list[float]:
    return [float(item) for item in position.tolist()]
