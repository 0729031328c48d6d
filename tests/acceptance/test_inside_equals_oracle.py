"""The engine finds the points inside each zone that an oracle of whole numbers and fractions finds.

A small share of `make oracle`, which does the same with a hundred million points; and that the
comparison notices when an edge, an index box or a layer is wrong by the least there is.
"""

from collections.abc import Callable

import numpy as np
import pytest

from exactness.chunk import compare_chunk
from stayaway.kernel.edges import Edges
from stayaway.matching import cells, index, inside, layers
from stayaway.matching.index import Floats, Ints
from support.mutations import Rewrite

SEED = 20260306
MANY, FEW = 400_000, 25_000
WORLDS, FEW_ZONES = 8, 80

Change = Callable[[pytest.MonkeyPatch], None]


def tight_boxes(cut: int | None = None) -> Change:
    """Boxes without any reach or slack; the side numbered `cut` drawn in by the least a double can be."""
    original = index.reach_boxes

    def boxes(bounds: Floats, reach_m: Floats) -> tuple[Floats, Ints]:
        found, sources = original(bounds, np.zeros_like(reach_m))
        # The first rows are the zones' own; what follows is for the other side of 180 degrees.
        found[: len(bounds)] = bounds
        if cut is not None:
            found[: len(bounds), cut] = np.nextafter(bounds[:, cut], np.inf if cut < 2 else -np.inf)
        return found, sources

    return lambda patch: patch.setattr(index, "reach_boxes", boxes)


def is_noticed() -> bool:
    """Whether some small world shows a difference."""
    return any(compare_chunk(SEED, chunk, FEW, FEW_ZONES).differences for chunk in range(1, 1 + WORLDS))


REWRITES = [
    Rewrite(inside.is_inside, "abs(lon) == 180.0", "abs(lon) == 181.0"),
    Rewrite(Edges.level_with, "runs.south <= lat", "runs.south < lat"),
    Rewrite(Edges.level_with, "lat <= runs.north", "lat < runs.north"),
    Rewrite(Edges.level_with, "runs.east >= lon", "runs.east > lon"),
    Rewrite(Edges.level_with, "edges.south <= lat", "edges.south < lat"),
    Rewrite(Edges.level_with, "lat <= edges.north", "lat < edges.north"),
    Rewrite(Edges.level_with, "edges.east >= lon", "edges.east > lon"),
    Rewrite(inside._is_inside, "y1 <= lat < y2", "y1 <= lat <= y2"),
    Rewrite(inside._is_inside, "y1 <= lat < y2", "y1 < lat < y2"),
    Rewrite(inside._is_inside, "y2 <= lat < y1", "y2 <= lat <= y1"),
    Rewrite(inside._is_inside, "y2 <= lat < y1", "y2 < lat < y1"),
    Rewrite(inside._is_inside, "min(x1, x2) <= lon", "min(x1, x2) < lon"),
    Rewrite(inside._is_inside, "side == 0", "side == 2"),
    Rewrite(inside._side, "_ORIENTATION_BOUND * size", "0.0 * size"),
    Rewrite(inside._exact_side, "(x1 == x2 or y1 == y) and (y1 == y2 or x1 == x)", "True"),
    Rewrite(inside._exact_side, "(left > right) - (left < right)", "0"),
    Rewrite(cells.cell_spans, "east - west + 1", "east - west"),
    Rewrite(cells.cell_spans, "north - south + 1", "north - south"),
    Rewrite(index._Trees.find, "rows = rows[lon[rows].argsort()]", "pass"),
    Rewrite(index.ZoneIndex.find, "np.arange(len(lon))", "np.arange(0)"),
    Rewrite(layers.LayeredIndex.query, "== layer.number", ">= 0"),
    Rewrite(layers.LayeredIndex.query, "(self.base, self.middle, self.top)", "(self.base, self.middle)"),
    Rewrite(layers.LayeredIndex.query, "(self.base, self.middle, self.top)", "(self.base, self.top)"),
    Rewrite(layers.LayeredIndex.query, "(self.base, self.middle, self.top)", "(self.middle, self.top)"),
]


def test_no_difference() -> None:
    """And every sort of point was met: inside, outside, on edges and corners, in holes, off the grid."""
    tally = compare_chunk(SEED, 0, MANY)
    assert tally.differences == []
    assert tally.missing == []


def test_boxes_need_no_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    tight_boxes()(monkeypatch)
    assert not is_noticed()


@pytest.mark.parametrize("side", range(4), ids=["west", "south", "east", "north"])
def test_boxes_an_ulp_too_small_are_noticed(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tight_boxes(side)(monkeypatch)
    assert is_noticed()


@pytest.mark.parametrize("rewrite", REWRITES, ids=str)
def test_what_is_wrong_by_a_hair_is_noticed(rewrite: Rewrite, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite.apply(monkeypatch)
    assert is_noticed(), f"nothing notices {rewrite}"
