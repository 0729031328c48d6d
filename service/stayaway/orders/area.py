"""The area of a shape on the WGS 84 ellipsoid, so that a preview can say what a change makes of it.

Edges are straight in lon/lat, as everywhere here (RFC 7946); taken as geodesics, as pyproj.Geod
takes them, an edge of 20 km at 60 degrees would lie 14 m off. Only + - x / are used, so the figure
is the same on any machine.
"""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from stayaway.kernel.arithmetic import sin_cos_degrees
from stayaway.kernel.geodesy import WGS84_A_M, WGS84_F
from stayaway.kernel.shape import Ring, Shape

Floats = npt.NDArray[np.float64]

_E2 = WGS84_F * (2.0 - WGS84_F)
_HALF_B2_RADIANS = (WGS84_A_M * (1.0 - WGS84_F)) ** 2 / 2.0 * (math.pi / 180.0)
_SERIES = tuple(1.0 / (2 * k + 1) for k in range(8))
"""artanh(e s) / (e s) in powers of (e s)^2; what is left out is below 1e-18."""
# Gauss-Legendre, 8 nodes on [0, 1] (Abramowitz and Stegun, table 25.4).
_HALF_NODES = (0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363)
_HALF_WEIGHTS = (0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763)
_SHARES = np.array([(1.0 + sign * node) / 2.0 for node in _HALF_NODES for sign in (-1.0, 1.0)])
_WEIGHTS = np.array([weight / 2.0 for weight in _HALF_WEIGHTS for _ in range(2)])


def area_m2(shape: Shape) -> float:
    """Square metres within the shape, holes left out, to a hundredth.

    Green's theorem: the area is the integral along the boundary of what lies between the equator
    and each latitude (Snyder, Map Projections, USGS PP 1395, 3-12) by longitude.
    """
    return round(math.fsum(term for part in shape.parts for ring in part for term in _terms(ring)), 2)


def _terms(ring: Ring) -> list[float]:
    # Rings run with the inside on the left, so eastward edges lie below it.
    lons = np.array([lon1 - lon2 for (lon1, _), (lon2, _) in pairwise(ring)])
    lats = np.array([lat for _, lat in ring])
    along = lats[:-1, np.newaxis] + _SHARES * np.diff(lats)[:, np.newaxis]
    terms: list[float] = (lons[:, np.newaxis] * _WEIGHTS * _strip_m2(along)).ravel().tolist()
    return terms


def _strip_m2(lat: Floats) -> Floats:
    """The area from the equator to each latitude, for a degree of longitude; negative in the south."""
    sine, _ = sin_cos_degrees(lat)
    square = _E2 * sine * sine
    series = np.zeros_like(square)
    for coefficient in reversed(_SERIES):
        series = series * square + coefficient
    return _HALF_B2_RADIANS * sine * (1.0 / (1.0 - square) + series)
