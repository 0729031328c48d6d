"""The records of a large file read by two processes, which meet in the middle.

What the second has read comes back as bytes.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from stayaway.orders.codec import decode_values, encode_values
from stayaway.orders.findings import Finding
from stayaway.orders.parse import OnProgress, RawRecord, begin_record, read_in_turn, read_record
from stayaway.orders.records import Draft
from stayaway.orders.second_process import MIN_RECORDS, inherited, second_process

CHUNK = 200
_AHEAD = 3
"""Chunks given to the other before it asks, so that it always has one."""

_Read = tuple[bytes | None, bytes, list[Finding]]
"""Values (None: the record cannot be used), canonical JSON, findings."""


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
    there: list[Future[list[_Read]]] = []
    first, end = 0, len(chunks)
    while first < end:
        while first < end and sum(not read.done() for read in there) < _AHEAD:
            end -= 1
            there.append(pool.submit(_read_there, end))
        if first < end:
            here += [read_record(*raw) for raw in chunks[first]]
            first += 1
            on_progress(len(here), len(raws))
    for number, read in zip(range(end, len(chunks)), reversed(there), strict=True):
        here += [_to_draft(raw, item) for raw, item in zip(chunks[number], read.result(), strict=True)]
        on_progress(len(here), len(raws))
    return here


def _read_there(number: int) -> list[_Read]:
    return [_to_read(read_record(*raw)) for raw in inherited()[number * CHUNK : (number + 1) * CHUNK]]


def _to_read(draft: Draft) -> _Read:
    values = None if draft.value is None else encode_values(draft.kind, draft.digest, draft.value)
    return values, draft.source, draft.findings.findings


def _to_draft(raw: RawRecord, read: _Read) -> Draft:
    draft = begin_record(*raw)
    values, draft.source, draft.findings.findings = read
    if values is not None:
        draft.digest, draft.value = decode_values(draft.kind, values)
    return draft
