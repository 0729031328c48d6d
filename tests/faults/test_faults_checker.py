"""The checker of the group's rounds finds what is put wrong on purpose: its zeros mean something."""

import asyncio
import random

import asyncpg
import pytest

from faults.day import draw_day
from faults.field import Field
from faults.run import open_servers
from support.kafka_server import KafkaServer
from support.tampering import tamper

pytestmark = pytest.mark.real_kafka
TAMPERINGS = {
    "lost": [
        "DELETE FROM decision WHERE ctid IN (SELECT ctid FROM decision WHERE outcome = 'ALERT' LIMIT 1)",
        "DELETE FROM dead_letter WHERE ctid IN (SELECT ctid FROM dead_letter LIMIT 1)",
        "UPDATE alert SET state = 'WITHDRAWN' WHERE alert_number = (SELECT min(alert_number) FROM alert)",
        "UPDATE partition_position SET next_offset = next_offset - 1 WHERE partition = 0",
    ],
    "doubled": [
        (
            "UPDATE alert SET sighting_count = sighting_count + 1"
            " WHERE alert_number = (SELECT min(alert_number) FROM alert)"
        ),
        (
            "UPDATE decision SET outcome = 'ALERT', alert_id = a.alert_id, raised_observed_at ="
            " a.raised_observed_at FROM (SELECT * FROM alert LIMIT 1) a WHERE outcome = 'SUPPRESSED'"
        ),
    ],
    "gaps": ["UPDATE partition_position SET coverage_from = coverage_from + 1 WHERE partition = 1"],
    "broken": [
        (
            "DELETE FROM audit_entry WHERE ctid IN"
            " (SELECT ctid FROM audit_entry WHERE entry_type = 'ALERT_RAISED' LIMIT 1)"
        ),
        "DELETE FROM outbox WHERE outbox_sequence = 1",
    ],
}


async def test_what_is_put_wrong_is_found(real_kafka: KafkaServer) -> None:
    async with open_servers(real_kafka) as (servers, stable):
        rng = random.Random(3)
        day = draw_day(rng, lines=400, with_changes=False)
        field = Field(servers, stable, "checked", day, rng)
        await field.open()
        await asyncio.to_thread(field.publish, 400)
        matcher = await field.start()
        await field.drain()
        await field.leave(matcher)
        whole = await field.check()
        assert whole.all == []
        assert whole.counts["members"] > 1
        original = field.dsn
        for number, (kind, statement) in enumerate(
            (kind, statement) for kind, statements in TAMPERINGS.items() for statement in statements
        ):
            field.dsn = await copy_of(servers.postgres.dsn, original, f"copy{number}")
            await tampered(field.dsn, statement)
            assert getattr(await field.check(), kind), statement


async def copy_of(postgres: str, dsn: str, name: str) -> str:
    conn = await asyncpg.connect(postgres)
    await conn.execute(f"CREATE DATABASE {name} TEMPLATE checked")
    await conn.close()
    return dsn.replace("/checked?", f"/{name}?")


async def tampered(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    done = await tamper(conn, statement)
    await conn.close()
    assert not done.endswith(" 0"), statement
