"""One record of an order, usable or not: of an orders file a version, a notice, a recall or a
suspension; of the registry's own road also a provisional entry, its confirmation, a validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from msgspec import Raw

from stayaway.kernel.jsontext import parse_json
from stayaway.orders.findings import Finding, FindingList, Path
from stayaway.orders.model import Record
from stayaway.orders.wire import ListName

RecordKind = Literal["VERSION", "NOTICE", "RECALL", "SUSPENSION", "PROVISIONAL", "CONFIRMATION", "VALIDATION"]

KINDS: dict[ListName, RecordKind] = {
    "orders": "VERSION",
    "notices": "NOTICE",
    "recalls": "RECALL",
    "suspensions": "SUSPENSION",
}


RECORD_DEPTH = 2
"""How deep a record lies in a file: in the file's object, in one of its lists."""


def parse_record(written: Raw) -> Any:
    """The JSON value of a record as it was written, which may be anything. Raises NotJsonError where it nests
    too deep.
    """
    return parse_json(bytes(written), within=RECORD_DEPTH)


@dataclass(slots=True)
class Draft:
    """A record while it is checked. `written`: the JSON as it came, whose value is not kept: that takes five
    times the memory. `heading`: what of it the other records of the file are compared with.
    """

    kind: RecordKind
    path: Path
    written: Raw
    findings: FindingList
    heading: Mapping[str, Any] = field(default_factory=dict)
    value: Record | None = None
    source: bytes = b""
    digest: bytes = b""
    repeated: bool = False

    @property
    def order_id(self) -> str | None:
        """The order it names, where it names one."""
        return self.findings.order_id

    def text(self, name: str) -> str | None:
        """A field of the heading where it is a text."""
        value = self.heading.get(name)
        return value if isinstance(value, str) else None

    def whole(self, name: str) -> int | None:
        """A field of the heading where it is a whole number."""
        value = self.heading.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRecord:
    """A record as it was checked. `value` is None where it has an ERROR or repeats another record.

    `path`: where it lies in the file. `repeated`: it stands in the file a second time.
    `written`: the JSON as it came; `source`: in canonical form (RFC 8785); `digest`: SHA-256 of that.
    """

    kind: RecordKind
    path: Path
    order_id: str | None
    written: Raw
    value: Record | None
    source: bytes
    digest: bytes
    repeated: bool

    @property
    def raw(self) -> Any:
        """The JSON value of `written`, made anew at each call."""
        return parse_record(self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedOrders:
    """A whole file: its records in file order and every finding.

    `blocks_orders`: a version, or the file around it, has an ERROR, so that none may be recorded.
    `unresolved`: warnings for whoever does not look at the registry, of records of orders, versions and
    respondents that the file does not have.
    `known_at`: the latest `recorded_at` of any record whose field could be read, usable or not.
    """

    records: tuple[ParsedRecord, ...]
    findings: tuple[Finding, ...]
    known_at: datetime | None
    blocks_orders: bool
    unresolved: tuple[Finding, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an ERROR."""
        return any(finding.severity == "ERROR" for finding in self.findings)

    @property
    def versions(self) -> tuple[ParsedRecord, ...]:
        """The records that are versions of orders, usable or not."""
        return tuple(record for record in self.records if record.kind == "VERSION")
