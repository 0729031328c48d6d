"""A round: matchers live and die by their faults while a day flows; then the checker looks."""

import asyncio
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from faults.checker import Findings
from faults.day import draw_day
from faults.field import FaultRunError, Field
from faults.matchers import Matcher, Stable
from faults.proxy import Cut
from faults.schedule import IN_PROCESS, Fault
from faults.servers import Servers, rows

_FIRE_S = 60.0
_BETWEEN_CHANGES_S = 0.4


@dataclass
class Report:
    """What a round did and found."""

    name: str
    injected: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0
    slowest_stop_s: float = 0.0


class Round:
    """`slots` matchers at a time; each lives until its fault has fired, then another takes its place."""

    def __init__(self, field: Field, faults: list[Fault], slots: int) -> None:
        self.field = field
        self.inside = [fault for fault in faults if fault.kind in IN_PROCESS]
        self.around = [fault for fault in faults if fault.kind not in IN_PROCESS]
        self.slots = slots
        self.injected: Counter[str] = Counter()
        self._quiet = asyncio.Lock()

    async def run(self) -> None:
        """Inject everything, drain, stop in order."""
        feeding = asyncio.create_task(self.field.feed())
        changing = asyncio.create_task(self._change_orders())
        try:
            async with asyncio.TaskGroup() as group:
                around = group.create_task(self._inject_around())
                for _ in range(self.slots):
                    group.create_task(self._live(around))
            await changing
            self.field.fed.set()
            await feeding
        finally:
            for task in (feeding, changing):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._finish()

    async def _finish(self) -> None:
        """Others, without faults, read what is left; then all stop in order."""
        last = [await self.field.start() for _ in range(min(self.slots, 2))]
        await self.field.drain()
        for matcher in last:
            await self.field.leave(matcher)

    async def _change_orders(self) -> None:
        for file in self.field.day.changes:
            async with self._quiet:
                await self.field.import_file(file)
            await asyncio.sleep(_BETWEEN_CHANGES_S)

    # ------------------------------------------------------------ faults inside a matcher

    async def _live(self, around: "asyncio.Task[None]") -> None:
        """One slot: a matcher after another, until the faults are used up."""
        while self.inside:
            fault = self.inside.pop()
            matcher = await self.field.start(fault.rule)
            await self._wait_until_fired(matcher, fault)
            self.injected[fault.name] += 1
            try:
                await getattr(self, f"_after_{fault.kind}")(matcher, fault)
            except TimeoutError:
                raise FaultRunError(f"{fault.name}: {matcher.pid} did not end\n{matcher.said()}") from None
        while not around.done():
            matcher = await self.field.start()
            await asyncio.wait({around}, timeout=3)
            await self._leave(matcher)

    async def _wait_until_fired(self, matcher: Matcher, fault: Fault) -> None:
        loop = asyncio.get_running_loop()
        deadline, nudge_at, joiner = loop.time() + _FIRE_S, loop.time() + 2, None
        while fault.name not in matcher.fired():
            if not matcher.alive:
                raise FaultRunError(f"{fault.name}: ended with {matcher.code} before\n{matcher.said()}")
            if loop.time() > deadline:
                raise FaultRunError(f"{fault.name} did not fire in {_FIRE_S:.0f} s\n{matcher.said()}")
            if fault.place == "on_revoke" and joiner is None and loop.time() > nudge_at:
                joiner = await self.field.start()  # whoever joins makes the others give up theirs
            await asyncio.sleep(0.01)
        if joiner is not None:
            await self._until_reading(joiner)
            await self._leave(joiner)

    async def _after_kill(self, matcher: Matcher, fault: Fault) -> None:
        code = await matcher.end(10)
        if code != -signal.SIGKILL:
            raise FaultRunError(f"{fault.name}: ended with {code}")
        await self.field.servers.evict(self.field.group, matcher)

    async def _after_raise(self, matcher: Matcher, fault: Fault) -> None:
        if await matcher.end(15) == 0:
            raise FaultRunError(f"{fault.name}: ended with 0")

    async def _after_cancel(self, matcher: Matcher, fault: Fault) -> None:
        if await matcher.end(15) == 0:
            raise FaultRunError(f"{fault.name}: ended with 0")

    async def _after_delay(self, matcher: Matcher, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds)
        await self._leave(matcher)

    async def _after_stop(self, matcher: Matcher, fault: Fault) -> None:
        """A zombie: another takes over while it stands still; then it wakes and must do no harm."""
        await self.field.until(lambda: matcher.stopped, 10, f"{fault.name}: not stopped")
        await self.field.servers.evict(self.field.group, matcher)
        heir = await self.field.start()

        async def taken_over() -> bool:
            return not await self.field.reads_something(matcher)

        await self.field.until(taken_over, 60, f"{fault.name}: nobody took over")
        matcher.signal(signal.SIGCONT)
        await self._until_reading(matcher)
        await self._leave(heir)
        await self._leave(matcher)

    async def _until_reading(self, matcher: Matcher) -> None:
        """It is (again) a member that owns partitions."""

        async def reading() -> bool:
            if not matcher.alive:
                raise FaultRunError(f"{matcher.pid} ended with {matcher.code}\n{matcher.said()}")
            return await self.field.reads_something(matcher)

        await self.field.until(reading, 60, f"{matcher.pid} got no partition")

    async def _leave(self, matcher: Matcher) -> None:
        async with self._quiet:  # within 5 s is promised while the servers answer
            await self.field.leave(matcher)
        self.field.tally["stopped in order"] += 1

    # ------------------------------------------------------------ faults around the matchers

    async def _inject_around(self) -> None:
        for fault in self.around:
            await self._until_progress()
            await getattr(self, f"_{fault.kind}")()
            self.injected[fault.name] += 1
        self.field.servers.proxy.disarm()

    async def _until_progress(self) -> None:
        """The matchers work again since the fault before."""
        before = await self.field.done()

        async def moved() -> bool:
            return await self.field.done() > before

        await self.field.until(moved, 90, "no progress after a fault")

    async def _backend_terminated(self) -> None:
        async def ended() -> bool:
            return bool(
                await rows(
                    self.field.dsn,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'stayaway matcher' AND datname = current_database()"
                    " ORDER BY random() LIMIT 1",
                )
            )

        await self.field.until(ended, 30, "no backend to terminate")

    async def _cut(self, cut: Cut) -> None:
        proxy = self.field.servers.proxy
        before = proxy.fired[cut]
        proxy.arm(cut)
        await self.field.until(lambda: proxy.fired[cut] > before, 60, f"{cut} did not happen")

    async def _commit_reply_cut(self) -> None:
        await self._cut("commit_reply_cut")

    async def _commit_cut_before(self) -> None:
        await self._cut("commit_cut_before")

    async def _move_reply_cut(self) -> None:
        await self._cut("move_reply_cut")

    async def _postgres_killed(self) -> None:
        async with self._quiet:
            await self.field.servers.crash_postgres()

    async def _broker_killed(self) -> None:
        async with self._quiet:
            await self.field.servers.crash_kafka()

    async def _kicked_from_group(self) -> None:
        async def kicked() -> bool:
            alive = list(self.field.alive)
            self.field.rng.shuffle(alive)
            for matcher in alive:
                if await self.field.servers.evict(self.field.group, matcher):
                    return True
            return False

        await self.field.until(kicked, 60, "nobody to kick")

    async def _join_and_sigterm(self) -> None:
        matcher = await self.field.start()
        await self._until_reading(matcher)
        await self._leave(matcher)


async def run_round(
    servers: Servers, stable: Stable, name: str, seed: str, faults: list[Fault], *, with_changes: bool
) -> Report:
    """A round from its seed; `with_changes`: orders are told and recalled while the day flows."""
    rng = random.Random(seed)
    day = draw_day(rng, lines=1_200, with_changes=with_changes)
    slots = rng.randint(1, 3)
    report = Report(f"{name}: {len(faults)} faults, {slots} matchers, {len(day.changes)} order changes")
    began = asyncio.get_running_loop().time()
    field = Field(servers, stable, name, day, rng)
    await field.open()
    round_ = Round(field, list(faults), slots)
    try:
        await round_.run()
        report.findings = await field.check()
    finally:
        servers.proxy.disarm()
        await field.kill_all()
        report.injected, report.tally = round_.injected, field.tally
        report.slowest_stop_s = field.slowest_stop_s
        report.seconds = asyncio.get_running_loop().time() - began
    return report
