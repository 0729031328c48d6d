"""One seeded comparison: a world of zones, points around them, the oracle's answer and the engine's."""

import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from exactness.engine import EngineUnderTest
from exactness.grid import GRID, HALF_TURN, GridPoints, Ints, judge_double, judge_grid
from exactness.points import Floats, draw_double_points, draw_grid_points
from exactness.zones import KINDS, Zone, draw_zones

ZONES = 300
FUZZ_SHARE = 100
"""One point in so many is off the grid and judged in fractions."""
_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass
class Tally:
    """What was met and what differed. `differences` are sentences to replay by."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Those of another chunk too."""
        self.counts += other.counts
        self.differences += other.differences

    @property
    def missing(self) -> list[str]:
        """Classes that no point met: a run without them shows less than it says."""
        return [name for name in WANTED if not self.counts[name]]


WANTED = (
    "points", "off the grid", "judged by the engine", "inside a zone", "in no zone's box",
    "in a box, outside",
    "in a hole or between rings", "on an edge", "on a corner", "on the meridian of 180 degrees, inside",
    "beyond 89 degrees, inside", "decided by fractions", "on an edge as decimals, not as doubles",
    "off the grid, inside", "off the grid, outside", "off the grid, on an edge",
    *(f"inside: {kind}" for kind in KINDS), *(f"on an edge: {kind}" for kind in KINDS),
)  # fmt: skip


def compare_chunk(seed: int, chunk: int, count: int, zone_count: int = ZONES) -> Tally:
    """Compare on `count` points. The same arguments draw the same world."""
    rng = random.Random(f"{seed}/{chunk}")
    numbers = np.random.default_rng([seed, chunk])
    zones = draw_zones(rng, zone_count)
    engine = EngineUnderTest(zones, rng)
    tally = Tally()
    where = f"seed {seed}, chunk {chunk}, points {count}"
    fuzz = count // FUZZ_SHARE
    _compare_grid(tally, where, zones, engine, *draw_grid_points(numbers, zones, count - fuzz))
    _compare_doubles(tally, where, zones, engine, *draw_double_points(numbers, zones, fuzz))
    return tally


def _compare_grid(
    tally: Tally, where: str, zones: list[Zone], engine: EngineUnderTest, x: Ints, y: Ints
) -> None:
    # A whole number over 10^7 is the double nearest to that decimal: what parsing its text gives.
    lon, lat = x / GRID, y / GRID
    found = engine.find(lon, lat)
    points = GridPoints(x, y)
    for number, zone in enumerate(zones):
        if number in engine.gone:
            expected = _NOTHING
        else:
            verdict = judge_grid(zone.parts, points)
            expected = verdict.inside
            _count(tally, zone, verdict.inside, x, y)
            tally.counts["in a box, outside"] += verdict.near - len(expected)
            tally.counts["on an edge"] += len(verdict.on_edge)
            tally.counts[f"on an edge: {zone.kind}"] += len(verdict.on_edge)
            tally.counts["on a corner"] += len(verdict.on_corner)
            tally.counts["in a hole or between rings"] += len(verdict.holed)
            tally.counts["decided by fractions"] += verdict.rational
            tally.counts["on an edge as decimals, not as doubles"] += verdict.off_by_double
        wrong = np.setxor1d(expected, found.inside.get(number, _NOTHING), assume_unique=True)
        for row in wrong.tolist():
            tally.differences.append(
                _sentence(where, zone, number, lon[row], lat[row], expected=row in expected)
            )
    tally.counts["points"] += len(x)
    tally.counts["judged by the engine"] += found.candidates
    tally.counts["in no zone's box"] += found.boxless


def _count(tally: Tally, zone: Zone, inside: Ints, x: Ints, y: Ints) -> None:
    tally.counts["inside a zone"] += len(inside)
    tally.counts[f"inside: {zone.kind}"] += len(inside)
    on_cut = np.abs(x[inside]) == HALF_TURN
    tally.counts["on the meridian of 180 degrees, inside"] += int(on_cut.sum())
    tally.counts["beyond 89 degrees, inside"] += int((np.abs(y[inside]) > 89 * GRID).sum())


def _compare_doubles(
    tally: Tally, where: str, zones: list[Zone], engine: EngineUnderTest, lon: Floats, lat: Floats
) -> None:
    found = engine.find(lon, lat).inside
    answers = {(number, row) for number, rows in found.items() for row in rows.tolist()}
    for number, zone in enumerate(zones):
        west, south, east, north = (edge / GRID for edge in zone.box)
        in_box = ((west <= lon) & (lon <= east)) | (np.abs(lon) == 180.0)
        in_box &= (south <= lat) & (lat <= north)
        for row in np.flatnonzero(in_box).tolist() if number not in engine.gone else []:
            inside, on_edge = judge_double(zone.parts, float(lon[row]), float(lat[row]))
            tally.counts[f"off the grid, {'inside' if inside else 'outside'}"] += 1
            tally.counts["off the grid, on an edge"] += on_edge
            if inside != ((number, row) in answers):
                tally.differences.append(_sentence(where, zone, number, lon[row], lat[row], expected=inside))
            answers.discard((number, row))
    for number, row in sorted(answers):
        tally.differences.append(_sentence(where, zones[number], number, lon[row], lat[row], expected=False))
    tally.counts["points"] += len(lon)
    tally.counts["off the grid"] += len(lon)


def _sentence(where: str, zone: Zone, number: int, lon: float, lat: float, *, expected: bool) -> str:
    answer = "inside" if expected else "outside or gone"
    return (
        f"{where}: the oracle has ({float(lon)!r}, {float(lat)!r}) {answer} of zone {number} ({zone.kind}), "
        f"the engine has not; its corners in 1e-7 degree: {str(zone.parts)[:2_000]}"
    )
