"""The mistakes that clerks make in writing a position, undone."""

from stayaway.kernel.geodesy import Floats


def undone(lon: Floats, lat: Floats) -> list[tuple[str, Floats, Floats]]:
    """What the positions were if one of these mistakes was made: (how, lon, lat)."""
    return [
        ("Swapped, as [lon, lat],", lat, lon),
        ("With a minus sign before the longitude (west is negative)", -lon, lat),
        ("Swapped, and with a minus sign before the longitude,", -lat, lon),
    ]
