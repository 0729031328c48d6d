"""Proof of life by the database's partitions."""

from datetime import timedelta

from stayaway.api.settings import ReviewSettings
from stayaway.console.status import is_stale, read_status, status_words
from stayaway.platform.postgres import open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import NOW, review_policy

_ROW = """
INSERT INTO partition_position (topic, partition, first_offset, epoch, owner, next_offset, last_entry_hash,
                                coverage_from, coverage_opened_at, coverage_policy, coverage_engine,
                                coverage_salt, coverage_digest, updated_at)
VALUES ('reads', $1, 5, 0, 'm1', 5, '', 5, $2, 'p', 'e', '', '', $2)
"""


async def _status(database: str, seal: FileSeal, *ages_s: float) -> tuple[str, bool]:
    async with await open_pool(database, wait_s=5, on_wait=print) as pool:
        for partition, age_s in enumerate(ages_s):
            await pool.execute(_ROW, partition, NOW - timedelta(seconds=age_s))
        settings = ReviewSettings(pool=pool, seal=seal, policy=review_policy(), wall_clock=lambda: NOW)
        status = await read_status(settings, pool)
        return status_words(status), is_stale(status, settings.stale_after_s)


async def test_an_instant_to_come_is_no_proof_of_life(database: str, seal: FileSeal) -> None:
    words, stale = await _status(database, seal, -3600)
    assert stale
    assert words == "The matcher's clock is 60 min ahead: when it last read is not known."


async def test_clocks_a_little_apart_are_no_fault(database: str, seal: FileSeal) -> None:
    assert await _status(database, seal, -2) == ("Last read 0 s ago.", False)


async def test_a_partition_that_stands_behind_a_living_one_is_told(database: str, seal: FileSeal) -> None:
    words, _ = await _status(database, seal, 0, 3600)
    assert words == "Last read 0 s ago. The quietest partition last moved 60 min ago."
