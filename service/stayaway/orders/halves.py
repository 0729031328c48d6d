"""The records of a large file read by two processes, which meet in the middle.

What the second has read comes back as bytes.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from typing import Any

from stayaway.orders.codec import decode_values, encode_values
from stayaway.orders.findings import Finding
from stayaway.orders.parse import CHUNK, OnProgress, RawRecord, begin_record, read_in_turn, read_records
from stayaway.orders.records import Draft
from stayaway.orders.second_process import MIN_RECORDS, inherited, second_process

_AHEAD = 3
"""Chunks given to the other before it asks, so that it always has one."""

_Read = tuple[str | None, Mapping[str, Any], bytes | None, bytes, list[Finding]]
"""Order id, heading, values (None: the record cannot be used), canonical JSON, findings."""


def read_in_halves(raws: Sequence[RawRecord], on_progress: OnProgress) -> list[Draft]:
    """The same as `read_in_turn`. For processes without threads of their own only: it forks."""
    if len(raws) < MIN_RECORDS:
        return read_in_turn(raws, on_progress)
    with second_process(raws) as pool:
        return _read_from_both_ends(raws, pool, on_progress)


def _read_from_both_ends(
    raws: Sequence[RawRecord], pool: ProcessPoolExecutor, on_progress: OnProgress
) -> list[Draft]:
    chunks = [raws[start : start + CHUNK] for start in range(0, len(raws), CHUNK)]
    here: list[Draft] = []
    there: list[list[Draft]] = []  # from the end on
    asked: deque[Future[list[_Read]]] = deque()
    first, end, done = 0, len(chunks), 0
    while first < end or asked:
        while first < end and len(asked) < _AHEAD:
            end -= 1
            asked.append(pool.submit(_read_there, end))
        if first < end:
            here += read_records(chunks[first])
            done += len(chunks[first])
            first += 1
        # What has come is taken in between, so that the other is never waited for, nor waits.
        while asked and (first == end or asked[0].done()):
            raws_there = chunks[len(chunks) - 1 - len(there)]
            there.append(_to_drafts(raws_there, asked.popleft().result()))
            done += len(raws_there)
        on_progress(done, len(raws))
    return [*here, *chain.from_iterable(reversed(there))]


def _read_there(number: int) -> list[_Read]:
    return [_to_read(draft) for draft in read_records(inherited()[number * CHUNK : (number + 1) * CHUNK])]


def _to_read(draft: Draft) -> _Read:
    values = None if draft.value is None else encode_values(draft.kind, draft.digest, draft.value)
    return draft.order_id, draft.heading, values, draft.source, draft.findings.findings


def _to_drafts(raws: Sequence[RawRecord], reads: Sequence[_Read]) -> list[Draft]:
    return [_to_draft(raw, read) for raw, read in zip(raws, reads, strict=True)]


def _to_draft(raw: RawRecord, read: _Read) -> Draft:
    order_id, heading, values, source, findings = read
    draft = begin_record(*raw, order_id)
    draft.heading, draft.source, draft.findings.findings = heading, source, findings
    if values is not None:
        draft.digest, draft.value = decode_values(draft.kind, values)
    return draft
