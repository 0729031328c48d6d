"""From the coordinate system that a file declares to WGS 84 lon/lat, by PROJ, without any network."""

import re
import warnings
from typing import Final, Protocol

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # it is its public name
from pyproj.transformer import AreaOfInterest, TransformerGroup

from stayaway.orders.zonefiles.limits import MAX_CRS_BYTES, MAX_EDGE_M, MAX_ZONE_VERTICES, WARN_ACCURACY_M
from stayaway.orders.zonefiles.model import CoordinateSystem, Floats, UnreadableZoneFileError
from stayaway.orders.zonefiles.notes import Notes

WGS84: Final = CoordinateSystem(name="WGS 84 lon/lat", code="OGC:CRS84", is_declared=False)
_EPSG = re.compile(r"EPSG:[0-9]{4,6}", re.ASCII)
# What makes PROJ open a file: a grid's name. `@null` is the one that names none (Web Mercator has it).
_FILE_REFERENCE = re.compile(r"PARAMETERFILE|geoidgrids|nadgrids\s*=\s*(?!@null\b)|\bfile\s*=", re.IGNORECASE)
_CONVERT = "Export the layer again in WGS 84 longitude and latitude."
_DEGREE_RANGE: Final = (180.0, 90.0)
_MARGIN_DEG: Final = 2.0
_CONFIDENCE: Final = 70


_MAX_EDGE_PIECES: Final = 50_000
"""Times MAX_EDGE_M: longer than the way round the Earth, where projections begin to repeat themselves."""


class EdgeTooLongError(ValueError):
    """An edge in a projected system that is longer than any on the Earth."""


class Converter(Protocol):
    """Turns positions of the file into WGS 84 lon/lat."""

    system: CoordinateSystem

    def convert(self, positions: Floats) -> Floats:
        """(n, 2) lon/lat; infinite where a position has none."""

    def straighten(self, ring: Floats) -> Floats:
        """The ring with points put on edges too long to be converted by their ends alone.

        Raises EdgeTooLongError.
        """

    def is_outside(self, positions: Floats) -> bool:
        """Whether lon/lat positions lie outside the area that the system is made for."""


class LonLat:
    """No conversion: the file is in WGS 84 lon/lat."""

    def __init__(self, system: CoordinateSystem = WGS84) -> None:
        self.system = system

    def convert(self, positions: Floats) -> Floats:
        """As they are."""
        return positions

    def straighten(self, ring: Floats) -> Floats:
        """As it is: RFC 7946 has straight edges in lon/lat."""
        return ring

    def is_outside(self, positions: Floats) -> bool:  # noqa: ARG002 - the whole Earth
        """Never."""
        return False


class Declared:
    """A conversion by PROJ from the system that the file declares."""

    def __init__(self, crs: pyproj.CRS, transformer: pyproj.Transformer, system: CoordinateSystem) -> None:
        self.system = system
        self._transformer = transformer
        self._area = _area_of_use(crs)
        self._longest = MAX_EDGE_M / _unit_m(crs) if crs.is_projected else None

    def convert(self, positions: Floats) -> Floats:
        """By the best operation that needs no grid we lack."""
        lon, lat = self._transformer.transform(positions[:, 0], positions[:, 1])
        converted: Floats = np.column_stack([lon, lat])
        return converted

    def straighten(self, ring: Floats) -> Floats:
        """Edges over MAX_EDGE_M of a projected system are cut into equal pieces."""
        if self._longest is None:
            return ring
        pieces = np.ceil(np.hypot(*np.diff(ring, axis=0).T) / self._longest)
        if pieces.max() <= 1:
            return ring
        if pieces.max() > _MAX_EDGE_PIECES or pieces.sum() > MAX_ZONE_VERTICES:
            raise EdgeTooLongError
        straight: Floats = shapely.get_coordinates(
            shapely.segmentize(shapely.LineString(ring), self._longest)
        )
        return straight

    def is_outside(self, positions: Floats) -> bool:
        """Whether any lies over two degrees out of the system's area of use."""
        if self._area is None:
            return False
        west, south, east, north = self._area
        lon, lat = positions.T
        is_in_lat = (lat >= south - _MARGIN_DEG) & (lat <= north + _MARGIN_DEG)
        # An area may cross the 180 degree meridian: then its west lies east of its east.
        width = (east - west) % 360 or 360.0
        is_in_lon = (lon - west + _MARGIN_DEG) % 360 <= width + 2 * _MARGIN_DEG
        return not bool((is_in_lat & (is_in_lon | (width >= 360 - 2 * _MARGIN_DEG))).all())


def converter_for(text: str, positions: Floats, notes: Notes) -> Converter:
    """The conversion from the system `text` (EPSG:n or WKT) for a file with these positions.

    Raises UnreadableZoneFileError where the system is none on the Earth, is not known to PROJ, or is not
    the one that the numbers are in.
    """
    crs = _parse(text)
    code = _code(crs)
    if crs.is_geographic and _is_wgs84(crs):
        return LonLat(CoordinateSystem(name=crs.name, code=code, is_declared=True))
    finite = positions[np.isfinite(positions).all(axis=1)]
    if crs.is_projected and len(finite) and bool((np.abs(finite) <= _DEGREE_RANGE).all()):
        raise UnreadableZoneFileError(
            f"The file declares {_short(crs.name)}, but its numbers look like degrees.",
            "Declare the system that the numbers are in, and export the file again.",
        )
    transformer = _best(crs, finite, notes)
    accuracy_m = transformer.accuracy if transformer.accuracy >= 0 else None
    system = CoordinateSystem(
        name=_short(crs.name),
        code=code,
        is_declared=True,
        operation=_short(transformer.description, 300),
        accuracy_m=accuracy_m,
    )
    _say(system, notes)
    return Declared(crs, transformer, system)


def _parse(text: str) -> pyproj.CRS:
    if len(text.encode()) > MAX_CRS_BYTES or _FILE_REFERENCE.search(text):
        raise UnreadableZoneFileError(
            "The file's coordinate system is too long or refers to a grid file of its own.", _CONVERT
        )
    try:
        crs = pyproj.CRS.from_epsg(int(text[5:])) if _EPSG.fullmatch(text) else pyproj.CRS.from_wkt(text)
    except CRSError as error:
        raise UnreadableZoneFileError("The file's coordinate system is not known.", _CONVERT) from error
    if crs.is_compound:
        # The first is the horizontal one (ISO 19111); heights are dropped.
        crs = crs.sub_crs_list[0]
    if crs.is_geocentric or not (crs.is_geographic or crs.is_projected) or crs.name.startswith("Undefined"):
        raise UnreadableZoneFileError(
            f"The file's coordinate system ({_short(crs.name)}) has no known place on the Earth.", _CONVERT
        )
    return crs


def _is_wgs84(crs: pyproj.CRS) -> bool:
    return crs.equals(pyproj.CRS.from_epsg(4326), ignore_axis_order=True) or _code(crs) in (
        "EPSG:4326",
        "EPSG:4979",
        "OGC:CRS84",
    )


def _code(crs: pyproj.CRS) -> str | None:
    found = crs.to_authority(min_confidence=_CONFIDENCE)
    return ":".join(found) if found else None


def _best(crs: pyproj.CRS, positions: Floats, notes: Notes) -> pyproj.Transformer:
    """The most accurate operation for the area, of those that need no grid we lack; never a guess."""
    area = _area_of_interest(crs, positions)
    group = _group(crs, area)
    if not group.transformers and area is not None:
        group = _group(crs, None)
    if not group.transformers:
        raise UnreadableZoneFileError(
            f"No conversion from {_short(crs.name)} to WGS 84 is known here.", _CONVERT
        )
    best: pyproj.Transformer = group.transformers[0]
    better = [item for item in group.unavailable_operations if 0 <= item.accuracy < best.accuracy]
    if better and best.accuracy > WARN_ACCURACY_M:
        remedy = (
            f"A conversion to within {better[0].accuracy:g} m exists but needs a grid that is not installed;"
            f" the one used is good to {best.accuracy:g} m. Convert the layer to WGS 84 where it was made."
        )
        notes.warning(None, (), _short(crs.name), remedy)
    return best


def _group(crs: pyproj.CRS, area: AreaOfInterest | None) -> TransformerGroup:
    set_network_enabled(active=False)
    with warnings.catch_warnings():
        # It warns of grids that are not here; `_best` says so in the report.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return TransformerGroup(
                crs, "EPSG:4326", always_xy=True, area_of_interest=area, allow_ballpark=False
            )
        except (ProjError, CRSError) as error:
            raise UnreadableZoneFileError(
                f"No conversion from {_short(crs.name)} to WGS 84 is known here.", _CONVERT
            ) from error


def _area_of_interest(crs: pyproj.CRS, positions: Floats) -> AreaOfInterest | None:
    if not len(positions):
        return None
    try:
        rough = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except (ProjError, CRSError):
        return None
    (x1, y1), (x2, y2) = positions.min(axis=0), positions.max(axis=0)
    lon, lat = rough.transform([x1, x1, x2, x2], [y1, y2, y1, y2])
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()) or max(lon) - min(lon) > 180:
        return None
    return AreaOfInterest(min(lon), min(lat), max(lon), max(lat))


def _area_of_use(crs: pyproj.CRS) -> tuple[float, float, float, float] | None:
    found = crs.area_of_use
    if found is None and (code := crs.to_epsg(min_confidence=_CONFIDENCE)) is not None:
        found = pyproj.CRS.from_epsg(code).area_of_use
    return (found.west, found.south, found.east, found.north) if found is not None else None


def _unit_m(crs: pyproj.CRS) -> float:
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return float(factor) or 1.0


def _say(system: CoordinateSystem, notes: Notes) -> None:
    known = "to an accuracy that is not known"
    if system.accuracy_m is not None:
        known = f"good to {system.accuracy_m:g} m" if system.accuracy_m > 0 else "by calculation alone"
    remedy = f"The coordinates were converted to WGS 84 ({known}). Check the zones on the map."
    if system.accuracy_m is None or system.accuracy_m > WARN_ACCURACY_M:
        notes.warning(None, (), system.code or system.name, remedy)
    else:
        notes.info(None, (), system.code or system.name, remedy)


def _short(text: str, length: int = 80) -> str:
    return "".join(character for character in text if character.isprintable())[:length]
