"""Windows of an orders file: their wall-clock span and their rule, checked."""

from typing import Any

from stayaway.kernel.timezones import load_time_zone, time_zone_names
from stayaway.orders.findings import FindingList, Path
from stayaway.orders.model import Window
from stayaway.orders.rawjson import local_of, objects
from stayaway.orders.schedule import RecurrenceError, parse_rrule


def read_windows(holder: dict[str, Any], at: Path, name: str, findings: FindingList) -> dict[Path, Window]:
    """The windows in the list `name` that can be used, by path; an ERROR for each other."""
    read = {path: _read_window(raw, path, findings) for path, raw in objects(holder, at, name)}
    return {path: window for path, window in read.items() if window is not None}


def _read_window(raw: dict[str, Any], at: Path, findings: FindingList) -> Window | None:
    start, end = local_of(raw, "start_local"), local_of(raw, "end_local")
    is_late = start is not None and end is not None and end <= start
    if is_late:
        remedy = "It must be later than start_local, on a later day if need be."
        findings.error((*at, "end_local"), raw["end_local"], remedy)
    zone_name = raw["time_zone"] if isinstance(raw.get("time_zone"), str) else ""
    is_zone = zone_name in time_zone_names()
    rule, recurrence = raw.get("rrule"), None
    if isinstance(rule, str) and start is not None:
        try:
            recurrence = parse_rrule(rule, start, load_time_zone(zone_name if is_zone else "UTC"))
        except RecurrenceError as error:
            findings.error((*at, "rrule"), rule, str(error))
            return None
    if start is None or end is None or is_late or not is_zone:
        return None
    return Window(time_zone=zone_name, start_local=start, end_local=end, recurrence=recurrence)
