"""Orders in lines for people; what stands in them is what the API answers."""

from typing import TYPE_CHECKING

from stayaway.cli.version_lines import exception_lines, field_words, head_lines, vehicle_line, zone_lines

if TYPE_CHECKING:
    from stayaway.api.approval_forms import ApprovalItem
    from stayaway.api.order_forms import OrderDetail, OrderItem, RecordItem, RespondentItem

_RECORD_FIELDS = (
    "version",
    "kind",
    "order_version",
    "respondent_id",
    "status",
    "effective_at",
    "noticed_at",
    "recalled_at",
    "from_at",
    "until_at",
    "validated_at",
    "void",
    "reason_text",
    "source_text",
)


def item_line(item: "OrderItem") -> str:
    """One order of a list."""
    check = f" | {item.second_check}" if item.second_check else ""
    secret = f" | {', '.join(item.confidentiality)}" if item.confidentiality else ""
    force = f"in force for {', '.join(item.in_force_for) or 'nobody'}"
    return f"{item.order_id} {item.kind} {item.status}, {item.versions} versions, {force}{check}{secret}"


def order_lines(detail: "OrderDetail") -> list[str]:
    """What an order said, respondent by respondent."""
    lines = [f"{item_line(detail)} | at {detail.at}, as known at {detail.known_at}"]
    if detail.address_withheld:
        lines.append("Address withheld: the respondent was not told it; do not voice it.")
    for version in detail.said:
        lines += head_lines(version)
    for item in detail.respondents:
        lines += _respondent_lines(item)
    for recall in detail.recalls:
        void = " (void)" if recall["void"] else ""
        lines.append(f"recalled at {recall['recalled_at']}{void}: {recall['reason_text']}")
    lines += [f"suspended {s['from_at']} to {s['until_at']}: {s['reason_text']}" for s in detail.suspensions]
    for alone in detail.provisionals:
        lines.append(f"version {alone['version']} put in force by one person, until {alone['until_at']}")
    lines += [f"version {c['version']} confirmed at {c['recorded_at']}" for c in detail.confirmations]
    lines += [f"validated at {v['validated_at']} with {v['source_text']}" for v in detail.validations]
    return lines


def _respondent_lines(item: "RespondentItem") -> list[str]:
    state = "IN FORCE" if item.in_force else f"not in force: {', '.join(item.reasons)}"
    until = f", until {item.expires_at}" if item.expires_at else ""
    check = f", {item.second_check}" if item.second_check else ""
    name = f" {item.name}" if item.name else ""
    bound = f"version {item.version} {item.status} {state}{until}{check}"
    lines = [f"respondent {item.respondent_id}{name}: {bound}"]
    lines += [f"  {vehicle_line(vehicle)}" for vehicle in item.vehicles]
    lines += [f"  device {device_id}" for device_id in item.device_ids]
    lines += [f"  {line}" for zone in item.zones for line in zone_lines(zone)]
    lines += [f"  {line}" for exception in item.exceptions for line in exception_lines(exception)]
    for notice in item.notices:
        counts = "" if notice["counts"] else ", does not count here"
        told = f"{notice['kind']} of version {notice['order_version']} at {notice['noticed_at']}"
        lines.append(f"  notice {told}{counts}")
    return lines


def record_lines(item: "RecordItem") -> list[str]:
    """One record with both its times and who applied it; of a version also who stands behind it."""
    return [_record_line(item), *(_approval_lines(item.approval) if item.approval else ())]


def _approval_lines(item: "ApprovalItem") -> list[str]:
    if item.kind == "FEED":
        return [f"  FEED: it came with an orders file; no draft of it was approved here{_over(item)}"]
    alone = f", alone until {item.until_at}: {item.emergency_reason_text}" if item.until_at else ""
    second = f", confirmed at {item.confirmed_at}" if item.confirmed_at else ""
    by = f"written by {', '.join(item.writers)}, approved by {item.approver} at {item.approved_at}"
    lines = [
        f"  {item.kind}: draft {item.draft_number}, {by}{alone}{second}",
        f"  typed case_number {item.case_number}, expiry {item.expiry}",
    ]
    for answer in item.answers:
        reason = f" ({answer.reason_text})" if answer.reason_text else ""
        lines.append(f"  {answer.answer}{reason} to {answer.question_id}: {answer.text}")
    return lines


def behind_words(item: "ApprovalItem") -> str:
    """Who stands behind a version, in a few words."""
    return f"FEED{_over(item)}" if item.kind == "FEED" else f"{item.kind}, approved by {item.approver}"


def _over(item: "ApprovalItem") -> str:
    return (
        f", over version {item.over_version}, which {item.over_approver} approved"
        if item.over_version
        else ""
    )


def _record_line(item: "RecordItem") -> str:
    record = {name: field_words(name, item.record[name]) for name in _RECORD_FIELDS if name in item.record}
    said = "".join(f" {name}={words}" for name, words in record.items())
    applied = f"applied {item.applied_at} by {item.applied_by or 'somebody whose audit entry is missing'}"
    return f"{item.registry_sequence} {item.kind}{said} | known since {item.recorded_at} | {applied}"
