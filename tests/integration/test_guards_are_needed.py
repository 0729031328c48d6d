"""Each promise's guard, taken out on purpose, makes the test of that promise fail."""

from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

import pytest

from integration import test_registry_live as live
from integration import test_worker_faults as faults
from integration import test_worker_road as road
from stayaway.alerts import store
from stayaway.platform.queries import Queries
from stayaway.worker import batch, locks, partitions
from stayaway.worker.follow import RegistryFollower
from stayaway.worker.hold import RegistryHold
from stayaway.worker.locks import Locked, lock_batch
from support.handed_batches import Matcher
from support.worker_rig import Rig

Check = Callable[[Rig, pytest.MonkeyPatch], Awaitable[None]]


def not_looked_at(*_: Any) -> None:
    """In place of a guard."""


_SHARED = Queries("shared", {"lock_batch": partitions.SQL.lock_batch.replace("NO KEY UPDATE", "SHARE")}, {})
"""Orders are locked against changes of them, not against other batches."""


async def all_mine(conn: Any, states: Any, stored: Any) -> Locked:
    locked = await lock_batch(conn, states, stored)
    return Locked(mine=frozenset(state.key for state in states), heads=locked.heads)


async def move_without_fence(conn: Any, steps: Any, at: Any, **how: Any) -> Any:
    fence = (
        "AND p.next_offset = n.expected AND p.epoch = n.epoch\n   AND p.stream_sequence = n.expected_sequence"
    )
    assert fence in partitions.SQL.move_partitions
    without = {"move_partitions": partitions.SQL.move_partitions.replace(fence, "")}
    with patch.object(partitions, "SQL", Queries("without", without, {})):
        return await partitions.move(conn, steps, at, **how)


async def nothing_known(*_: Any) -> dict[Any, Any]:
    return {}


def always_again(judged: Any, _states: Any) -> Any:
    """What was not answered is taken for not done."""
    attempt = batch._Attempt(moved={}, lost=set())
    attempt.again += [item.part for item in judged]
    return attempt


async def zombie(rig: Rig, _patch: pytest.MonkeyPatch) -> None:
    await faults.test_a_zombie_with_an_old_epoch_writes_nothing(rig, Matcher(rig))


async def recall(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    await faults.test_an_order_recalled_between_decision_and_commit(rig, Matcher(rig), patch)


async def visit(rig: Rig, _patch: pytest.MonkeyPatch) -> None:
    await faults.test_two_matchers_make_one_alert_of_one_visit(rig)


async def lost_reply(rig: Rig, patch: pytest.MonkeyPatch) -> None:
    await faults.test_a_commit_whose_reply_is_lost_counts_once(rig, Matcher(rig), patch, "8AK-471")


async def repeated(rig: Rig, _patch: pytest.MonkeyPatch) -> None:
    await road.test_the_same_bytes_again_count_once(rig)


async def out_of_touch(rig: Rig, _patch: pytest.MonkeyPatch) -> None:
    await live.test_out_of_touch_it_holds_and_then_judges_by_the_new_orders(rig)


async def in_hand(rig: Rig, _patch: pytest.MonkeyPatch) -> None:
    await live.test_a_batch_in_hand_is_not_judged_by_old_orders(rig)


GUARDS: dict[str, tuple[list[tuple[Any, str, Any]], Check]] = {
    "fence": ([(batch, "lock_batch", all_mine), (batch, "move", move_without_fence)], zombie),
    "order heads": ([(batch, "_check_heads", not_looked_at)], recall),
    "one batch at a time per order": ([(locks, "SQL", _SHARED)], visit),
    "the position after an unanswered COMMIT": ([(batch, "_sort_out", always_again)], lost_reply),
    "the hold of a matcher out of touch": ([(RegistryHold, "holds", lambda _: False)], out_of_touch),
    "the orders of a batch in hand": ([(RegistryFollower, "is_out_of_touch", False)], in_hand),
    "deduplication": ([(store, "_load_known", nothing_known)], repeated),
}


@pytest.mark.parametrize("name", sorted(GUARDS))
async def test_with_the_guard_the_promise_holds(name: str, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await GUARDS[name][1](rig, monkeypatch)


@pytest.mark.parametrize("name", sorted(GUARDS))
async def test_without_the_guard_the_promise_breaks(
    name: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    patches, check = GUARDS[name]
    for target, attribute, value in patches:
        monkeypatch.setattr(target, attribute, value)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - however it shows
        await check(rig, monkeypatch)
    assert not isinstance(caught.value, TypeError | AttributeError | NameError), "the patch itself is broken"
