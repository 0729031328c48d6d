"""Keeps the registry's pack, beside a matcher's work: checks it after a start, writes it anew when due.

What a start took from a pack has not been opened. So every order is opened once afterwards, at a bounded
rate, and what it says is compared with what the pack said: a row that does not open, or a pack that differs
from the records, ends the matcher within minutes, and leaves no pack to start from again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np

from stayaway.matching.columns import OrderColumns
from stayaway.orders.codec import StoredOrderError
from stayaway.orders.load import BEGINNING, RegistryPoint, load_changed, load_stored
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal, SealError
from stayaway.platform.turns import let_others
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.follow import FirstColumns, RegistryFollower
from stayaway.worker.intake import Intake, take_in, to_columns
from stayaway.worker.packs import (
    PACKED_FROM,
    SQL,
    FoundPack,
    PackError,
    drop_packs,
    find_pack,
    in_blocks,
    open_block,
    write_pack,
    writing,
)

_CHANGED_SHARE = 100
"""A new pack once one order in so many has changed: a start opens those that did."""
_AT_ONCE = 20
"""Orders opened between two turns of the loop: some 2 ms."""
_PAUSE_S = 0.008
# Records that come wait for what the check takes of the loop: at 8 ms a quarter of a drain's time.
_PAUSE_BUSY_S = 0.06
_LOOK_S = 10.0


class PackKeeper:
    """Run once, beside the worker's loop; ends only by an error or by being cancelled.

    `on_unopened` is told how many orders are in use that have not been opened since the start.
    `is_busy`: whether records come; opening orders rests longer then.
    """

    def __init__(
        self,
        follower: RegistryFollower,
        database: Database,
        seal: Seal,
        *,
        on_unopened: Callable[[int], None],
        is_busy: Callable[[], bool],
    ) -> None:
        self._follower = follower
        self._database = database
        self._seal = seal
        self._on_unopened = on_unopened
        self._is_busy = is_busy
        self._packed_at = 0
        """How many orders the follower had taken in, beyond the start's, when the newest pack was made."""

    async def run(self) -> None:
        """Check or write what the start began with, then write a pack whenever much has changed.

        Raises StoredOrderError or SealError where an order does not open or is not as the pack has it: then
        there is no pack any more. OtherHistoryError where the database has become another history's. A server
        that is away is waited for, within the limit (UnreachableError).
        """
        await self._follower.loaded.wait()
        await self._settle(self._follower.take_first())
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._is_due():
                await self._try(self._renew)

    async def _settle(self, first: FirstColumns) -> None:
        """What is to be done with the start's columns; they are let go of then."""
        done = False
        while not done:
            done = await self._try(lambda conn: self._begin(conn, first))
            await asyncio.sleep(0 if done else _LOOK_S)

    async def _try(self, work: Callable[[Connection], Awaitable[None]]) -> bool:
        """Whether it was done; a server that is away is no reason to end."""
        try:
            await work(await self._database.connection())
        except PASSING_ERRORS as error:
            self._database.drop()
            get_logger().warning("registry pack not kept", exc_info=error)
            return False
        await self._database.close()
        return True

    async def close(self) -> None:
        """Cut the connection: what was being written is not there."""
        self._database.drop()

    # ------------------------------------------------------------ after the start

    async def _begin(self, conn: Connection, first: FirstColumns) -> None:
        if first.from_pack:
            try:
                await self._open_all(conn, first)
            except (StoredOrderError, SealError):
                async with conn.transaction():
                    await drop_packs(conn)  # the next start shall not believe it either
                raise
        elif len(first.columns) >= PACKED_FROM:
            async with writing(conn) as may_write:
                found = await self._find(conn)
                if may_write and (
                    found is None or found.head.registry_sequence <= first.point.registry_sequence
                ):
                    await self._write(conn, first.point, in_blocks(first.columns))

    async def _open_all(self, conn: Connection, first: FirstColumns) -> None:
        """Open every order as it was at the pack's sequence and compare.

        Raises StoredOrderError or SealError.
        """
        opened, last = 0, ""
        while True:
            self._on_unopened(len(first.columns) - opened)
            rows = await conn.fetch(SQL.load_ids_after, last, _AT_ONCE)
            if not rows:
                break
            last = rows[-1]["order_id"]
            page = [row["order_id"] for row in rows]
            stored = await load_stored(conn, self._seal, page, first.point.registry_sequence)
            await let_others()
            columns = to_columns(stored)
            await let_others()
            if not _holds(first.columns, columns):
                raise _differs()
            opened += len(columns)
            await self._rest()
        if opened != len(first.columns):
            raise _differs()
        self._on_unopened(0)
        get_logger().info("registry pack checked", count=opened)

    # ------------------------------------------------------------ when much has changed

    def _is_due(self) -> bool:
        orders = len(self._follower.current.engine.snapshot.head_changes)
        changed = self._follower.changed - self._packed_at
        return orders >= PACKED_FROM and changed * _CHANGED_SHARE >= orders

    async def _renew(self, conn: Connection) -> None:
        """A pack at the registry's sequence now: the blocks of the last one, with the orders that changed."""
        taken_in = self._follower.changed
        found = await self._find(conn)
        if found is None or await self._is_old(conn, found):
            try:
                await self._write_from(conn, found)
            except PackError as error:
                get_logger().error("registry pack refused", exc_info=error)
                await self._write_from(conn, None)
        self._packed_at = taken_in

    async def _is_old(self, conn: Connection, found: FoundPack) -> bool:
        """Whether it is due by the database; another matcher may have written it just now."""
        changed = await load_changed(conn, found.head.point)
        return len(changed.order_ids) * _CHANGED_SHARE >= found.head.orders

    async def _write_from(self, conn: Connection, found: FoundPack | None) -> None:
        """Write a pack of the last one's blocks, or of every order."""
        after = found.head.point if found else BEGINNING
        intake = await take_in(conn, self._seal, after, at_once=_AT_ONCE, rest=self._rest)
        async with writing(conn) as may_write:
            if may_write and (found is None or await find_pack(conn, self._seal) == found):
                blocks = in_blocks(intake.columns) if found is None else self._merged(conn, found, intake)
                await self._write(conn, intake.point, blocks)

    async def _find(self, conn: Connection) -> FoundPack | None:
        """The pack to go on from; none where it may not be used, and all orders are opened."""
        try:
            return await find_pack(conn, self._seal)
        except PackError as error:
            get_logger().error("registry pack refused", exc_info=error)
            return None

    async def _merged(self, conn: Connection, pack: FoundPack, intake: Intake) -> AsyncIterator[OrderColumns]:
        """The pack's blocks, each with the changed orders that belong before the next block's first."""
        changed, done = intake.columns, 0
        for number in range(1, pack.head.blocks + 1):
            block = await open_block(conn, self._seal, pack, number)
            upto = len(changed)
            if number < pack.head.blocks:
                upto = int(np.searchsorted(changed.order_ids, block.order_ids[-1:], side="right")[0])
            async for piece in in_blocks(block.updated(changed.take(np.arange(done, upto)))):
                yield piece
            done = upto

    async def _write(
        self, conn: Connection, point: RegistryPoint, blocks: AsyncIterator[OrderColumns]
    ) -> None:
        orders = await write_pack(conn, self._seal, point, _paced(blocks))
        get_logger().info("registry pack written", registry_sequence=point.registry_sequence, orders=orders)

    async def _rest(self) -> None:
        """Between two openings of orders, which can wait."""
        await asyncio.sleep(_PAUSE_BUSY_S if self._is_busy() else _PAUSE_S)


async def _paced(blocks: AsyncIterator[OrderColumns]) -> AsyncIterator[OrderColumns]:
    """The same, with a turn for the others after each; not longer, as a transaction is open."""
    async for block in blocks:
        yield block
        await asyncio.sleep(_PAUSE_S)


def _holds(pack: OrderColumns, orders: OrderColumns) -> bool:
    """Whether the pack has these orders, as they are."""
    rows = np.searchsorted(pack.order_ids, orders.order_ids)
    return bool((rows < len(pack)).all()) and pack.take(rows).equals(orders)


def _differs() -> StoredOrderError:
    return StoredOrderError(
        "The registry's pack differs from the recorded orders.",
        "The pack is deleted: the next start opens every order. Rows may have been changed outside stayaway.",
    )
