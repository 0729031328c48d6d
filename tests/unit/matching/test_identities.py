"""The identity gate passes the pairs that an oracle of characters passes, however they are cut."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.kernel.instants import to_us
from stayaway.kernel.packed import name_column
from stayaway.kernel.shape import starts_of
from stayaway.matching import identities
from stayaway.matching.columns import OrderColumns, plate_columns
from stayaway.matching.identities import OrderIdentities
from stayaway.sightings.batch import SightingBatch

CLASSES = ["0ODQ", "1IL", "2Z", "5S", "6G", "8B"]
"""WIRE.md step 3, written once more."""
LETTERS = "A0OQ1I8BX"
LOOSE_MIN_LENGTH = 3
AT_US = to_us(datetime(2026, 3, 6, tzinfo=UTC))

PLATES = st.text(LETTERS, min_size=1, max_size=10)
DEVICES = st.sampled_from(["D1", "D2", "a-longer-device-id-than-any-plate"])


@dataclass(frozen=True)
class Owner:
    plates: list[str]
    device_ids: list[str]


OWNERS = st.lists(
    st.builds(Owner, st.lists(PLATES, max_size=3), st.lists(DEVICES, max_size=2, unique=True)), max_size=5
)


def columns_of(owners: list[Owner]) -> OrderColumns:
    no_places = np.zeros(len(owners) + 1, dtype=np.int64)
    return OrderColumns(
        order_ids=name_column(f"O{number}" for number in range(len(owners))),
        head_changes=no_places[1:],
        part_offsets=no_places,
        bounds=np.zeros((0, 4), dtype=np.int32),
        warning_m=np.zeros(0),
        anchor_accuracy_m=np.zeros(0),
        plate_offsets=starts_of(len(owner.plates) for owner in owners),
        plates=plate_columns([plate for owner in owners for plate in owner.plates]),
        device_offsets=starts_of(len(owner.device_ids) for owner in owners),
        device_ids=name_column(device for owner in owners for device in owner.device_ids),
    )


def batch_of(events: list[tuple[bool, str]]) -> SightingBatch:
    n = len(events)
    return SightingBatch(
        index=np.arange(n),
        lon=np.zeros(n),
        lat=np.zeros(n),
        observed_us=np.full(n, AT_US),
        received_us=np.full(n, AT_US),
        is_device=np.array([is_device for is_device, _ in events], dtype=np.bool_),
        identities=[identity for _, identity in events],
        values=[b""] * n,
        refusals={},
    )


def class_of(letter: str) -> str:
    return next((group for group in CLASSES if letter in group), letter)


def agrees(is_device: bool, identity: str, owner: Owner) -> bool:
    return identity in owner.device_ids if is_device else any(alike(identity, own) for own in owner.plates)


def alike(read: str, own: str) -> bool:
    if read == own:
        return True
    if len(read) != len(own) or len(own) < LOOSE_MIN_LENGTH:
        return False
    unlike = [(a, b) for a, b in zip(read, own, strict=True) if a != b]
    return len(unlike) == 1 or all(class_of(a) == class_of(b) for a, b in unlike)


EVENTS = st.lists(st.one_of(st.tuples(st.just(True), DEVICES), st.tuples(st.just(False), PLATES)), max_size=8)


@settings(max_examples=200)
@given(OWNERS, EVENTS, st.randoms(use_true_random=False), st.sampled_from([1, 2, 5, 200_000]))
def test_the_gate_passes_what_agrees(
    owners: list[Owner], events: list[tuple[bool, str]], rng: random.Random, chunk: int
) -> None:
    # Some plates are an order's with one or two letters changed: at random few would be near.
    own = [plate for owner in owners for plate in owner.plates]
    events = events + [(False, changed(rng.choice(own), rng)) for _ in range(4) if own]
    events += [(True, rng.choice(own)) for _ in range(1) if own]  # a device that is called as a plate reads
    pairs = [(row, number) for row in range(len(events)) for number in range(len(owners))]
    rng.shuffle(pairs)
    rows, numbers = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    gate = OrderIdentities.of(columns_of(owners))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identities, "_CHUNK", chunk)
        passed = gate.agree(batch_of(events), rows, numbers, LOOSE_MIN_LENGTH)
    expected = {place for place, (row, number) in enumerate(pairs) if agrees(*events[row], owners[number])}
    assert set(passed.tolist()) == expected


def changed(plate: str, rng: random.Random) -> str:
    letters = list(plate)
    for _ in range(rng.randrange(3)):
        letters[rng.randrange(len(letters))] = rng.choice(LETTERS)
    return "".join(letters)
