"""The edges of a shape as columns, and runs of them with a box each, so that most need not be looked at."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Edge = tuple[float, float, float, float]
"""lon1, lat1, lon2, lat2."""

RUN_EDGES = 64
"""Neighbours in a ring lie close to each other: so many share a box."""
FEW_EDGES = 256
"""Of so many, all are looked at: their runs would have to be made first, from an order just read."""


@dataclass(frozen=True, eq=False)
class RunBoxes:
    """Columns over runs of edges: the box of each, in degrees."""

    west: Floats
    south: Floats
    east: Floats
    north: Floats


@dataclass(frozen=True, eq=False)
class Edges:
    """All edges of a shape, a row each: from (lon1, lat1) to (lon2, lat2), interior on the left."""

    rows: Floats

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    @property
    def lon1(self) -> Floats:
        """Where each edge begins."""
        return self.rows[:, 0]

    @property
    def lat1(self) -> Floats:
        """Where each edge begins."""
        return self.rows[:, 1]

    @property
    def lon2(self) -> Floats:
        """Where each edge ends."""
        return self.rows[:, 2]

    @property
    def lat2(self) -> Floats:
        """Where each edge ends."""
        return self.rows[:, 3]

    @cached_property
    def south(self) -> Floats:
        """The lower latitude of each edge."""
        return np.minimum(self.lat1, self.lat2)

    @cached_property
    def north(self) -> Floats:
        """The higher latitude of each edge."""
        return np.maximum(self.lat1, self.lat2)

    @cached_property
    def west(self) -> Floats:
        """The lower longitude of each edge."""
        return np.minimum(self.lon1, self.lon2)

    @cached_property
    def east(self) -> Floats:
        """The higher longitude of each edge."""
        return np.maximum(self.lon1, self.lon2)

    @cached_property
    def runs(self) -> RunBoxes:
        """The boxes of edges 0 to 63, 64 to 127 and so on."""
        starts = np.arange(0, len(self), RUN_EDGES)
        return RunBoxes(
            np.minimum.reduceat(self.west, starts),
            np.minimum.reduceat(self.south, starts),
            np.maximum.reduceat(self.east, starts),
            np.maximum.reduceat(self.north, starts),
        )

    @property
    def are_few(self) -> bool:
        """Whether looking at all of them costs less than choosing among their runs first."""
        return len(self) <= FEW_EDGES

    def take(self, chosen: Bools | Ints) -> "Edges":
        """Some of them, in their order."""
        return Edges(self.rows[chosen])

    def of_runs(self, chosen: Bools) -> "Edges":
        """The edges of the runs chosen, in their order."""
        if chosen.all():
            return self
        rows = (np.flatnonzero(chosen)[:, np.newaxis] * RUN_EDGES + np.arange(RUN_EDGES)).ravel()
        return self.take(rows[rows < len(self)])

    def level_with(self, lon: float, lat: float) -> list[Edge]:
        """Those that reach the point's latitude and do not lie west of it as a whole: all that a ray from it
        towards the east can meet.
        """
        edges = self
        if not edges.are_few:
            runs = edges.runs
            edges = edges.of_runs((runs.south <= lat) & (lat <= runs.north) & (runs.east >= lon))
        chosen = (edges.south <= lat) & (lat <= edges.north) & (edges.east >= lon)
        found: list[Edge] = edges.rows[chosen].tolist()
        return found
