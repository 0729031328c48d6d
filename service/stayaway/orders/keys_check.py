"""Whether a keys file is the one that a database is sealed with.

A mistyped path would make new keys, and seal with them what every holder of the right ones then fails to
open; nothing recorded can be taken back. So whoever seals first leaves in the database what its keys make of
one fixed text, and whoever comes later must make the same of it.
"""

import hmac
from collections.abc import Collection

from stayaway.orders.codec import SEAL_PURPOSE
from stayaway.platform.postgres import Connection, load_queries
from stayaway.platform.seal import SYSTEM_SCOPE, Seal, SealError

_SQL = load_queries("stayaway.orders", "keys_check.sql")
_TEXT = "stayaway keys check"


class OtherKeysError(SealError):
    """The keys are not those that the database is sealed with."""


async def check_keys(conn: Connection, seal: Seal) -> None:
    """For whoever opens what is there. Raises OtherKeysError, and SealError where there are no keys."""
    _compare(await conn.fetchval(_SQL.load), seal)


async def ensure_keys(conn: Connection, seal: Seal, order_ids: Collection[str] = ()) -> None:
    """A key for each of these orders, in the keys that the database is sealed with.

    Where nothing was sealed yet these become its keys, once the caller's transaction is committed if there
    is one. Raises OtherKeysError; SealError where the keys file is not there though it was once; NoKeyError
    where an order has something sealed and its key is gone: another key would open none of that.
    """
    bound = await conn.fetchval(_SQL.load)
    if bound is None:
        await _bind(conn, seal)
        bound = await conn.fetchval(_SQL.load)
    _compare(bound, seal)
    lacking = seal.lacking(order_ids)
    if lacking:
        sealed = [row["order_id"] for row in await conn.fetch(_SQL.sealed_of, lacking)]
        for order_id in sealed:
            seal.reference(order_id, "")  # looks again: somebody may just have made the order, and its key
    seal.ensure(order_ids)


def _compare(bound: bytes | None, seal: Seal) -> None:
    reference = seal.reference(SYSTEM_SCOPE, _TEXT)
    if bound is not None and not hmac.compare_digest(bound, reference):
        raise _other_keys()


async def _bind(conn: Connection, seal: Seal) -> None:
    record = await conn.fetchrow(_SQL.any_record)
    if record is None:
        seal.ensure((SYSTEM_SCOPE,))
    else:  # sealed by a release that left nothing to compare with
        try:
            seal.unseal(record["order_id"], SEAL_PURPOSE, record["payload_sealed"])
        except SealError as error:
            raise _other_keys() from error
    await conn.execute(_SQL.bind, seal.reference(SYSTEM_SCOPE, _TEXT))


def _other_keys() -> OtherKeysError:
    return OtherKeysError(
        "the keys file is not the one that this database is sealed with",
        "Name that one, or the database that these keys belong to. Nothing was recorded.",
    )
