"""Zones and lines over the 180 degree meridian or a pole, cut as RFC 7946 (section 3.1.9) and WIRE.md say.

By the `antimeridian` package, with straight edges in lon/lat. An edge over 180 degrees long is taken to go
the short way round. Of an outline round the Earth either side could be meant, and winding is no safe guide
in clerks' files: the smaller side is taken, and one over a quarter of the Earth is refused.
"""

from typing import Final

import antimeridian
import numpy as np
import shapely

from stayaway.orders.zonefiles.model import Floats

Parts = tuple[tuple[Floats, ...], ...]

_MAX_SHARE: Final = 0.25
"""Of the Earth's surface. The cap north of 40 degrees has 0.18; no court forbids a hemisphere."""


_MAX_CROSSINGS: Final = 1_000
"""Of a ring over the meridian. A coast has tens; joining the pieces of more takes quadratic time."""


class UnsplittableError(ValueError):
    """The outline cannot be cut there: it is not valid to begin with, or it is not clear what is inside."""


def needs_cut(parts: Parts) -> bool:
    """Whether a ring leaves -180..180 or jumps over the meridian."""
    return any(_crosses(ring) for part in parts for ring in part)


def cut(parts: Parts) -> Parts:
    """The parts, cut at the meridian; UnsplittableError where no clear and valid outline comes of it."""
    pieces: list[tuple[Floats, ...]] = []
    for part in map(_turned, parts):
        pieces.extend(_cut_part(part) if any(_crosses(ring) for ring in part) else [part])
    return tuple(pieces)


def cut_lines(lines: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """The lines in -180..180, those over the meridian cut there; each edge goes the short way round."""
    pieces: list[Floats] = []
    for line in lines:
        if not _crosses(line):
            pieces.append(line)
            continue
        lon = line[:, 0]
        turned = np.where(lon > 180, lon - 360, np.where(lon < -180, lon + 360, lon))
        fixed = antimeridian.fix_line_string(
            shapely.LineString(np.column_stack([turned, line[:, 1]])), great_circle=False
        )
        found = [shapely.get_coordinates(piece) for piece in shapely.get_parts(fixed)]
        # Where a line only touches the meridian, a piece without length is left on its other side.
        pieces += [piece for piece in found if (piece != piece[:1]).any()]
    return tuple(pieces)


def _cut_part(part: tuple[Floats, ...]) -> list[tuple[Floats, ...]]:
    if sum(int((np.abs(np.diff(ring[:, 0])) > 180).sum()) for ring in part) > _MAX_CROSSINGS:
        raise UnsplittableError("over the meridian too often")
    # As it is with winding mended, which suits all but outlines round the Earth; then their other side.
    ways = ((part, True), (part, False), ((part[0][::-1], *part[1:]), False))
    for rings, fix_winding in ways:
        pieces = _fixed(rings, fix_winding=fix_winding)
        if pieces and share_of_earth(pieces) <= _MAX_SHARE:
            return pieces
    raise UnsplittableError("no clear outline comes of the cut")


def _fixed(part: tuple[Floats, ...], *, fix_winding: bool) -> list[tuple[Floats, ...]]:
    """The pieces that the package makes; none where it cannot."""
    try:
        fixed = antimeridian.fix_polygon(
            shapely.Polygon(part[0], part[1:]), fix_winding=fix_winding, great_circle=False
        )
    except (ValueError, AssertionError, IndexError, shapely.errors.GEOSException):
        return []
    return [
        tuple(_shortened(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon))
        for polygon in shapely.get_parts(fixed)
    ]


def share_of_earth(pieces: list[tuple[Floats, ...]]) -> float:
    """How much of the sphere's surface lies in the pieces, whose edges are straight in lon/lat."""
    return sum(_share(rings[0]) - sum(map(_share, rings[1:])) for rings in pieces)


def _share(ring: Floats) -> float:
    # The integral of sin(lat) over lon, whose mean on a straight edge is (cos a - cos b) / (b - a).
    lon, lat = np.radians(ring).T
    a, b = lat[:-1], lat[1:]
    flat = np.abs(b - a) < 1e-9
    mean = np.where(flat, np.sin((a + b) / 2), (np.cos(a) - np.cos(b)) / np.where(flat, 1.0, b - a))
    return abs(float((np.diff(lon) * mean).sum())) / (4 * np.pi)


def _turned(part: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """A part wholly beyond 180 degrees, as 0..360 longitudes have it, turned back by 360."""
    lon = part[0][:, 0]
    turn = 360.0 if lon.min() >= 180 else -360.0 if lon.max() <= -180 else 0.0
    return tuple(ring - (turn, 0.0) for ring in part) if turn else part


def _crosses(ring: Floats) -> bool:
    lon = ring[:, 0]
    return bool((np.abs(lon) > 180).any() or (np.abs(np.diff(lon)) > 180).any())


def _shortened(ring: Floats) -> Floats:
    """A position half way on edges over 180 degrees long, which only run along a pole or a parallel now."""
    long = np.flatnonzero(np.abs(np.diff(ring[:, 0])) > 180)
    return np.insert(ring, long + 1, (ring[long] + ring[long + 1]) / 2, axis=0)
