"""Records that reach nothing: of an order that is not there, or a notice to somebody it does not name (pure).

Such a notice counts for nobody, and the respondent who was told may stay unserved: a WARNING says so. It is
recorded all the same: feeds come in any order, and the version that it is of may come after it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from stayaway.orders.findings import Finding, FindingList
from stayaway.orders.model import Notice, OrderVersion
from stayaway.orders.records import ParsedOrders, ParsedRecord
from stayaway.orders.standing import Met


def find_astray(parsed: ParsedOrders, met: Met) -> Iterator[Finding]:
    """What an import into this registry would say of the file's notices, recalls and suspensions, were all
    usable versions of the file recorded.
    """
    versions: dict[str, list[OrderVersion]] = defaultdict(list)
    for order_id, order in met.orders.items():
        versions[order_id] += order.versions
    for record in parsed.versions:
        if isinstance(record.value, OrderVersion):
            versions[record.value.order_id].append(record.value)
    for record in parsed.records:
        if record.value is None or record.kind == "VERSION":
            continue
        if record.value.order_id not in versions:
            yield no_such_order(record)
        elif isinstance(record.value, Notice):
            yield from check_addressee(record, record.value, versions[record.value.order_id])


def no_such_order(record: ParsedRecord) -> Finding:
    """The ERROR of a record whose order nobody has."""
    noted = FindingList(record.order_id, record.path)
    remedy = "The registry has no such order, and this file brings none that could be recorded."
    noted.error(("order_id",), record.order_id, remedy)
    return noted.findings[0]


def check_addressee(
    record: ParsedRecord, notice: Notice, versions: Sequence[OrderVersion]
) -> Sequence[Finding]:
    """The WARNING of a notice that reaches nobody, if it does not. `versions`: all there are of its order."""
    noted = FindingList(record.order_id, record.path)
    version = next((item for item in versions if item.version == notice.order_version), None)
    if version is None:
        numbers = ", ".join(str(number) for number in sorted({item.version for item in versions}))
        remedy = (
            f"The order has no such version, so that nobody is served by it: it has {numbers or 'none'}."
            " If that is no slip, the notice counts once the version has come."
        )
        noted.warning(("order_version",), notice.order_version, remedy)
        return noted.findings
    bound = sorted(item.respondent_id for item in version.respondents)
    if notice.respondent_id not in bound:
        remedy = (
            f"Version {version.version} names no such respondent, so that nobody is served by it: it names"
            f" {', '.join(bound)}."
        )
        noted.warning(("respondent_id",), notice.respondent_id, remedy)
    return noted.findings
