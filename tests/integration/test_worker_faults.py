"""What may happen around a transaction: zombies, lost replies, orders that move, visits that meet."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from stayaway.kernel.errors import UnreachableError
from stayaway.worker import batch as batch_module
from stayaway.worker.coverage import PartitionState
from stayaway.worker.judge import Part
from support.handed_batches import Matcher
from support.tampering import tamper
from support.wire_examples import ORDERS
from support.worker_rig import Rig, check_in, check_in_at, orders_file, read


async def test_a_zombie_with_an_old_epoch_writes_nothing(rig: Rig, matcher: Matcher) -> None:
    old = await matcher.claim()
    other = Matcher(rig)
    new = await other.claim()
    assert (old.epoch, new.epoch) == (1, 2)
    assert await matcher.judge(old, [read()]) is None
    assert await matcher.judge(old, [read(plate="ZZZ9999")]) is None
    assert await rig.alerts() == []
    assert await other.judge(new, [read()]) is not None
    await rig.check_promises()


async def test_a_lost_fence_drops_that_partition_only(rig: Rig, matcher: Matcher) -> None:
    mine, lost = await matcher.claim(0), await matcher.claim(1)
    await Matcher(rig).claim(1)
    parts = [
        Part(state=state, offsets=[0], values=[read(event_id=str(state.partition))]) for state in (mine, lost)
    ]
    result = await matcher.runner.commit(await matcher.runner.judge(parts))
    assert (set(result.moved), result.lost) == ({mine.key}, {lost.key})
    assert [row["event_id"] for row in await rig.rows("SELECT event_id FROM sighting")] == ["0"]
    await rig.check_promises()


async def test_an_order_recalled_between_decision_and_commit(
    rig: Rig, matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head moved: nothing is written on the old knowledge, the batch is judged again."""
    state = await matcher.claim()
    recall = {"order_id": "O1", "recorded_at": "2026-03-06T20:00:00Z", "recalled_at": "2026-03-01T00:00:00Z"}
    data = orders_file(orders=[], notices=[], recalls=[{**recall, "reason_text": "void"}], suspensions=[])
    await after_judging(monkeypatch, lambda: rig.import_orders(data))
    assert await matcher.judge(state, [read()]) is not None
    assert await rig.alerts() == []
    assert (matcher.counters.suppressed, matcher.counters.suppressed_by_reason["RECALLED"]) == (1, 1)
    await rig.check_promises()


async def test_a_head_that_moved_by_no_change_is_tried_with_pauses_and_a_limit(
    rig: Rig, matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reload explains it, so nothing is written: neither forever, nor as fast as it can be tried."""
    await rig.import_orders(json.dumps(ORDERS).replace('"O1"', '"O2"').encode())
    state = await matcher.claim()
    conn = await asyncpg.connect(rig.dsn)
    await tamper(conn, "UPDATE order_head SET change_number = 2 WHERE order_id = 'O1'")
    await conn.close()
    monkeypatch.setattr(matcher.runner, "_wait_s", 1.0)
    reloads = 0

    async def counted() -> None:
        nonlocal reloads
        reloads += 1
        await matcher.follower.catch_up(await matcher.database.connection())

    monkeypatch.setattr(matcher.follower, "reload", counted)
    with pytest.raises(UnreachableError, match=r"not answer as it should for 1 s \(OrdersMovedError\)"):
        await asyncio.wait_for(matcher.judge(state, [read()]), 5)
    assert 3 <= reloads <= 7
    assert await rig.alerts() == []


@pytest.mark.parametrize("plate", ["8AK-471", "ZZZ9999"])
async def test_what_a_late_answer_shows_is_as_old_as_its_question(
    rig: Rig, matcher: Matcher, plate: str
) -> None:
    """A commit that had to wait says how the registry was when it was sent, not when its answer came."""
    state = await matcher.claim()
    part = Part(state=state, offsets=[0], values=[read(plate=plate)])
    judged = await matcher.runner.judge([part])
    blocker = await asyncpg.connect(rig.dsn)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE partition_position IN SHARE MODE")
        committing = asyncio.create_task(matcher.runner.commit(judged))
        await asyncio.sleep(0.5)
        assert not committing.done()
    await blocker.close()
    shown = (await committing).shown
    assert shown is not None
    matcher.follower._in_touch_at -= 10
    matcher.follower.seen(shown)
    assert 0.4 <= matcher.follower.age_s() < 10


async def after_judging(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Once, between the first decision and its commit, `act`."""
    done = False

    async def point(name: str) -> None:
        nonlocal done
        if name == "after_decide" and not done:
            done = True
            await act()

    monkeypatch.setattr(batch_module, "failpoint", point)


@pytest.mark.parametrize("plate", ["8AK-471", "ZZZ9999"])
async def test_a_commit_whose_reply_is_lost_counts_once(
    rig: Rig, matcher: Matcher, monkeypatch: pytest.MonkeyPatch, plate: str
) -> None:
    state = await matcher.claim()
    lost = False

    async def point(name: str) -> None:
        nonlocal lost
        if name == "after_commit" and not lost:
            lost = True
            raise ConnectionResetError

    monkeypatch.setattr(batch_module, "failpoint", point)
    after = await matcher.judge(state, [read(plate=plate)])
    assert after is not None
    assert after.next_offset == 1
    assert len(await rig.alerts()) == (plate == "8AK-471")
    assert await matcher.judge(after, [read(plate=plate, event_id="2")]) is not None
    await rig.check_promises()


async def test_a_killed_backend_is_tried_again(
    rig: Rig, matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await matcher.claim()
    killed = False

    async def point(name: str) -> None:
        nonlocal killed
        if name == "before_commit" and not killed:
            killed = True
            await rig.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'stayaway matcher' AND datname = current_database()"
            )

    monkeypatch.setattr(batch_module, "failpoint", point)
    assert await matcher.judge(state, [read()]) is not None
    assert killed
    assert len(await rig.alerts()) == 1
    await rig.check_promises()


async def test_two_matchers_make_one_alert_of_one_visit(rig: Rig) -> None:
    """Members of one visit reach both at once, in an order that bridges again and again."""
    for round_number in range(3):
        matchers = [Matcher(rig), Matcher(rig)]
        states = [await m.claim(2 * round_number + place) for place, m in enumerate(matchers)]
        day = f"2026-03-0{round_number + 1}"

        def visit(minute: int, day: str = day) -> bytes:
            instant = f"{day}T{20 + minute // 60:02d}:{minute % 60:02d}:00Z"
            return check_in(event_id=f"{day}.{minute}", observed_at=instant, received_at=instant)

        async def work(m: Matcher, state: PartitionState, minutes: list[int]) -> None:
            current: PartitionState | None = state
            for minute in minutes:
                assert current is not None
                current = await m.judge(current, [visit(minute)])

        await asyncio.gather(
            work(matchers[0], states[0], [0, 50, 100, 150, 200]),
            work(matchers[1], states[1], [175, 125, 75, 25]),
        )
    alerts = await rig.alerts()
    standing = [row for row in alerts if row["state"] != "MERGED"]
    assert [row["sighting_count"] for row in standing] == [9, 9, 9]
    assert {row["merged_into"] for row in alerts} - {None} <= {row["alert_id"] for row in standing}
    members = await rig.rows("SELECT alert_id, count(*) AS members FROM export.sightings_v1 GROUP BY 1")
    assert sorted(row["members"] for row in members) == [9, 9, 9]
    await rig.check_promises()


async def test_a_late_sighting_bridges_two_and_keeps_the_older(rig: Rig, matcher: Matcher) -> None:
    state = await matcher.claim()
    state2 = await matcher.judge(state, [check_in_at(50), check_in_at(0)])
    assert state2 is not None
    assert await matcher.judge(state2, [check_in_at(25)]) is not None
    alerts = {row["state"]: row for row in await rig.alerts()}
    assert alerts["MERGED"]["merged_into"] == alerts["OPEN"]["alert_id"]
    assert alerts["OPEN"]["alert_number"] < alerts["MERGED"]["alert_number"]
    assert alerts["OPEN"]["sighting_count"] == 3
    assert len(await rig.payloads("ALERT_MERGED")) == 1


async def test_rising_evidence_after_a_disposition_raises_a_linked_alert(rig: Rig, matcher: Matcher) -> None:
    """The same or lesser evidence joins the closed alert; better evidence asks a person again."""
    state = await matcher.claim()
    one = await matcher.judge(state, [read()])
    await rig.execute("UPDATE alert SET state = 'DISMISSED', disposition = 'MISREAD'")
    assert one is not None
    two = await matcher.judge(one, [read(event_id="13", observed_at="2026-03-06T20:15:01Z")])
    assert two is not None
    assert [row["sighting_count"] for row in await rig.alerts()] == [2]
    three = await matcher.judge(two, [read(event_id="14", plate="BAK471")])
    assert three is not None
    first, anew = await rig.alerts()
    assert (first["state"], first["match_kind"], first["sighting_count"]) == ("DISMISSED", "EXACT", 3)
    assert (anew["state"], anew["match_kind"], anew["raised_anew_from"]) == (
        "OPEN",
        "EXACT",
        first["alert_id"],
    )
    assert anew["alert_id"] == f"{first['alert_id']}/2"  # both were seen at that instant
    assert await matcher.judge(three, [read(event_id="15", plate="BAK471")]) is not None
    assert len(await rig.alerts()) == 2
    assert {row["alert_id"] for row in await rig.rows("SELECT alert_id FROM decision")} == {first["alert_id"]}
    await rig.check_promises()
