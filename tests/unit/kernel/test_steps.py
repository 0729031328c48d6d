"""Work in steps: the same result however it is run, and whoever runs it decides what happens in between."""

import asyncio

import pytest

from stayaway.kernel.steps import Running, Steps, each_step, finish
from stayaway.platform import turns
from stayaway.platform.turns import in_turns


def squares() -> Steps[list[int]]:
    return each_step(lambda number: number * number, range(5))


async def test_the_result_is_the_same_however_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [0, 1, 4, 9, 16]
    assert finish(squares()) == expected
    for slice_s in (0, 60):
        monkeypatch.setattr(turns, "SLICE_S", slice_s)
        assert await in_turns(squares()) == expected
    running = Running(squares())
    assert [running.step() for _ in range(6)] == [True] * 5 + [False]
    assert running.result == expected


async def test_others_get_their_turn_when_a_slice_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def other() -> None:
        seen.append("other")

    def steps() -> Steps[None]:
        for name in ("first", "second"):
            seen.append(name)
            yield

    for slice_s, expected in ((0, ["first", "other", "second"]), (60, ["first", "second"])):
        seen.clear()
        monkeypatch.setattr(turns, "SLICE_S", slice_s)
        task = asyncio.create_task(other())
        await in_turns(steps())
        assert seen == expected
        await task


def test_an_error_in_a_step_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        finish(each_step(lambda number: 1 // number, [1, 0]))
