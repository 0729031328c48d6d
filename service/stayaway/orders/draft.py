"""A draft of one version of an order: its content in the orders file's form, and its checks (pure).

The content is one record of the list `orders` (orders.v1) without `version` and `recorded_at`: the
registry gives both when the draft is approved.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from stayaway.kernel.errors import RefusedError
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import canonical_json, compact_json
from stayaway.orders.advice import with_advice
from stayaway.orders.findings import Finding, has_errors
from stayaway.orders.known_places import KnownPlaces
from stayaway.orders.model import OrderVersion
from stayaway.orders.parse import parse_orders_file
from stayaway.orders.questions import Problem
from stayaway.orders.records import ParsedOrders
from stayaway.orders.standing import Met
from stayaway.orders.wire import SCHEMA

DraftState = Literal["OPEN", "APPROVED", "WITHDRAWN"]
DRAFT_STATES: tuple[DraftState, ...] = get_args(DraftState)
ASSIGNED = ("version", "recorded_at")
MAX_DEPTH = 64
"""A MultiPolygon's coordinates lie 8 deep; only extensions could nest further."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_BASE = "/orders/0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """A draft as one edit left it. `version`: the number it will have, one above the registry's.

    `author`: who wrote this edit; `writers`: everyone who wrote any edit up to it.
    `content_digest` is keyed with the order's key and stands for number, version and content.
    """

    draft_number: int
    order_id: str
    version: int
    state: DraftState
    row_version: int
    author: str
    writers: tuple[str, ...]
    content: Mapping[str, Any]
    content_digest: bytes
    created_at: datetime
    changed_at: datetime

    @property
    def etag(self) -> str:
        """The entity tag (RFC 9110, 8.8.3): another one after every edit."""
        return f'"{self.row_version}-{self.content_digest.hex()[:32]}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCheck:
    """What the checks say of a draft. Findings point into the content. `value`: None with an ERROR.

    `compared_with`: the registry's orders that it was compared with. `not_checked`: what could not be
    checked, in words.
    """

    findings: tuple[Finding, ...]
    parsed: ParsedOrders
    value: OrderVersion | None
    compared_with: tuple[str, ...]
    not_checked: tuple[str, ...]


def parse_content(body: Any) -> dict[str, Any]:
    """The content of a draft. It may be wrong in any way but these: RefusedError where it is no
    object, names no usable order_id, gives what the registry assigns, or is no JSON (RFC 8785).
    """
    if not isinstance(body, dict):
        raise RefusedError([(("order",), "Write an object, in { }, as a record of orders.v1.")])
    problems: list[Problem] = [
        ((("order", name)), "Leave it out: the registry gives it on approval.")
        for name in ASSIGNED
        if name in body
    ]
    order_id = body.get("order_id")
    if not isinstance(order_id, str) or _IDENTIFIER.fullmatch(order_id) is None:
        problems.append(
            (("order", "order_id"), "Give the order's id: 1 to 128 of A-Z, a-z, 0-9 and . _ : -.")
        )
    try:
        if not _is_deeper_than(body, MAX_DEPTH):
            canonical_json(body)
        else:
            problems.append((("order",), f"It is nested deeper than {MAX_DEPTH}."))
    except ValueError:
        problems.append((("order",), "A number or a text in it is none that JSON can carry unchanged."))
    if problems:
        raise RefusedError(problems)
    return body


def _is_deeper_than(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth == 0 or any(_is_deeper_than(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_is_deeper_than(item, depth - 1) for item in value)
    return False


def with_geometry(content: Mapping[str, Any], zone_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The content with `given` (a geometry, and its distance if it has one) in the zone of that id.

    Raises RefusedError where the draft has no such zone, or several.
    """
    zones = content.get("zones")
    listed = list(zones) if isinstance(zones, list) else []
    places = [n for n, zone in enumerate(listed) if isinstance(zone, dict) and zone.get("zone_id") == zone_id]
    if len(places) != 1:
        remedy = f"Write one zone with the zone_id {zone_id} and its place_type into the draft first."
        raise RefusedError([(("order", "zones"), remedy)])
    listed[places[0]] = {**listed[places[0]], **given}
    return {**content, "zones": listed}


def read_content(content: Mapping[str, Any], version: int, recorded_at: datetime) -> ParsedOrders:
    """The version that this content would become, as an orders file of its own."""
    record = {**content, "version": version, "recorded_at": format_instant(recorded_at)}
    return parse_orders_file(compact_json({"schema": SCHEMA, "orders": [record]}))


def check_content(
    content: Mapping[str, Any], read: ParsedOrders, met: Met, places: KnownPlaces
) -> DraftCheck:
    """The checks of an orders file on the content as it was read, and the advice on it.

    `met`: what the registry holds of the order, and of those that it meets. `places`: what is known of the
    places around it.
    """
    parsed = with_advice(read, places, met, after_recall="ERROR")
    findings = [
        replace(item, pointer=item.pointer.removeprefix(_BASE)) for item in (*parsed.findings, *_own(content))
    ]
    value = parsed.records[0].value
    usable = not has_errors(findings) and isinstance(value, OrderVersion)
    return DraftCheck(
        findings=tuple(findings),
        parsed=parsed,
        value=value if usable and isinstance(value, OrderVersion) else None,
        compared_with=tuple(sorted(met.orders)),
        not_checked=places.not_checked,
    )


def _own(content: Mapping[str, Any]) -> list[Finding]:
    """What only a draft must not say."""
    if content.get("status") != "DRAFT":
        return []
    remedy = "Write the status that the order will have once approved; until then it is a draft anyway."
    return [Finding("ERROR", content.get("order_id"), "/status", '"DRAFT"', remedy)]


def require_usable(check: DraftCheck) -> OrderVersion:
    """The version that the draft would become; RefusedError with every ERROR where it cannot."""
    if check.value is not None:
        return check.value
    errors = [finding for finding in check.findings if finding.severity == "ERROR"]
    raise RefusedError([_problem(item) for item in errors], "Have the draft corrected; nothing was recorded.")


def _problem(finding: Finding) -> Problem:
    steps = finding.pointer.split("/")[1:]
    return ("order", *(step.replace("~1", "/").replace("~0", "~") for step in steps)), finding.remedy
