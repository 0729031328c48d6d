"""An orders file's bytes → records that can be used, and everything that is wrong with the rest."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Raw

from stayaway.kernel.errors import RefusedError
from stayaway.kernel.jsontext import (
    Encoded,
    NotJsonError,
    compact_json,
    parse_json,
    split_array,
    split_object,
)
from stayaway.kernel.repeated import repeated_members
from stayaway.orders.check import check_notice, check_order, check_suspension
from stayaway.orders.convert import to_notice, to_recall, to_suspension, to_version
from stayaway.orders.crosscheck import check_across, heading_of
from stayaway.orders.findings import MISSING, Finding, FindingList, Path, UnreadableFileError
from stayaway.orders.formcheck import note_repeated_names, read_form, unknown_field_remedy
from stayaway.orders.model import CourtOrder, Record
from stayaway.orders.own_records import OWN_FORMS
from stayaway.orders.plain_geometry import Drawn, draw_plain
from stayaway.orders.rawjson import instant_of, objects
from stayaway.orders.records import (
    KINDS,
    RECORD_DEPTH,
    Draft,
    ParsedOrders,
    ParsedRecord,
    RecordKind,
    parse_record,
)
from stayaway.orders.wire import SCHEMA, NoticeForm, OrderForm, RecallForm, RootForm, SuspensionForm

MAX_FILE_BYTES = 1 << 29
"""512 MiB: some 300,000 orders; more than that is sent in several files."""


CHUNK = 200
"""Records read together: so many that NumPy's and GEOS' calls cost little each."""

RawRecord = tuple[RecordKind, Path, Raw]
"""Kind, place in the file, and the JSON as it came. Its value is made when it is read and let go then:
that is quicker and takes a fifth of the memory.
"""
OnProgress = Callable[[int, int], None]
"""Told now and then how many records of how many are read."""


def read_in_turn(raws: Sequence[RawRecord], on_progress: OnProgress) -> list[Draft]:
    """Each record, checked by itself."""
    drafts: list[Draft] = []
    for start in range(0, len(raws), CHUNK):
        drafts += read_records(raws[start : start + CHUNK])
        on_progress(len(drafts), len(raws))
    return drafts


def parse_orders_file(
    data: bytes,
    on_progress: OnProgress = lambda _done, _total: None,
    read_all: Callable[[Sequence[RawRecord], OnProgress], list[Draft]] = read_in_turn,
) -> ParsedOrders:
    """Every record of the file with all findings, in one pass.

    A record with an ERROR has no value; the others can be used. `read_all`: reads the records one by one,
    as `read_in_turn` does. Raises UnreadableFileError where the bytes are no orders file at all.
    """
    try:
        root = FindingList(None)
        body = _read_body(data, root)
        raws = _check_root(body, root)
        drafts = read_all(raws, on_progress)
    except NotJsonError as error:
        raise UnreadableFileError(
            f"The file is {error}.", "Send one JSON object in UTF-8, without a byte order mark."
        ) from error
    unresolved = check_across(drafts)
    recorded = (instant_of(draft.heading, "recorded_at") for draft in drafts)
    return ParsedOrders(
        records=tuple(finish_record(draft) for draft in drafts),
        findings=(*root.findings, *(finding for draft in drafts for finding in draft.findings.findings)),
        known_at=max((at for at in recorded if at is not None), default=None),
        blocks_orders=root.has_errors
        or any(draft.kind == "VERSION" and draft.findings.has_errors for draft in drafts),
        unresolved=unresolved,
    )


def to_orders(parsed: ParsedOrders) -> dict[str, CourtOrder]:
    """The usable records as orders, by order id; all of them, whenever they were recorded.

    Notices, recalls and suspensions of orders without a usable version are left out.
    """
    return gather_orders(parsed.records)


def gather_orders(records: Iterable[ParsedRecord]) -> dict[str, CourtOrder]:
    """Records gathered into orders, versions ascending, the rest in the order given."""
    gathered: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.value is not None:
            gathered[record.value.order_id].append(record.value)
    orders = (CourtOrder(order_id=name, versions=()).with_records(own) for name, own in gathered.items())
    return {order.order_id: order for order in orders if order.versions}


def begin_record(kind: RecordKind, path: Path, written: Raw, order_id: str | None) -> Draft:
    """One record before anything of it is checked."""
    return Draft(kind, path, written, FindingList(order_id, path))


def read_records(raws: Sequence[RawRecord]) -> list[Draft]:
    """Some records, each checked by itself, their polygons drawn together. Raises NotJsonError where one is
    nested too deep.
    """
    values = [parse_record(written) for _, _, written in raws]
    drawn = draw_plain(
        geometry
        for (kind, _, _), value in zip(raws, values, strict=True)
        if kind == "VERSION"
        for geometry in _geometries(value)
    )
    return [_read_record(*raw, value, drawn) for raw, value in zip(raws, values, strict=True)]


def _read_record(kind: RecordKind, path: Path, written: Raw, raw: Any, drawn: Drawn) -> Draft:
    order_id = raw.get("order_id") if isinstance(raw, dict) else None
    draft = begin_record(kind, path, written, order_id if isinstance(order_id, str) else None)
    if not isinstance(raw, dict):
        draft.findings.error((), raw, "Write an object, in { }.")
        return draft
    draft.heading = heading_of(raw)
    encoded = Encoded.of(raw)
    note_repeated_names(bytes(written), encoded, draft.findings, within=RECORD_DEPTH)
    if kind == "VERSION":
        _read_version(draft, encoded, drawn)
    else:
        _read_lone(draft, encoded)
    return draft


def _geometries(raw: Any) -> Iterator[Any]:
    """What lies where a version's geometries do."""
    if isinstance(raw, dict):
        yield from (zone.get("geometry") for _, zone in objects(raw, (), "zones"))
        yield from (exception.get("place") for _, exception in objects(raw, (), "exceptions"))


def read_own(kind: RecordKind, raw: dict[str, Any]) -> ParsedOrders:
    """One record that the registry itself makes, as a file of its own. RefusedError with its errors."""
    (draft,) = read_records([(kind, (), Raw(compact_json(raw)))])
    errors = [finding for finding in draft.findings.findings if finding.severity == "ERROR"]
    if errors:
        raise RefusedError([(tuple(item.pointer.split("/")[1:]), item.remedy) for item in errors])
    return ParsedOrders(
        records=(finish_record(draft),),
        findings=tuple(draft.findings.findings),
        known_at=draft.value.recorded_at if draft.value else None,
        blocks_orders=False,
    )


def _read_version(draft: Draft, encoded: Encoded, drawn: Drawn) -> None:
    raw = encoded.value
    form = read_form(OrderForm, raw, draft.findings, may_hold_null=encoded.may_hold_null)
    made = check_order(raw, draft.findings, drawn)
    if form is not None and not draft.findings.has_errors:
        _note_digest(draft, encoded)
        draft.value = to_version(form, draft.digest, made)


def _read_lone(draft: Draft, encoded: Encoded) -> None:
    raw = encoded.value
    read = partial(read_form, raw=raw, findings=draft.findings, may_hold_null=encoded.may_hold_null)
    if draft.kind == "NOTICE":
        notice = read(NoticeForm)
        check_notice(raw, draft.findings)
        draft.value = None if notice is None else to_notice(notice)
    elif draft.kind == "RECALL":
        recall = read(RecallForm)
        draft.value = None if recall is None else to_recall(recall)
    elif draft.kind == "SUSPENSION":
        suspension = read(SuspensionForm)
        check_suspension(raw, draft.findings)
        draft.value = None if suspension is None else to_suspension(suspension)
    else:
        own = read(OWN_FORMS[draft.kind])
        draft.value = None if own is None else own.to_record()
    if draft.value is not None and not draft.findings.has_errors:
        _note_digest(draft, encoded)


def _note_digest(draft: Draft, encoded: Encoded) -> None:
    try:
        draft.source = encoded.canonical()
    except ValueError:  # only extensions may hold such a number
        draft.findings.error(
            ("extensions",),
            encoded.value.get("extensions"),
            "A whole number is beyond 2^53; write it as text.",
        )
    else:
        # The same for the same record, however it is written.
        draft.digest = hashlib.sha256(draft.source).digest()


def finish_record(draft: Draft) -> ParsedRecord:
    """The draft as it was checked; without its value where it cannot be used."""
    usable = draft.value is not None and not draft.repeated and not draft.findings.has_errors
    return ParsedRecord(
        kind=draft.kind,
        path=draft.path,
        order_id=draft.order_id,
        written=draft.written,
        value=draft.value if usable else None,
        source=draft.source,
        digest=draft.digest,
        repeated=draft.repeated,
    )


def _read_body(data: bytes, findings: FindingList) -> dict[str, Raw]:
    """What the file holds by name, as texts; an ERROR where a name is there more than once."""
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableFileError("The file is over 512 MiB.", "Send it in several files.")
    members = split_object(data)
    if members is None:
        raise UnreadableFileError(
            "The file is no JSON object.", f'Send one object with "schema": "{SCHEMA}".'
        )
    body = dict(members)
    if "schema" not in body or parse_json(bytes(body["schema"]), within=1) != SCHEMA:
        raise UnreadableFileError("The file's schema is not orders.v1.", f'Give "schema": "{SCHEMA}".')
    for repeated in repeated_members(members):
        findings.error(repeated.path, f"{len(repeated.values)} times", repeated.words)
    return body


def _check_root(body: dict[str, Raw], findings: FindingList) -> list[RawRecord]:
    """The records in the file's lists, and what is wrong around them."""
    lists: dict[str, list[Raw]] = {}
    for name, text in body.items():
        items = split_array(text) if name in KINDS else None
        if items is not None:
            lists[name] = items
        elif name != "schema":
            _check_member(name, bytes(text), findings)
    if "orders" not in body:
        findings.error(("orders",), MISSING, "Add the list; it may be empty.")
    return [
        (kind, (name, index), text)
        for name, kind in KINDS.items()
        for index, text in enumerate(lists.get(name, ()))
    ]


def _check_member(name: str, text: bytes, findings: FindingList) -> None:
    value = parse_json(text, within=1)
    if name in KINDS:
        findings.error((name,), value, "Write a list of records, in [ ].")
    elif name == "extensions":
        own = FindingList(None, (name,))
        note_repeated_names(text, Encoded.of(value), own, within=1)
        findings.findings += own.findings
        read_form(RootForm, {name: value}, findings)
    else:
        findings.error((name,), value, unknown_field_remedy(name))


__all__ = ["Finding", "ParsedOrders", "gather_orders", "parse_orders_file", "read_records", "to_orders"]
