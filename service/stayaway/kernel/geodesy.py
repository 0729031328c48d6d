"""Metres around one point on WGS 84, in promise 3's arithmetic.

One degree of latitude and of longitude in metres at a latitude, from the ellipsoid's radii of
curvature in the meridian and in the prime vertical (Snyder, Map Projections, USGS PP 1395, 4-20
and 4-21). Taken half way between two points the plane they span is right to 2e-6 of the distance
within 10 km up to 85 degrees of latitude (tested against GeographicLib).
"""

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from stayaway.kernel.arithmetic import sin_cos_degrees

Floats = npt.NDArray[np.float64]
_N = TypeVar("_N", float, Floats)

WGS84_A_M = 6_378_137.0
WGS84_F = 1.0 / 298.257223563
_E2 = WGS84_F * (2.0 - WGS84_F)
_DEGREE_M = WGS84_A_M * math.pi / 180.0
MIN_DEGREE_LAT_M = _DEGREE_M * (1.0 - _E2)
"""A degree of latitude is nowhere shorter than at the equator."""


def degree_lengths_m(lat: _N) -> tuple[_N, _N]:
    """(metres in one degree of longitude, metres in one degree of latitude) at each latitude."""
    sine, cosine = sin_cos_degrees(lat)
    w2 = 1.0 - _E2 * (sine * sine)
    w = _root(w2)
    return _DEGREE_M * cosine / w, _DEGREE_M * (1.0 - _E2) / (w2 * w)


def _root(x: float | Floats) -> Any:
    # NumPy's root of a double is no plain double, and whatever is worked out from it is slow.
    return math.sqrt(x) if isinstance(x, float) else np.sqrt(x)
