"""What a distance is measured from: lines and parcels of RFC 7946 as rings that share one plane.

The plane is longitude and latitude in whole nano-degrees (about 0.1 mm), in which edges are
straight (RFC 7946, 3.1.1) and the pieces of a geometry cut at the 180 degree meridian lie side
by side. A line becomes a ring that goes there and back, so that everything outside lies on the
right of every ring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from stayaway.orders.distance import DistanceError

NANO = 10**9
"""Steps of the plane in a degree."""
TURN = 360 * NANO
MAX_POSITIONS = 50_000
"""So many take some ten seconds or more; a parcel has hundreds, a school district thousands."""

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outline:
    """Closed rings (first vertex repeated at the end) with the outside on the right, and the area inside."""

    rings: tuple[_Ints, ...]
    areas: tuple[shapely.Polygon, ...]


def read_outline(geometry: Mapping[str, Any]) -> Outline:
    """The outline of a LineString, MultiLineString, Polygon or MultiPolygon. Raises DistanceError."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind in ("LineString", "MultiLineString"):
        lines = coordinates if kind == "MultiLineString" else [coordinates]
        return _lines([[line] for line in _listed(lines)])
    if kind in ("Polygon", "MultiPolygon"):
        parts = coordinates if kind == "MultiPolygon" else [coordinates]
        return _parcels([_listed(part) for part in _listed(parts)])
    raise DistanceError(
        f"A distance cannot be drawn around a {kind}.",
        "Use a Point, LineString, MultiLineString, Polygon or MultiPolygon in lon, lat.",
    )


def _lines(parts: Sequence[Sequence[Any]]) -> Outline:
    there = [part[0] for part in _side_by_side([[_positions(line) for line in part] for part in parts])]
    if any(len(line) < 2 for line in there):
        raise DistanceError("A line has only one position.", "Give it a second one, or use a Point.")
    return Outline(tuple(np.concatenate([line, line[-2::-1]]) for line in there), ())


def _parcels(parts: Sequence[Sequence[Any]]) -> Outline:
    rings: list[_Ints] = []
    areas: list[shapely.Polygon] = []
    for part in _side_by_side([[_positions(ring) for ring in part] for part in parts]):
        if any(len(ring) < 4 or (ring[0] != ring[-1]).any() for ring in part):
            raise DistanceError(
                "A ring of the parcel is not closed, or has fewer than three different positions.",
                "Close it: its last position must equal its first.",
            )
        area = shapely.Polygon(part[0], part[1:])
        if not area.is_valid:
            raise DistanceError(
                f"The parcel is no valid polygon: {shapely.is_valid_reason(area).partition('[')[0]}.",
                "Correct its outline first; nothing is repaired silently.",
            )
        areas.append(area)
        # Inside on the left: the outer ring counter-clockwise, holes clockwise.
        for index, ring in enumerate(part):
            is_left = bool(shapely.is_ccw(shapely.linearrings(ring))) == (index == 0)
            rings.append(ring if is_left else ring[::-1])
    return Outline(tuple(rings), tuple(areas))


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple) and value:
        return value
    raise DistanceError("The geometry has no coordinates.", "Give at least one line or ring of positions.")


def _positions(value: Any) -> _Floats:
    try:
        positions = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        positions = np.empty((0, 0))
    if positions.ndim != 2 or positions.shape[1] != 2 or not len(positions):
        raise DistanceError(
            "A line or ring is not a list of positions.", "Write each as [lon, lat], two numbers."
        )
    if not (np.abs(positions) <= (180.0, 90.0)).all():
        raise DistanceError("A position lies outside -180..180 and -90..90.", "Write [lon, lat] in degrees.")
    if (np.abs(np.diff(positions[:, 0])) > 180.0).any():
        raise DistanceError(
            "An edge spans over 180 degrees.",
            "Cut the geometry at the 180 degree meridian (RFC 7946, 3.1.9).",
        )
    return positions


def _side_by_side(parts: Sequence[Sequence[_Floats]]) -> list[list[_Ints]]:
    """Nano-degrees without repeats, parts shifted by a turn so that the widest empty gap lies outside."""
    count = sum(len(ring) for part in parts for ring in part)
    if count > MAX_POSITIONS:
        raise DistanceError(
            f"The outline has {count} positions, over {MAX_POSITIONS}.",
            "Simplify it, or give the places apart.",
        )
    gap_end = _end_of_widest_gap([(float(part[0][:, 0].min()), float(part[0][:, 0].max())) for part in parts])
    return [[_plane(ring, TURN if part[0][:, 0].min() < gap_end else 0) for ring in part] for part in parts]


def _end_of_widest_gap(spans: Sequence[tuple[float, float]]) -> float:
    ordered = sorted(spans)
    end, first = ordered[0][1], ordered[0][0]
    inner: list[tuple[float, float]] = []
    for west, east in ordered[1:]:
        inner.append((west - end, west))
        end = max(end, east)
    width, at = max(inner, default=(0.0, first))
    return at if width > first + 360.0 - end else first


def _plane(positions: _Floats, shift: int) -> _Ints:
    ring: _Ints = np.rint(positions * NANO).astype(np.int64)
    ring[:, 0] += shift
    keep = np.ones(len(ring), dtype=np.bool_)
    keep[1:] = (ring[1:] != ring[:-1]).any(axis=1)
    return ring[keep]
