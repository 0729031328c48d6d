"""Orders' frozen values as plain JSON values, for views and differences; shapes by digest and size."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from stayaway.kernel.instants import format_instant
from stayaway.kernel.shape import Shape


def to_plain(value: Any) -> Any:
    """`value` as JSON values: instants as on the wire, sets sorted, left-out fields left out."""
    if isinstance(value, Shape):
        return {"sha256": value.sha256, "vertices": count_vertices(value)}
    if isinstance(value, date):  # an instant is one too
        return _to_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: to_plain(item) for name, item in found.items() if item is not None}
    if isinstance(value, frozenset | list | tuple):
        items = [to_plain(item) for item in value]
        return sorted(items) if isinstance(value, frozenset) else items
    return value


def _to_text(day: date) -> str:
    if isinstance(day, datetime) and day.tzinfo is not None:
        return format_instant(day)
    return day.isoformat()


def count_vertices(shape: Shape) -> int:
    """Vertices of all rings; the one that closes a ring counts once."""
    return sum(len(ring) - 1 for part in shape.parts for ring in part)
