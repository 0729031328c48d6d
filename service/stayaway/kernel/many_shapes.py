"""Many shapes at once, for whoever reads a hundred thousand: the same as each one by itself."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from stayaway.kernel.shape import (
    GRID,
    NEAR_HALF,
    PACKED,
    SAFE_PRODUCTS,
    VERTEX_BYTES,
    Bools,
    Ints,
    Ragged,
    Shape,
)


def to_shapes(columns: Ragged) -> list[Shape | None]:
    """`Shape.from_parts` of each; None where a ring of it shrinks to less than a triangle.

    `columns`: closed rings of four positions or more, within the globe, in any winding.
    """
    starts, ends = columns.rings[:-1], columns.rings[1:]
    scaled = columns.positions * GRID
    grid: Ints = np.rint(scaled).astype(np.int64)
    awkward: Bools = np.logical_or(*(np.abs(np.abs(scaled - grid) - 0.5) < NEAR_HALF).T)
    repeated: Bools = np.logical_and(*(grid[1:] == grid[:-1]).T)
    repeated[starts[1:] - 1] = False  # from one ring to the next
    awkward[1:] |= repeated
    areas, unsafe = _signed_areas(grid, columns.rings)
    is_hole = np.ones(len(starts), dtype=np.bool_)
    is_hole[columns.parts[:-1]] = False
    turned = (areas < 0) != is_hole
    rings = _packed(grid, starts, ends, turned)
    singly = np.logical_or.reduceat(awkward, starts) | unsafe
    return _gathered(rings, singly, columns)


def _signed_areas(grid: Ints, rings: Ints) -> tuple[Ints, Bools]:
    """Twice each ring's area in whole squares of the grid, and where that may not fit 64 bits."""
    starts, lengths = rings[:-1], np.diff(rings)
    x, y = (grid - np.repeat(grid[starts], lengths, axis=0)).T
    crossed = np.zeros(len(x), dtype=np.int64)
    crossed[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    crossed[rings[1:] - 1] = 0  # from one ring to the next
    widest = np.maximum.reduceat(np.abs(x), starts).astype(np.float64)
    highest = np.maximum.reduceat(np.abs(y), starts).astype(np.float64)
    areas: Ints = np.add.reduceat(crossed, starts)
    return areas, lengths * widest * highest >= SAFE_PRODUCTS


def _packed(grid: Ints, starts: Ints, ends: Ints, turned: Bools) -> list[bytes]:
    packed = grid.astype(PACKED)
    return [
        (packed[start:end][::-1] if turn else packed[start:end]).tobytes()
        for start, end, turn in zip(starts.tolist(), ends.tolist(), turned.tolist(), strict=True)
    ]


def _gathered(rings: list[bytes], singly: Bools, columns: Ragged) -> list[Shape | None]:
    """The shapes of these rings; where a ring wants a closer look, the whole shape is made by itself."""
    found: list[Shape | None] = []
    for first, last in pairwise(columns.shapes.tolist()):
        bounds = list(pairwise(columns.parts[first : last + 1].tolist()))
        if singly[bounds[0][0] : bounds[-1][1]].any():
            found.append(_made_singly(bounds, columns))
        else:
            found.append(Shape(tuple(tuple(rings[start:end]) for start, end in bounds)))
    return found


def _made_singly(parts: Sequence[tuple[int, int]], columns: Ragged) -> Shape | None:
    edges = columns.rings.tolist()
    shape = Shape.from_parts(
        [[columns.positions[edges[ring] : edges[ring + 1]] for ring in range(*part)] for part in parts]
    )
    whole = all(len(ring) >= 4 * VERTEX_BYTES for part in shape.packed for ring in part)
    return shape if whole else None
