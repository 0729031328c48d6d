"""A record against its form: every field that does not fit, in words."""

import difflib
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stayaway.kernel.forms import REMEDIES, has_endless_number
from stayaway.kernel.jsontext import Encoded
from stayaway.kernel.repeated import repeated_names
from stayaway.kernel.timezones import time_zone_names
from stayaway.orders.fields import OrdersForm
from stayaway.orders.findings import MISSING, FindingList, Path
from stayaway.orders.wire import OrdersFileForm

_Form = TypeVar("_Form", bound=OrdersForm)

_BY_FIELD = {
    "plate": "A plate is 1-10 letters A-Z and digits; spaces, dashes and . ' / & + · may stand between."
    " An unread character cannot be marked; enter the plate as registered.",
    "region": "Use ISO 3166-2, as US-AZ (two letters alone are ambiguous); unknown: leave it out.",
    "issuing_jurisdiction": "Use ISO 3166-2, as US-AZ.",
    "ori": "An ORI has 9 of A-Z and 0-9.",
    "oris": "Write an ORI, or what several begin with: 2 to 9 of A-Z and 0-9, as 5 for a county.",
    "features": "Give at least one.",
    "expires_after_notice": "Write P2Y, P6M or P90D: one number and one unit.",
    "source_document_sha256": "Write the 64 hexadecimal digits in lower case.",
    "no_expiration": "Write true, or leave it out and give the expiry.",
    "place": 'Write "WHOLE_ZONE", or a Polygon or MultiPolygon.',
}
_BY_TYPE = {
    **REMEDIES,
    "string_too_long": "It is too long: at most 512 characters.",
    "bad_date": "Write a date the calendar has, like 2026-03-06.",
    "too_short": "Leave the field out, or give at least one.",
    "too_long": "extensions may have at most 4,096 bytes.",
}
_FORMATS = ("bad_format", "bad_place", "bool_type", "string_pattern_mismatch", "literal_error")
_INSTANT = "Write it like 2026-03-06T20:15:00Z: UTC, ending in Z, at most 6 decimals."
_LOCAL = "Write it like 2026-03-06T13:15:00, without Z or offset; time_zone says where."


def read_form(
    form: type[_Form], raw: dict[str, Any], findings: FindingList, *, may_hold_null: bool = True
) -> _Form | None:
    """`raw` as the form, or None with an ERROR for each field that does not fit."""
    # Null is rare, and to look for the word in all of the text is quicker than to walk it.
    nulls = _nulls(raw, ()) if may_hold_null else []
    for path in nulls:
        findings.error(path, None, REMEDIES["null"])
    try:
        read = form.model_validate(raw)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if item["loc"] not in nulls:
                findings.error(item["loc"], _value_of(item), _remedy(item))
        return None
    endless = has_endless_number(raw.get("extensions"))
    if endless:
        findings.error(("extensions",), "", "A number in it is too large for a double.")
    return None if nulls or endless else read


def note_repeated_names(written: bytes, read: Encoded, findings: FindingList, *, within: int) -> None:
    """Note an ERROR for each name that an object in `written` gives more than once; `read` is its value."""
    for repeated in repeated_names(written, read, within=within):
        findings.error(repeated.path, list(repeated.values), repeated.words)


def _nulls(value: Any, at: Path) -> list[Path]:
    if value is None:
        return [at]
    if isinstance(value, dict):
        # A geometry says itself what is wrong with it; extensions may hold anything.
        names = [name for name in value if name not in ("extensions", "geometry", "coordinates")]
        return [path for name in names for path in _nulls(value[name], (*at, name))]
    if isinstance(value, list):
        return [path for index, item in enumerate(value) for path in _nulls(item, (*at, index))]
    return []


def _value_of(item: ErrorDetails) -> Any:
    return MISSING if item["type"] == "missing" else item["input"]


def _remedy(item: ErrorDetails) -> str:
    field = next((step for step in reversed(item["loc"]) if isinstance(step, str)), "")
    kind = item["type"]
    if kind == "extra_forbidden":
        return unknown_field_remedy(field)
    if kind in _FORMATS or (kind == "too_short" and field in _BY_FIELD):
        return _remedy_for_format(field, item)
    if kind == "bad_time_zone":
        return _remedy_for_time_zone(str(item["input"]))
    if kind.startswith(("greater_than", "less_than")):
        return f"{item['msg'].replace('Input should be', 'It must be')}."
    return _BY_TYPE.get(kind, f"{item['msg']}.")


def _remedy_for_format(field: str, item: ErrorDetails) -> str:
    if field in _BY_FIELD:
        return _BY_FIELD[field]
    if item["type"] == "literal_error":
        return f"Use one of {item['ctx']['expected']}."
    if item["type"] == "bad_format":
        return _LOCAL if field.endswith("_local") else _INSTANT
    if item["type"] == "bool_type":
        return _BY_TYPE["bool_type"]
    if field.endswith(("_id", "_ids")) or field == "used_by":
        return "An id has 1 to 128 of A-Z, a-z, 0-9 and . _ : - (no spaces)."
    return "A text holds no control characters, as tabs or line breaks."


def unknown_field_remedy(field: str) -> str:
    """What to do about a field that no form knows here."""
    near = difflib.get_close_matches(field[:64], field_names(), n=1, cutoff=0.75)
    if near and near[0] != field:
        return f"Unknown field; did you mean {near[0]}?"
    return "Unknown field here: remove it, or put it under the record's extensions."


def _remedy_for_time_zone(name: str) -> str:
    near = difflib.get_close_matches(name[:64], time_zone_names(), n=1, cutoff=0.6)
    return f"Use an IANA time zone{f', as {near[0]}' if near else ', as America/Phoenix'}."


@cache
def field_names() -> tuple[str, ...]:
    """Every field name of an orders file."""
    schema = OrdersFileForm.model_json_schema()
    names = {"coordinates", *schema["properties"]}
    for definition in schema["$defs"].values():
        names |= definition.get("properties", {}).keys()
    return tuple(sorted(names))
