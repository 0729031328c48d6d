"""The edges of a shape as columns, and runs of them with a box each, so that most need not be looked at."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RUN_EDGES = 64
"""Neighbours in a ring lie close to each other: so many share a box."""


@dataclass(frozen=True, eq=False)
class RunBoxes:
    """Columns over runs of edges: the box of each, in degrees."""

    west: Floats
    south: Floats
    east: Floats
    north: Floats


@dataclass(frozen=True, eq=False)
class Edges:
    """Columns over all edges of a shape: from (lon1, lat1) to (lon2, lat2), interior on the left."""

    lon1: Floats
    lat1: Floats
    lon2: Floats
    lat2: Floats

    def __len__(self) -> int:
        """How many."""
        return len(self.lon1)

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
    def is_one_run(self) -> bool:
        """Whether choosing among runs could leave nothing out."""
        return len(self) <= RUN_EDGES

    def take(self, chosen: Bools | Ints) -> "Edges":
        """Some of them, in their order."""
        return Edges(self.lon1[chosen], self.lat1[chosen], self.lon2[chosen], self.lat2[chosen])

    def of_runs(self, chosen: Bools) -> "Edges":
        """The edges of the runs chosen, in their order."""
        if chosen.all():
            return self
        rows = (np.flatnonzero(chosen)[:, np.newaxis] * RUN_EDGES + np.arange(RUN_EDGES)).ravel()
        return self.take(rows[rows < len(self)])
