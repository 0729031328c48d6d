"""Walking JSON that may be wrong anywhere: what does not fit is passed over, for the form to refuse."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from stayaway.kernel.instants import parse_instant, parse_local
from stayaway.orders.findings import Path


def objects(holder: dict[str, Any], at: Path, name: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The objects in the list `name`, with their paths; what is no object is passed over."""
    items = holder.get(name)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield (*at, name, index), item


def texts(holder: dict[str, Any], at: Path, name: str) -> Iterator[tuple[Path, str]]:
    """The texts in the list `name`, with their paths."""
    items = holder.get(name)
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, str):
            yield (*at, name, index), item


def ids(holder: dict[str, Any], name: str, key: str) -> set[str]:
    """The texts under `key` in the objects of the list `name`."""
    return {item[key] for _, item in objects(holder, (), name) if isinstance(item.get(key), str)}


def instant_of(raw: Mapping[str, Any], name: str) -> datetime | None:
    """The instant in a field; None where the form refuses it."""
    value = raw.get(name)
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None


def local_of(raw: dict[str, Any], name: str) -> datetime | None:
    """The wall-clock time in a field; None where the form refuses it."""
    value = raw.get(name)
    try:
        return parse_local(value) if isinstance(value, str) else None
    except ValueError:
        return None
