"""Orders in lines for people; what stands in them is what the API answers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stayaway.api.order_forms import OrderDetail, OrderItem, RecordItem, RespondentItem

_RECORD_FIELDS = (
    "version",
    "order_version",
    "respondent_id",
    "status",
    "effective_at",
    "noticed_at",
    "recalled_at",
    "from_at",
    "until_at",
    "validated_at",
    "reason_text",
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
    lines += [f"{detail.monitoring}: {term}" for term in detail.not_monitored]
    if detail.address_withheld:
        lines.append("Address withheld: the respondent was not told it; do not voice it.")
    conditions = ", ".join(detail.conditions) or "none"
    lines.append(f"Ask {detail.agency_ori}, {detail.agency_telephone}. Conditions: {conditions}")
    for item in detail.respondents:
        lines += _respondent_lines(item)
    for recall in detail.recalls:
        void = " (void)" if recall["void"] else ""
        lines.append(f"recalled at {recall['recalled_at']}{void}: {recall['reason_text']}")
    lines += [f"suspended {s['from_at']} to {s['until_at']}: {s['reason_text']}" for s in detail.suspensions]
    return lines


def _respondent_lines(item: "RespondentItem") -> list[str]:
    state = "IN FORCE" if item.in_force else f"not in force: {', '.join(item.reasons)}"
    until = f", until {item.expires_at}" if item.expires_at else ""
    check = f", {item.second_check}" if item.second_check else ""
    lines = [f"respondent {item.respondent_id}: version {item.version} {item.status} {state}{until}{check}"]
    lines += [f"  vehicle {vehicle['vehicle_id']} {vehicle['plate']}" for vehicle in item.vehicles]
    lines += [f"  device {device_id}" for device_id in item.device_ids]
    lines += [f"  {_zone_line(zone)}" for zone in item.zones]
    for exception in item.exceptions:
        covers = "a window covers it" if exception["window_covers"] else "no window covers it"
        lines.append(f"  exception {exception['exception_id']} {exception['kind']}: {covers}")
    for notice in item.notices:
        counts = "" if notice["counts"] else ", does not count here"
        told = f"{notice['kind']} of version {notice['order_version']} at {notice['noticed_at']}"
        lines.append(f"  notice {told}{counts}")
    return lines


def _zone_line(zone: dict[str, Any]) -> str:
    when = "its schedule holds" if zone["schedule_covers"] else "outside its schedule"
    ordered = f", {zone['distance_value']:g} {zone['distance_unit']}" if "distance_value" in zone else ""
    return f"zone {zone['zone_id']} {zone['place_type']}{ordered}, {zone['vertices']} vertices: {when}"


def record_line(item: "RecordItem") -> str:
    """One record with both its times and who applied it."""
    said = "".join(f" {name}={item.record[name]}" for name in _RECORD_FIELDS if name in item.record)
    applied = f"applied {item.applied_at} by {item.applied_by or 'somebody whose audit entry is missing'}"
    return f"{item.registry_sequence} {item.kind}{said} | known since {item.recorded_at} | {applied}"
