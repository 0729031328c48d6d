"""The table of cells may say yes for nothing, never no for something."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stayaway.matching.cells import MAX_CELLS, CellTable, cell_hashes, cell_spans

LON = st.floats(-180, 180)
LAT = st.floats(-90, 90)
SIZE = st.floats(0, 0.1)
SHARE = st.floats(0, 1)


@given(st.lists(st.tuples(LON, LAT, SIZE, SIZE, SHARE, SHARE), min_size=1, max_size=50))
def test_a_point_in_a_box_is_never_kept_from_it(boxes: list[tuple[float, ...]]) -> None:
    rows = np.array(boxes)
    east, north = np.minimum(rows[:, 0] + rows[:, 2], 180.0), np.minimum(rows[:, 1] + rows[:, 3], 90.0)
    bounds = np.column_stack([rows[:, 0], rows[:, 1], east, north])
    spans = cell_spans(bounds)
    small = np.flatnonzero(spans.columns * spans.rows <= MAX_CELLS)
    table = CellTable(int((spans.columns * spans.rows)[small].sum()))
    table.add(spans.part(small))
    shares = rows[:, 4:6]
    points = bounds[:, :2] + shares * (bounds[:, 2:] - bounds[:, :2])
    points = np.minimum(np.maximum(points, bounds[:, :2]), bounds[:, 2:])
    for chosen in (points, bounds[:, :2], bounds[:, 2:]):
        found = table.may_hold(cell_hashes(chosen[:, 0], chosen[:, 1]))
        assert set(small.tolist()) <= set(found.tolist())


def test_empty_country_is_kept_away() -> None:
    """Of points far from all boxes few come through."""
    rng = np.random.default_rng(2)
    corner = rng.uniform([-112, 33], [-111, 34], (10_000, 2))
    spans = cell_spans(np.column_stack([corner, corner + 0.003]))
    table = CellTable(int((spans.columns * spans.rows).sum()))
    table.add(spans)
    far = rng.uniform([-100, 36], [-90, 46], (10_000, 2))
    assert len(table.may_hold(cell_hashes(far[:, 0], far[:, 1]))) < 1_000
