"""From an uploaded zone file to its report: `cd tests && python -m bench.zone_files`.

One zone of `--vertices` in each format, read as the server reads an upload: in its own process, and for
shapefile and GeoPackage in that one's child. Prints the fastest and the median of `--runs`, and the
processor's time, which a busy machine does not change. Exit code 1 where a fastest run takes over 2 s at
5,000 vertices.
"""

import argparse
import math
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import shapely

from stayaway.orders.zonefiles.model import ReadOptions
from stayaway.orders.zonefiles.upload import read_upload
from support.zone_files import geojson, geopackage, kml, kml_polygon, polygon, shapefile_parts, zipped

GOAL_S = 2.0
GOAL_VERTICES = 5_000


def zone_files(vertices: int, folder: Path) -> dict[str, bytes]:
    """The same round zone in each format."""
    turn = 2 * math.pi / vertices
    ring = [
        [round(-111 + 0.01 * math.cos(i * turn), 7), round(33 + 0.01 * math.sin(i * turn), 7)]
        for i in range(vertices)
    ]
    ring.append(ring[0])
    return {
        "geojson": geojson(polygon(ring)),
        "kml": kml(kml_polygon(ring)),
        "shapefile": zipped(shapefile_parts([ring])),
        "geopackage": geopackage(folder / "zones.gpkg", [shapely.Polygon(ring).wkb]),
    }


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--vertices", type=int, default=GOAL_VERTICES)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    is_slow = False
    with tempfile.TemporaryDirectory() as folder:
        for name, data in zone_files(arguments.vertices, Path(folder)).items():
            times = []
            cpu_s = _children_cpu_s()
            for _ in range(arguments.runs):
                began = time.perf_counter()
                read_upload(data, ReadOptions())
                times.append(time.perf_counter() - began)
            cpu_s = (_children_cpu_s() - cpu_s) / arguments.runs
            is_slow |= arguments.vertices <= GOAL_VERTICES and min(times) > GOAL_S
            print(f"{name:11} {min(times):6.2f} s fastest {median(times):6.2f} s median {cpu_s:6.2f} s CPU")
    sys.exit(1 if is_slow else 0)


if __name__ == "__main__":
    main()
