"""Run as a program: a digest of every bit that the geometry of a decision comes to."""

import hashlib
import math
import random

from stayaway.kernel.shape import Shape
from stayaway.matching.boundary import boundary_distance_m
from stayaway.matching.inside import is_inside
from stayaway.matching.probability import _mass

_GRID = 10**7


def main() -> None:
    """Zones and points from whole numbers alone, so that they are the same on any machine."""
    rng = random.Random(6)
    digest = hashlib.sha256()
    for _ in range(150):
        lon, lat = rng.randrange(-180 * _GRID, 180 * _GRID), rng.randrange(-85 * _GRID, 85 * _GRID)
        size = 10 ** rng.randrange(2, 7)
        ring = [
            (lon + rng.randrange(size), lat + rng.randrange(size)) for _ in range(rng.choice([3, 9, 200]))
        ]
        degrees = [(min(180.0, x / _GRID), y / _GRID) for x, y in [*ring, ring[0]]]
        shape = Shape.from_parts([[degrees]])
        for _ in range(10):
            x = min(180.0, (lon + rng.randrange(-size, 2 * size)) / _GRID)
            y = (lat + rng.randrange(-size, 2 * size)) / _GRID
            x = max(-180.0, x)
            radius_m = float(rng.randrange(1, 10 ** rng.randrange(1, 6)))
            found = boundary_distance_m(shape, x, y, math.inf), _mass(shape, x, y, radius_m)
            digest.update(f"{is_inside(shape, x, y)} {found[0].hex()} {found[1].hex()}\n".encode())
    print(digest.hexdigest())  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    main()
