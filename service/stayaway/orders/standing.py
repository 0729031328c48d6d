"""The orders of a file as they stand: each one's last version and what was recorded about it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from stayaway.orders.expiry import expires_at
from stayaway.orders.findings import FindingList, Path
from stayaway.orders.model import Notice, OrderVersion, Recall, Suspension, Vehicle, Zone
from stayaway.orders.records import ParsedOrders, ParsedRecord


@dataclass
class Standing:
    """One order of a file. `advice` collects what is noted at its last version.

    Earlier versions are advised on no more: what is recorded is never changed, and what they
    lack the last one may have. `recalls` and `suspensions` each come with their own list.
    `lacks_records`: some record of the order in the file has an ERROR, so that nothing may be said of
    what is missing.
    """

    record: ParsedRecord
    version: OrderVersion
    versions: tuple[OrderVersion, ...]
    advice: FindingList
    notices: tuple[Notice, ...]
    recalls: tuple[tuple[Recall, FindingList], ...]
    suspensions: tuple[tuple[Suspension, FindingList], ...]
    lacks_records: bool

    def warn(self, path: Path, value: Any, remedy: str) -> None:
        """Note what the clerk should look at; `path` is from the version's record."""
        self.advice.warning(path, value, remedy)

    def pointer_base(self) -> Path:
        """Where the last version lies in the file."""
        return self.record.path

    @cached_property
    def takes_effect_at(self) -> datetime:
        """The earliest instant at which any version of the order in the file takes effect."""
        return min(version.effective_at for version in self.versions)

    @cached_property
    def ends_at(self) -> datetime | None:
        """When the last version ends; None: never, or not as far as the file knows.

        An interval after notice runs from the earliest notice of any kind to each respondent,
        since only a policy says which kinds count.
        """
        if self.version.expiry.after_notice is None:
            return expires_at(self.version, None)
        ends = [expires_at(self.version, self.first_notice_at(r.respondent_id)) for r in self.respondents]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    def first_notice_at(self, respondent_id: str) -> datetime | None:
        """The earliest notice of any kind to the respondent."""
        return min((n.noticed_at for n in self.notices if n.respondent_id == respondent_id), default=None)

    @property
    def respondents(self) -> Sequence[Any]:
        """Whom the last version binds."""
        return self.version.respondents

    def vehicles(self) -> Iterable[tuple[Path, str, Vehicle]]:
        """(path, respondent id, vehicle) of each vehicle in the last version."""
        for i, respondent in enumerate(self.version.respondents):
            for j, vehicle in enumerate(respondent.vehicles):
                yield ("respondents", i, "vehicles", j), respondent.respondent_id, vehicle

    def zones(self) -> Iterable[tuple[Path, Zone]]:
        """(path, zone) of each zone in the last version."""
        return ((("zones", i), zone) for i, zone in enumerate(self.version.zones))

    def raw_at(self, *path: str | int) -> Any:
        """What the clerk typed at `path`."""
        value: Any = self.record.raw
        for step in path:
            value = value[step]
        return value

    def is_off(self, known_at: datetime) -> bool:
        """Whether the order was entered in error, or has been recalled by `known_at`."""
        if self.version.status == "ENTERED_IN_ERROR":
            return True
        return any(recall.void or recall.recalled_at <= known_at for recall, _ in self.recalls)


def gather_standing(parsed: ParsedOrders) -> list[Standing]:
    """The usable orders of a file, in the order of their last versions."""
    of_order: Mapping[str, list[ParsedRecord]] = defaultdict(list)
    refused: set[str] = set()
    for record in parsed.records:
        if record.value is not None:
            of_order[record.value.order_id].append(record)
        elif record.order_id is not None and not record.repeated:
            refused.add(record.order_id)
    found = [_to_standing(records, order_id in refused) for order_id, records in of_order.items()]
    return sorted(
        (standing for standing in found if standing is not None), key=lambda standing: standing.record.path
    )


def _to_standing(records: Sequence[ParsedRecord], lacks_records: bool) -> Standing | None:
    versions = [(r.value, r) for r in records if isinstance(r.value, OrderVersion)]
    if not versions:
        return None
    version, record = max(versions, key=lambda pair: pair[0].version)
    return Standing(
        record=record,
        version=version,
        versions=tuple(value for value, _ in versions),
        advice=FindingList(version.order_id, record.path),
        notices=tuple(r.value for r in records if isinstance(r.value, Notice)),
        recalls=tuple((r.value, _list_of(r)) for r in records if isinstance(r.value, Recall)),
        suspensions=tuple((r.value, _list_of(r)) for r in records if isinstance(r.value, Suspension)),
        lacks_records=lacks_records,
    )


def _list_of(record: ParsedRecord) -> FindingList:
    return FindingList(record.order_id, record.path)
