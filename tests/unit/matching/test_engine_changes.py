"""An engine that grew by changes judges, bit for bit, as one that was built from what there is now."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.steps import Running, finish
from stayaway.matching.engine import Engine
from stayaway.matching.layers import Compacted
from stayaway.matching.model import Judgement
from support.changing_orders import POLICY, World

pytestmark = pytest.mark.usefixtures("small_layers")


def _same(one: Judgement, other: Judgement) -> bool:
    return one.decisions == other.decisions and np.array_equal(one.candidates, other.candidates)


class _Compactor:
    """Compacts when that is due, in pieces between the changes, as a matcher does."""

    def __init__(self) -> None:
        self.done = 0
        self._running: Running[Compacted] | None = None

    def turn(self, engine: Engine, steps: int) -> Engine:
        if self._running is None:
            if not engine.is_compaction_due:
                return engine
            self._running = Running(engine.compaction_steps())
        running = self._running
        if all(running.step() for _ in range(steps)):
            return engine
        self._running = None
        self.done += 1
        return engine.with_compacted(running.result)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.sampled_from([1, 1, 1, 2, 3, 25]), min_size=1, max_size=120),
    compact_steps=st.integers(1, 6),
)
def test_changes_make_the_engine_that_would_be_built(seed: int, sizes: list[int], compact_steps: int) -> None:
    """Decisions and candidate counts, whatever came, went, was recalled, replaced or compacted."""
    world = World(seed)
    engine = Engine(world.change(["O0", "O1"]), POLICY)
    compactor = _Compactor()
    for number, size in enumerate(sizes):
        changed = world.rng.sample([f"O{n}" for n in range(40)], size)
        engine = engine.with_changes(world.change(changed), changed)
        engine = compactor.turn(engine, compact_steps)
        if number % 15 == 0 or number == len(sizes) - 1:
            batch = world.batch(60)
            assert _same(engine.judge(batch), Engine(world.snapshot, POLICY).judge(batch))


def test_thousands_of_changes_of_one_registry() -> None:
    """With several compactions on the way; and the events do find something."""
    world = World(7)
    engine = Engine(world.change([f"O{n}" for n in range(60)]), POLICY)
    compactor = _Compactor()
    matched = candidates = 0
    for number in range(3_000):
        changed = world.rng.sample([f"O{n}" for n in range(90)], 1)
        engine = engine.with_changes(world.change(changed), changed)
        engine = compactor.turn(engine, 3)
        if number % 100 == 0:
            batch = world.batch(30)
            judgement = engine.judge(batch)
            assert _same(judgement, Engine(world.snapshot, POLICY).judge(batch))
            matched += len(judgement.decisions)
            candidates += int(judgement.candidates.sum())
    assert compactor.done > 5
    assert matched > 100
    assert candidates > 1_000


def test_an_earlier_engine_judges_as_before() -> None:
    """A batch in hand goes on with the engine it began with; two changes of one engine know nothing
    of each other.
    """
    world = World(3)
    first = Engine(world.change([f"O{n}" for n in range(30)]), POLICY)
    snapshot = world.snapshot
    batch = world.batch(200)
    before = first.judge(batch)
    one = first.with_changes(world.change(["O1", "N1"]), ["O1", "N1"])
    one_snapshot = world.snapshot
    world.snapshot = snapshot
    other = first.with_changes(world.change(["O2", "N2"]), ["O2", "N2"])
    assert _same(first.judge(batch), before)
    assert _same(one.judge(batch), Engine(one_snapshot, POLICY).judge(batch))
    assert _same(other.judge(batch), Engine(world.snapshot, POLICY).judge(batch))


def test_without_the_mark_of_death_old_zones_are_found() -> None:
    """What keeps old boxes out is `home`: without it a change leaves the former zone in place."""
    world = World(5)
    orders = [f"O{n}" for n in range(40)]
    engine = Engine(world.change(orders), POLICY)
    changed = orders[:10]
    engine = engine.with_changes(world.change(changed), changed)
    zones = engine.parts.zones
    batch = world.batch(300)
    rows, owners = zones.query(batch.lon, batch.lat)
    every = [
        layer.index.query(batch.lon, batch.lat)
        for layer in (zones.base, zones.middle, zones.top)
        if layer.index.size
    ]
    assert sum(len(found) for found, _ in every) > len(rows)
    wanted = Engine(world.snapshot, POLICY).parts.zones.query(batch.lon, batch.lat)
    assert len(wanted[0]) == len(rows) == len(owners)


def test_nothing_takes_long_at_once() -> None:
    """The steps yield: a change of many orders is many steps, none over more than some orders."""
    world = World(11)
    engine = Engine(world.change(["O0"]), POLICY)
    many = [f"M{n}" for n in range(500)]
    steps = engine.change_steps(world.change(many), many)
    taken = sum(1 for _ in steps)
    assert taken > 20
    assert _same(
        finish(engine.change_steps(world.snapshot, many)).judge(batch := world.batch(50)),
        Engine(world.snapshot, POLICY).judge(batch),
    )
