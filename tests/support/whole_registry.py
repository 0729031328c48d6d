"""The registry with every order at hand, for tests; no process of ours holds it so."""

from stayaway.orders.load import BEGINNING, load_changed, load_orders
from stayaway.orders.registry import RegistrySnapshot
from stayaway.platform.postgres import Connection
from stayaway.platform.seal import Seal


async def load_registry(conn: Connection, seal: Seal) -> RegistrySnapshot:
    """As it stands, while nothing is published."""
    return await load_orders(conn, seal, (await load_changed(conn, BEGINNING)).order_ids)
