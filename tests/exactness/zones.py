"""Zones of every awkward kind, drawn as whole numbers of 1e-7 degree."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from exactness.grid import GRID, HALF_TURN, Corner, Part, Ring

POLE = 90 * GRID
DYADIC = 78_125
"""2**-7 degree: multiples of it are decimals and doubles at once."""


@dataclass
class Zone:
    """One zone and what it is drawn to be."""

    kind: str
    parts: list[Part]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """west, south, east, north."""
        xs = [x for part in self.parts for ring in part for x, _ in ring]
        ys = [y for part in self.parts for ring in part for _, y in ring]
        return min(xs), min(ys), max(xs), max(ys)


def _clamped(x: float, y: float) -> Corner:
    return max(-HALF_TURN, min(HALF_TURN, round(x))), max(-POLE, min(POLE, round(y)))


def _star(rng: random.Random, at: Corner, size: float, corners: int, least: float = 0.4) -> Ring:
    turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(corners))
    radii = [size * rng.uniform(least, 1) for _ in turns]
    ring = [
        _clamped(at[0] + r * math.cos(a), at[1] + r * math.sin(a)) for r, a in zip(radii, turns, strict=True)
    ]
    kept = [c for c, before in zip(ring, [ring[-1], *ring[:-1]], strict=True) if c != before]
    return kept if len(set(kept)) >= 3 else [at, (at[0] + 3, at[1]), (at[0], at[1] + 3)]


def _size(rng: random.Random) -> float:
    return float(10 ** rng.uniform(0.8, 6))


def _plain(rng: random.Random, at: Corner) -> list[Part]:
    return [[_star(rng, at, _size(rng), rng.randint(3, 60))]]


def _round(rng: random.Random, at: Corner) -> list[Part]:
    size, corners = 10 ** rng.uniform(3.5, 5.5), rng.choice([32, 64, 128])
    turns = [2 * math.pi * n / corners for n in range(corners)]
    return [[[_clamped(at[0] + size * math.cos(a), at[1] + size * math.sin(a)) for a in turns]]]


def _needle(rng: random.Random, at: Corner) -> list[Part]:
    length, turn = 10 ** rng.uniform(3, 7), rng.uniform(0, 2 * math.pi)
    tip = _clamped(at[0] + length * math.cos(turn), at[1] + length * math.sin(turn))
    side = rng.choice([(0, 1), (1, 0), (2, 3), (0, -1)])
    return [[[at, tip, _clamped(at[0] + side[0], at[1] + side[1])]]]


def _stairs(rng: random.Random, at: Corner) -> list[Part]:
    step, steps = rng.randint(1, 20_000), rng.randint(2, 12)
    ring = [at]
    for number in range(steps):
        ring += [
            _clamped(at[0] + (number + 1) * step, at[1] + number * step),
            _clamped(at[0] + (number + 1) * step, at[1] + (number + 1) * step),
        ]
    return [[[*ring, _clamped(at[0], at[1] + steps * step)]]]


def _holed(rng: random.Random, at: Corner) -> list[Part]:
    """Holes clear of the outer ring, one that touches it in a corner, and an island in one."""
    size = 10 ** rng.uniform(4, 6)
    corners = rng.randint(12, 40)
    turns = [2 * math.pi * (n + rng.uniform(-0.3, 0.3)) / corners for n in range(corners)]
    outer = [_clamped(at[0] + size * math.cos(a), at[1] + size * math.sin(a)) for a in turns]
    holes = [_star(rng, at, size * 0.1, rng.randint(3, 9))]
    holes += [
        _star(
            rng, _clamped(at[0] + dx * size * 0.35, at[1] + dy * size * 0.35), size * 0.12, rng.randint(3, 20)
        )
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    x, y = rng.choice(outer)
    touching = [
        (x, y),
        _clamped(x + (at[0] - x) * 0.1 - size * 0.01, y + (at[1] - y) * 0.1),
        _clamped(x + (at[0] - x) * 0.1 + size * 0.01, y + (at[1] - y) * 0.1 + 1),
    ]
    return [[outer, *holes, touching], [_star(rng, at, size * 0.03, 5)]]


def _touching(rng: random.Random, at: Corner) -> list[Part]:
    """Squares that meet in corners or along a side, and triangles that meet in one point."""
    side = rng.randint(2, 200_000)
    squares = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0 or rng.random() < 0.2]
    parts: list[Part] = [
        [
            [
                _clamped(at[0] + (i + a) * side, at[1] + (j + b) * side)
                for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))
            ]
        ]
        for i, j in squares
    ]
    for dx, dy in ((-3, -1), (-2, -2), (-1, -3)):
        parts.append(
            [[at, _clamped(at[0] + dx * side, at[1] + dy * side), _clamped(at[0] + dx * side + 1, at[1])]]
        )
    return parts


def _cut(rng: random.Random, at: Corner) -> list[Part]:
    """A convex zone over the meridian of 180 degrees, cut there as RFC 7946 wants."""
    size, corners = 10 ** rng.uniform(3, 7.3), rng.randint(6, 40)
    middle = HALF_TURN + rng.randint(-int(size * 0.7), int(size * 0.7))
    turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(corners))
    ring = [(middle + round(size * math.cos(a)), _clamped(0, at[1] + size * math.sin(a))[1]) for a in turns]
    east = _half(ring, sign=1)
    west = [(x - 2 * HALF_TURN, y) for x, y in _half(ring, sign=-1)]
    return [[half] for half in (east, west) if len(half) >= 3] or _plain(rng, at)


def _half(ring: Ring, sign: int) -> Ring:
    """What of a convex ring lies west (sign 1) or east (-1) of 180 degrees."""
    kept: Ring = []
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if sign * (HALF_TURN - x1) >= 0:
            kept.append((x1, y1))
        if (HALF_TURN - x1) * (HALF_TURN - x2) < 0:
            kept.append((HALF_TURN, y1 + round((y2 - y1) * (HALF_TURN - x1) / (x2 - x1))))
    return [c for c, before in zip(kept, [*kept[-1:], *kept[:-1]], strict=True) if c != before]


def _polar(rng: random.Random, at: Corner) -> list[Part]:
    """A cap with a ragged edge, or a piece that touches a pole."""
    sign = rng.choice([-1, 1])
    if rng.random() < 0.3:
        return [[_star(rng, (at[0], sign * (POLE - rng.randint(0, 10**5))), _size(rng), rng.randint(3, 30))]]
    xs = sorted({rng.randint(-HALF_TURN + 1, HALF_TURN - 1) for _ in range(rng.randint(1, 20))})
    edge = [(x, sign * (POLE - rng.randint(1, 10**7))) for x in (-HALF_TURN, *xs, HALF_TURN)]
    edge[-1] = (HALF_TURN, edge[0][1])
    return [[[*edge, (HALF_TURN, sign * POLE), (-HALF_TURN, sign * POLE)]]]


def _dyadic(rng: random.Random, at: Corner) -> list[Part]:
    """Slanted edges on which points lie exactly, as decimals and as doubles."""
    base = (at[0] // DYADIC * DYADIC, at[1] // DYADIC * DYADIC)
    coarse = _star(rng, (0, 0), rng.choice([8, 40]), rng.randint(4, 12))
    ring = [_clamped(base[0] + 4 * x * DYADIC, base[1] + 4 * y * DYADIC) for x, y in coarse]
    return [[[(x // DYADIC * DYADIC, y // DYADIC * DYADIC) for x, y in ring]]]


def _vast(rng: random.Random, at: Corner) -> list[Part]:
    return [[_star(rng, at, 10 ** rng.uniform(7, 9), rng.randint(5, 40))]]


def _dense(rng: random.Random, at: Corner) -> list[Part]:
    return [[_star(rng, at, 10 ** rng.uniform(5, 7), rng.randint(1_000, 3_000), least=0.9)]]


_KINDS: dict[str, tuple[int, Callable[[random.Random, Corner], list[Part]]]] = {
    "plain": (40, _plain),
    "round": (15, _round),
    "needle": (7, _needle),
    "stairs": (7, _stairs),
    "holed": (9, _holed),
    "touching": (6, _touching),
    "cut": (6, _cut),
    "polar": (3, _polar),
    "dyadic": (5, _dyadic),
    "vast": (1, _vast),
    "dense": (1, _dense),
}
KINDS = tuple(_KINDS)


def draw_zones(rng: random.Random, count: int) -> list[Zone]:
    """Zones in clusters, so that many overlap; every kind among them where `count` allows."""
    clusters = [(HALF_TURN, 0), (-HALF_TURN, rng.randint(-POLE, POLE)), (3, POLE), (5, -POLE)]
    clusters += [(rng.randint(-HALF_TURN, HALF_TURN), rng.randint(-POLE, POLE)) for _ in range(12)]
    kinds = rng.choices(KINDS, [share for share, _ in _KINDS.values()], k=count)
    kinds[: len(KINDS)] = KINDS[:count]
    zones = []
    for kind in kinds:
        # One in five lies across the equator and its prime meridian, where doubles are densest.
        centre, spread = ((0, 0), 3e4) if rng.random() < 0.2 else (rng.choice(clusters), 2e6)
        at = _clamped(rng.gauss(centre[0], spread), rng.gauss(centre[1], spread))
        zones.append(Zone(kind, _KINDS[kind][1](rng, at)))
    return zones
