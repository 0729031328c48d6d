"""Orders at hand: read from the database when a sighting passes the gates for one, and kept a while.

An order is kept together with the number of its last change. A snapshot says which number an order has in
it, so what is kept never has to be thrown away when orders change, and can never be another than the
snapshot's: records are only ever added, what an order was at a sequence stays the same.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from stayaway.orders.codec import StoredOrderError
from stayaway.orders.load import StoredOrder, load_stored, pages
from stayaway.orders.model import CourtOrder
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.seal import Seal
from stayaway.worker.database import PASSING_ERRORS, Database
from stayaway.worker.patience import Patience

_ANSWER_S = 10.0
_AT_ONCE = 50
"""Orders opened between two turns of the loop: some 3 ms."""
MAX_ORDERS = 2_000
"""Orders kept. The collector of garbage looks at all that they are made of: at 2,000 for some 4 ms."""
MAX_BYTES = 200_000_000
"""Of orders kept, about: for zones of very many vertices."""
_ORDER_BYTES = 4_000
_VERTEX_SHARE = 9
"""A vertex takes 8 bytes, and 64 more once a sighting has come near it (as edges and boundary)."""


class OrderSource(Protocol):
    """Where a matcher has orders from."""

    async def orders(
        self, snapshot: RegistrySnapshot, order_ids: Collection[str]
    ) -> Mapping[str, CourtOrder]:
        """At least these orders, each as it is at the snapshot."""


class OrderShelf:
    """Reads with a connection of its own: a batch is judged while the one before is committed."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        *,
        wait_s: float,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._wait_s = wait_s
        self._on_read = on_read
        self._lock = asyncio.Lock()
        self._kept: OrderedDict[tuple[str, int], CourtOrder] = OrderedDict()
        self._bytes = 0

    async def orders(
        self, snapshot: RegistrySnapshot, order_ids: Collection[str]
    ) -> Mapping[str, CourtOrder]:
        """These orders as they are at `snapshot`. Waits for a database that is away, within the limit.

        Raises UnreachableError after it, and StoredOrderError or SealError where an order is not there
        as the snapshot has it: nothing is judged without it.
        """
        found, missing = dict[str, CourtOrder](), list[str]()
        for order_id in order_ids:
            key = (order_id, snapshot.head_changes[order_id])
            if key in self._kept:
                self._kept.move_to_end(key)
                found[order_id] = self._kept[key]
            else:
                missing.append(order_id)
        if missing:
            async with self._lock:
                stored = await self._read(missing, snapshot.registry_sequence)
            for order_id in missing:
                found[order_id] = self._keep(order_id, snapshot, stored.get(order_id))
        return found

    async def _read(self, order_ids: list[str], upto: int) -> dict[str, StoredOrder]:
        patience = Patience(self._wait_s)
        while True:
            try:
                conn = await self._database.connection()
                stored = dict[str, StoredOrder]()
                for page in pages(order_ids, _AT_ONCE):
                    async with asyncio.timeout(_ANSWER_S):
                        stored |= await load_stored(conn, self._seal, page, upto)
            except PASSING_ERRORS as error:
                self._database.drop()
                await patience.pause(error)
            except asyncio.CancelledError:
                self._database.drop()  # its answer is still on the way
                raise
            else:
                self._on_read(len(order_ids))
                return stored

    def _keep(self, order_id: str, snapshot: RegistrySnapshot, item: StoredOrder | None) -> CourtOrder:
        head_change = snapshot.head_changes[order_id]
        if item is None or item.head_change != head_change:
            raise StoredOrderError(
                f"Order {order_id} is not in the database as the registry in use has it.",
                "Its rows were changed outside stayaway: restore them from a backup.",
            )
        key = (order_id, head_change)
        if key not in self._kept:  # two batches may have read it at once
            self._kept[key] = item.order
            self._bytes += _weight(item.order)
        while len(self._kept) > MAX_ORDERS or (self._bytes > MAX_BYTES and len(self._kept) > 1):
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= _weight(dropped)
        return item.order

    async def close(self) -> None:
        """End the connection in order."""
        await self._database.close()


def _weight(order: CourtOrder) -> int:
    """Bytes that the order takes in memory, about."""
    shapes = [zone.shape for version in order.versions for zone in version.zones]
    places = (exception.place for version in order.versions for exception in version.exceptions)
    shapes += [place for place in places if place is not None]
    rings = (ring for shape in shapes for part in shape.packed for ring in part)
    return _ORDER_BYTES * max(1, len(order.versions)) + _VERTEX_SHARE * sum(map(len, rings))
