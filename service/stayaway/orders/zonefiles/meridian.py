"""Zones over the 180 degree meridian or a pole, cut as RFC 7946 (section 3.1.9) and WIRE.md have them.

By the `antimeridian` package, with straight edges in lon/lat. An edge over 180 degrees long is taken to go
the short way round.
"""

import antimeridian
import numpy as np
import shapely

from stayaway.orders.zonefiles.model import Floats

Parts = tuple[tuple[Floats, ...], ...]


class UnsplittableError(ValueError):
    """The outline cannot be cut there: it is not valid to begin with, or goes round the Earth."""


def needs_cut(parts: Parts) -> bool:
    """Whether a ring leaves -180..180 or jumps over the meridian."""
    return any(_crosses(ring) for part in parts for ring in part)


def cut(parts: Parts) -> Parts:
    """The parts, cut at the meridian; UnsplittableError where no valid outline comes of it."""
    pieces: list[tuple[Floats, ...]] = []
    for part in parts:
        if not any(_crosses(ring) for ring in part):
            pieces.append(part)
            continue
        try:
            fixed = antimeridian.fix_polygon(
                shapely.Polygon(part[0], part[1:]), fix_winding=True, great_circle=False
            )
        except (ValueError, shapely.errors.GEOSException, IndexError) as error:
            raise UnsplittableError("no valid outline comes of the cut") from error
        pieces.extend(
            tuple(_shortened(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon))
            for polygon in shapely.get_parts(fixed)
        )
    if not pieces:
        raise UnsplittableError("nothing is left after the cut")
    return tuple(pieces)


def _crosses(ring: Floats) -> bool:
    lon = ring[:, 0]
    return bool((np.abs(lon) > 180).any() or (np.abs(np.diff(lon)) > 180).any())


def _shortened(ring: Floats) -> Floats:
    """A position half way on edges over 180 degrees long, which only run along a pole or a parallel now."""
    long = np.flatnonzero(np.abs(np.diff(ring[:, 0])) > 180)
    return np.insert(ring, long + 1, (ring[long] + ring[long + 1]) / 2, axis=0)
