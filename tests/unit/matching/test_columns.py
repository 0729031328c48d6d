"""Columns of orders: as bytes and back, changed and merged, they are those of the orders themselves."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.access.policy import Policy
from stayaway.kernel.shape import grid_bounds, to_degrees
from stayaway.kernel.steps import finish
from stayaway.matching import column_codec
from stayaway.matching.column_codec import ColumnFormatError, decode_columns, encode_columns
from stayaway.matching.columns import OrderColumns
from stayaway.matching.engine import Engine, parts_steps
from stayaway.matching.model import Judgement
from stayaway.orders.registry import RegistrySnapshot
from support.changing_orders import POLICY, World

pytestmark = pytest.mark.usefixtures("small_layers")


def columns_of(snapshot: RegistrySnapshot) -> OrderColumns:
    return OrderColumns.of(snapshot.orders.values(), snapshot.head_changes)


def through_bytes(columns: OrderColumns, size: int) -> OrderColumns:
    """As a pack stores them: in blocks, each as bytes."""
    starts = range(0, len(columns), size)
    parts = [columns.take(np.arange(at, min(len(columns), at + size))) for at in starts]
    return OrderColumns.joined([decode_columns(encode_columns(part)) for part in parts])


def _same(one: Judgement, other: Judgement) -> bool:
    return one.decisions == other.decisions and np.array_equal(one.candidates, other.candidates)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.sampled_from([1, 2, 3, 25]), max_size=25),
    block=st.integers(1, 40),
    accuracy_cap_m=st.sampled_from([0, 20, 100, 2_000]),
)
def test_an_engine_of_columns_and_later_changes_is_the_one_of_the_orders(
    seed: int, sizes: list[int], block: int, accuracy_cap_m: int
) -> None:
    """Decisions and candidate counts, under a policy that the columns know nothing of."""
    policy: Policy = POLICY.model_copy(update={"accuracy_cap_m": accuracy_cap_m})
    world = World(seed)
    for _ in range(4):
        snapshot = world.change(world.rng.sample([f"O{n}" for n in range(40)], 25))
    columns = through_bytes(columns_of(snapshot), block)
    bare = replace(snapshot, orders={})
    engine = Engine(bare, policy, finish(parts_steps(columns, policy)))
    for size in sizes:
        changed = world.rng.sample([f"O{n}" for n in range(60)], size)
        engine = engine.with_changes(world.change(changed), changed)
    batch = world.batch(80)
    judged = engine.decide(batch, engine.pass_gates(batch), world.snapshot.orders)
    assert _same(judged, Engine(world.snapshot, policy).judge(batch))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), rounds=st.lists(st.integers(1, 25), max_size=6))
def test_columns_updated_are_those_of_what_there_is(seed: int, rounds: list[int]) -> None:
    world = World(seed)
    columns = columns_of(world.snapshot)
    for size in rounds:
        changed = world.rng.sample([f"O{n}" for n in range(40)], size)
        snapshot = world.change(changed)
        some = OrderColumns.of((snapshot.orders[name] for name in changed), snapshot.head_changes)
        columns = columns.updated(some)
        assert columns.equals(columns_of(snapshot))


def test_the_columns_hold_what_the_orders_say() -> None:
    """Read off by hand: every place, plate and device of all versions, each once."""
    world = World(2)
    for _ in range(3):
        world.change([f"O{n}" for n in range(30)])
    columns = columns_of(world.snapshot)
    assert columns.order_ids.tolist() == sorted(name.encode() for name in world.snapshot.orders)
    for row, name in enumerate(columns.order_ids.tolist()):
        order = world.snapshot.orders[name.decode()]
        zones = [zone for version in order.versions for zone in version.zones]
        persons = [person for version in order.versions for person in version.respondents]
        at = slice(columns.part_offsets[row], columns.part_offsets[row + 1])
        expected = {
            (tuple(bounds), max(z.warning_m or 0.0 for z in zones if z.shape == zone.shape))
            for zone in zones
            for bounds in to_degrees(grid_bounds([zone.shape])).tolist()
        }
        found = zip((columns.bounds[at] / 1e7).tolist(), columns.warning_m[at].tolist(), strict=True)
        assert {(tuple(bounds), warning_m) for bounds, warning_m in found} == expected
        at = slice(columns.plate_offsets[row], columns.plate_offsets[row + 1])
        plates = [bytes(plate).rstrip(b"\0").decode() for plate in columns.plates[at]]
        assert plates == sorted({vehicle.plate for person in persons for vehicle in person.vehicles})
        at = slice(columns.device_offsets[row], columns.device_offsets[row + 1])
        devices = {device_id for person in persons for device_id in person.device_ids}
        assert columns.device_ids[at].tolist() == sorted(name.encode() for name in devices)
        assert columns.head_changes[row] == world.snapshot.head_changes[order.order_id]


def test_bytes_that_are_no_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short, of another format, with a column too short, or with orders out of order."""
    world = World(4)
    columns = columns_of(world.change([f"O{n}" for n in range(10)]))
    data = encode_columns(columns)
    for length in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(ColumnFormatError):
            decode_columns(data[:length])
    fields = msgspec.msgpack.decode(data)
    for place in range(2, len(fields)):
        if isinstance(fields[place], bytes) and fields[place]:
            with pytest.raises(ColumnFormatError):
                decode_columns(msgspec.msgpack.encode([*fields[:place], b"", *fields[place + 1 :]]))
    backwards = replace(columns, order_ids=columns.order_ids[::-1])
    with pytest.raises(ColumnFormatError):
        decode_columns(encode_columns(backwards))
    monkeypatch.setattr(column_codec, "FORMAT", 2)
    with pytest.raises(ColumnFormatError):
        decode_columns(data)
    assert decode_columns(encode_columns(columns)).equals(columns)
