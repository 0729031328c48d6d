"""Which cells of a fixed grid any box reaches into: most points of the world lie in none.

A point whose cell holds no box needs no tree. The answer may be yes for nothing (two cells can share
a place in the table), never no for something: a cell's number never falls as a coordinate rises, so
a point between a box's edges has a number between theirs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

_PER_DEGREE = 64.0
# About 1.7 km: the box of a 100-yard zone reaches into one or two, that of a 2-mile zone into some 30.
_OFFSET = 16_384.0
# Makes every number positive, so that cutting off the fraction rounds down.
MAX_CELLS = 64
"""A box over more cells than this is not for the table: all points are tested against it."""
_ROOM = 16
# Places in the table for each cell used: one stranger in 16 finds its place taken, or fewer.
_MIN_BITS, _MAX_BITS = 12, 24
_MIX_LON, _MIX_LAT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_BITS = np.uint64(29)


class CellSpans(NamedTuple):
    """For each box, its first cell and how many it reaches into along each axis."""

    west: Ints
    south: Ints
    columns: Ints
    rows: Ints

    def part(self, chosen: Ints) -> "CellSpans":
        """Those of some boxes."""
        return CellSpans(*(column[chosen] for column in self))


def cell_spans(boxes: Floats) -> CellSpans:
    """`boxes`: rows of lon_min, lat_min, lon_max, lat_max."""
    west, south, east, north = (boxes.T * _PER_DEGREE + _OFFSET).astype(np.int64)
    return CellSpans(west, south, east - west + 1, north - south + 1)


def cell_hashes(lon: Floats, lat: Floats) -> Hashes:
    """The hash of each point's cell, from which every table takes its own place."""
    both = np.concatenate((lon, lat))  # what is done to a column costs more by the step than by the row
    both *= _PER_DEGREE
    both += _OFFSET
    cells = both.astype(np.int64).view(np.uint64)
    return _hash(cells[: len(lon)], cells[len(lon) :])


def _hash(lon_cell: Hashes, lat_cell: Hashes) -> Hashes:
    mixed: Hashes = lon_cell * _MIX_LON + lat_cell * _MIX_LAT
    mixed ^= mixed >> _MIX_BITS
    return mixed


class CellTable:
    """The cells in use, as a table of yes and no. Filled with `add`, then only asked."""

    def __init__(self, cells: int) -> None:
        """`cells`: how many there will be, about."""
        bits = max(_MIN_BITS, min(_MAX_BITS, (max(cells, 1) * _ROOM - 1).bit_length()))
        self._used = np.zeros(1 << bits, dtype=np.bool_)
        self._mask = np.uint64((1 << bits) - 1)

    def add(self, spans: CellSpans) -> None:
        """All cells that these boxes reach into."""
        counts = spans.columns * spans.rows
        box = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
        columns = spans.columns[box]
        lon_cell = (spans.west[box] + within % columns).astype(np.uint64)
        lat_cell = (spans.south[box] + within // columns).astype(np.uint64)
        self._used[_hash(lon_cell, lat_cell) & self._mask] = True

    def may_hold(self, hashes: Hashes) -> Ints:
        """The rows of the points in whose cell some box may be."""
        rows: Ints = self._used[hashes & self._mask].nonzero()[0]
        return rows
