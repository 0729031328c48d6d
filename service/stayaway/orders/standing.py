"""Orders as they stand: each one's last version and what was recorded about it.

Those of a file, with what the registry holds of the same orders where somebody looked; and before them the
other orders of the registry that they meet.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from stayaway.kernel.jsontext import json_pointer
from stayaway.orders.expiry import expires_at
from stayaway.orders.findings import FindingList, Path
from stayaway.orders.model import CourtOrder, Notice, OrderVersion, Recall, Record, Suspension, Vehicle, Zone
from stayaway.orders.over_approved import ApprovedHere
from stayaway.orders.records import ParsedOrders, ParsedRecord
from stayaway.orders.rules import is_recalled

THE_FILE, THE_REGISTRY = "this file", "the registry"


@dataclass(frozen=True, slots=True)
class Met:
    """What the registry holds that concerns a file: the file's own orders and those that they meet, by id.

    `registry_sequence`: as of which; `known_at`: the latest `recorded_at` of any record there.
    `common`: marks of the file (see `marks`) that so many orders have that they were not compared by it.
    `over_approved`: records of the file that the registry does not have, of orders that people approved here.
    """

    orders: Mapping[str, CourtOrder]
    registry_sequence: int
    known_at: datetime
    common: frozenset[str] = frozenset()
    over_approved: tuple[tuple[ParsedRecord, ApprovedHere], ...] = ()


@dataclass
class Standing:
    """One order. `advice` collects what is noted at its last version.

    Earlier versions are advised on no more: what is recorded is never changed, and what they
    lack the last one may have. `recalls` and `suspensions` each come with their own list.
    `record`: the last version in the file; None where it stands in the registry, and nothing is said of it.
    `lone`: the lists of the file's recalls and suspensions, of which something is said in any case.
    `lacks_records`: some record of the order in the file has an ERROR, so that nothing may be said of
    what is missing. `looked_at`: where its records were looked for. `recalled_before`: the recalls that were
    recorded before the last version: in the registry, which does not have that version, or by `recorded_at`.
    """

    record: ParsedRecord | None
    version: OrderVersion
    versions: tuple[OrderVersion, ...]
    advice: FindingList
    notices: tuple[Notice, ...]
    recalls: tuple[tuple[Recall, FindingList], ...]
    suspensions: tuple[tuple[Suspension, FindingList], ...]
    lone: tuple[FindingList, ...]
    lacks_records: bool
    looked_at: str
    recalled_before: tuple[Recall, ...]

    def warn(self, path: Path, value: Any, remedy: str) -> None:
        """Note what the clerk should look at; `path` is from the version's record."""
        self.advice.warning(path, value, remedy)

    @property
    def source(self) -> str:
        """Where its last version stands."""
        return THE_REGISTRY if self.record is None else THE_FILE

    def place_of(self, path: Path = ()) -> str:
        """Where `path` of the last version lies, for other findings to name."""
        if self.record is not None:
            return json_pointer(*self.record.path, *path)
        pointer = json_pointer(*path)
        return f"in the registry, version {self.version.version}{pointer and f', {pointer}'}"

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
        """What the clerk typed at `path` of the file's version."""
        assert self.record is not None
        value: Any = self.record.raw
        for step in path:
            value = value[step]
        return value

    def is_off(self, known_at: datetime) -> bool:
        """Whether the order was entered in error, or has been recalled by `known_at`."""
        if self.version.status == "ENTERED_IN_ERROR":
            return True
        return is_recalled((recall for recall, _ in self.recalls), known_at)


def gather_standing(parsed: ParsedOrders, met: Met | None = None) -> list[Standing]:
    """The usable orders: those that the registry alone has a version of, by id, then those of the file in
    the order of their last versions. `met` None: the registry was not looked at.
    """
    of_order: Mapping[str, list[ParsedRecord]] = defaultdict(list)
    refused: set[str] = set()
    for record in parsed.records:
        if record.value is not None:
            of_order[record.value.order_id].append(record)
        elif record.order_id is not None and not record.repeated:
            refused.add(record.order_id)
    registered = met.orders if met else {}
    looked_at = THE_FILE if met is None else f"{THE_FILE} or {THE_REGISTRY}"
    found = [
        _to_standing(of_order.get(order_id, ()), registered.get(order_id), order_id in refused, looked_at)
        for order_id in sorted({*of_order, *registered})
    ]
    return sorted((standing for standing in found if standing is not None), key=_place)


def _place(standing: Standing) -> tuple[bool, Path]:
    return standing.record is not None, standing.record.path if standing.record else ()


def _to_standing(
    records: Sequence[ParsedRecord], registered: CourtOrder | None, lacks_records: bool, looked_at: str
) -> Standing | None:
    both = [*_registered(records, registered), *((record.value, record) for record in records)]
    versions = [(value, record) for value, record in both if isinstance(value, OrderVersion)]
    if not versions:
        return None
    version, record = max(versions, key=lambda pair: pair[0].version)
    recalls = [(value, _list_of(record), record) for value, record in both if isinstance(value, Recall)]
    pauses = [(value, _list_of(record), record) for value, record in both if isinstance(value, Suspension)]
    return Standing(
        record=record,
        version=version,
        versions=tuple(value for value, _ in versions),
        advice=_list_of(record),
        notices=tuple(value for value, _ in both if isinstance(value, Notice)),
        recalls=tuple((value, noted) for value, noted, _ in recalls),
        suspensions=tuple((value, noted) for value, noted, _ in pauses),
        lone=tuple(noted for _, noted, record in (*recalls, *pauses) if record is not None),
        lacks_records=lacks_records,
        looked_at=looked_at,
        recalled_before=tuple(
            recall for recall, _, _ in recalls if _came_before(recall, version, registered)
        ),
    )


def _came_before(recall: Recall, version: OrderVersion, registered: CourtOrder | None) -> bool:
    if recall.recorded_at < version.recorded_at:
        return True
    if registered is None or recall not in registered.recalls:
        return False
    return version.version not in {item.version for item in registered.versions}


def _registered(
    records: Sequence[ParsedRecord], registered: CourtOrder | None
) -> Iterator[tuple[Record, None]]:
    """What the registry has of the order besides the file's records."""
    if registered is None:
        return
    of_file = [record.value for record in records]
    numbers = {value.version for value in of_file if isinstance(value, OrderVersion)}
    yield from ((version, None) for version in registered.versions if version.version not in numbers)
    lone: tuple[Record, ...] = (*registered.notices, *registered.recalls, *registered.suspensions)
    yield from ((value, None) for value in lone if value not in of_file)


def _list_of(record: ParsedRecord | None) -> FindingList:
    return FindingList(None) if record is None else FindingList(record.order_id, record.path)
