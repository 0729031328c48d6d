"""Boxes of the United States' states and territories, and which one an ORI belongs to."""

import numpy as np
import numpy.typing as npt

from stayaway.kernel.geodesy import Floats

Bools = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""(lon_min, lat_min, lon_max, lat_max) in degrees."""

MARGIN_DEG = 0.1
"""The outlines below are generalised to 1:10 million and end at the shore: some 10 km of grace."""

STATE_BOXES: dict[str, tuple[Box, ...]] = {
    "US-AK": ((172.45, 51.35, 180.0, 53.02), (-180.0, 51.22, -129.98, 71.36)),
    "US-AL": ((-88.48, 30.22, -84.89, 35.01),),
    "US-AR": ((-94.62, 33.0, -89.65, 36.5),),
    "US-AS": ((-170.85, -14.38, -169.42, -14.15),),
    "US-AZ": ((-114.82, 31.33, -109.04, 37.01),),
    "US-CA": ((-124.42, 32.53, -114.13, 42.01),),
    "US-CO": ((-109.06, 36.99, -102.04, 41.01),),
    "US-CT": ((-73.73, 40.98, -71.78, 42.06),),
    "US-DC": ((-77.12, 38.79, -76.9, 39.0),),
    "US-DE": ((-75.8, 38.45, -75.05, 39.84),),
    "US-FL": ((-87.64, 24.51, -80.03, 31.01),),
    "US-GA": ((-85.61, 30.35, -80.84, 35.01),),
    "US-GU": ((144.62, 13.24, 144.96, 13.66),),
    "US-HI": ((-160.25, 18.91, -154.8, 22.24),),
    "US-IA": ((-96.64, 40.37, -90.14, 43.51),),
    "US-ID": ((-117.25, 41.98, -111.04, 49.01),),
    "US-IL": ((-91.52, 36.97, -87.49, 42.51),),
    "US-IN": ((-88.1, 37.77, -84.78, 41.77),),
    "US-KS": ((-102.06, 36.99, -94.59, 40.01),),
    "US-KY": ((-89.58, 36.49, -81.96, 39.15),),
    "US-LA": ((-94.05, 28.92, -88.81, 33.02),),
    "US-MA": ((-73.51, 41.23, -69.92, 42.89),),
    "US-MD": ((-79.49, 37.91, -75.05, 39.73),),
    "US-ME": ((-71.09, 43.05, -66.98, 47.46),),
    "US-MI": ((-90.42, 41.69, -82.41, 48.2),),
    "US-MN": ((-97.24, 43.49, -89.49, 49.39),),
    "US-MO": ((-95.77, 35.99, -89.09, 40.62),),
    "US-MP": ((145.12, 14.11, 146.09, 18.82),),
    "US-MS": ((-91.65, 30.18, -88.09, 35.0),),
    "US-MT": ((-116.06, 44.35, -104.04, 49.01),),
    "US-NC": ((-84.33, 33.85, -75.45, 36.59),),
    "US-ND": ((-104.05, 45.93, -96.55, 49.01),),
    "US-NE": ((-104.06, 40.0, -95.3, 43.01),),
    "US-NH": ((-72.56, 42.69, -70.7, 45.31),),
    "US-NJ": ((-75.57, 38.92, -73.89, 41.36),),
    "US-NM": ((-109.05, 31.33, -103.0, 37.01),),
    "US-NV": ((-120.01, 35.0, -114.04, 42.01),),
    "US-NY": ((-79.77, 40.5, -71.85, 45.02),),
    "US-OH": ((-84.83, 38.4, -80.52, 41.98),),
    "US-OK": ((-103.01, 33.61, -94.43, 37.01),),
    "US-OR": ((-124.56, 41.99, -116.46, 46.27),),
    "US-PA": ((-80.53, 39.72, -74.69, 42.27),),
    "US-PR": ((-67.95, 17.91, -65.22, 18.52),),
    "US-RI": ((-71.86, 41.15, -71.12, 42.02),),
    "US-SC": ((-83.35, 32.03, -78.53, 35.22),),
    "US-SD": ((-104.06, 42.48, -96.43, 45.95),),
    "US-TN": ((-90.31, 34.98, -81.64, 36.68),),
    "US-TX": ((-106.65, 25.84, -93.51, 36.51),),
    "US-UT": ((-114.06, 36.99, -109.04, 42.01),),
    "US-VA": ((-83.68, 36.54, -75.24, 39.47),),
    "US-VI": ((-65.09, 17.67, -64.57, 18.39),),
    "US-VT": ((-73.44, 42.72, -71.49, 45.02),),
    "US-WA": ((-124.74, 45.54, -116.91, 49.01),),
    "US-WI": ((-92.89, 42.49, -86.82, 47.08),),
    "US-WV": ((-82.64, 37.2, -77.72, 40.64),),
    "US-WY": ((-111.06, 40.99, -104.05, 45.01),),
}
"""ISO 3166-2 code → boxes, rounded outwards to 0.01 degree; Alaska has one on each side of 180.

Source: U.S. Census Bureau, cartographic boundary files 2017 (public domain), as redistributed in
us-atlas 3.0.1 (`states-10m.json`).
"""

_ORI_CODES = {"US-NE": "NB", "US-GU": "GM", "US-AS": "AM", "US-MP": "MK"}
"""Where NCIC's code of a state, with which an ORI begins, is not the postal one (NCIC state and
territory codes, as NIEM 5.2 prints them)."""
_STATE_OF_ORI = {_ORI_CODES.get(region, region[3:]): region for region in STATE_BOXES}


def state_of_ori(ori: str) -> str | None:
    """The state whose NCIC code an ORI begins with, as ISO 3166-2; None where it is none."""
    return _STATE_OF_ORI.get(ori[:2])


def in_state(lon: Floats, lat: Floats) -> dict[str, Bools]:
    """For each state, which of the positions lie in a box of it, give or take `MARGIN_DEG`.

    Boxes of neighbours overlap: a position may lie in several.
    """
    return {
        region: np.logical_or.reduce([_in_box(box, lon, lat) for box in boxes])
        for region, boxes in STATE_BOXES.items()
    }


def _in_box(box: Box, lon: Floats, lat: Floats) -> Bools:
    west, south, east, north = box
    across = (west - MARGIN_DEG <= lon) & (lon <= east + MARGIN_DEG)
    inside: Bools = across & (south - MARGIN_DEG <= lat) & (lat <= north + MARGIN_DEG)
    return inside
