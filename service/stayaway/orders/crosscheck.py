"""What only shows when the records of a file are seen together."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from stayaway.kernel.jsontext import json_pointer
from stayaway.orders.findings import Finding, FindingList
from stayaway.orders.rawjson import instant_of, objects
from stayaway.orders.records import Draft, parse_record

_COMPARED = ("recorded_at", "version", "status", "order_version", "respondent_id")


def heading_of(raw: dict[str, Any]) -> dict[str, Any]:
    """What `check_across` looks at in a record: some fields as they came, and whom an order binds."""
    heading = {name: raw[name] for name in _COMPARED if isinstance(raw.get(name), str | int)}
    bound = [str(item.get("respondent_id")) for _, item in objects(raw, (), "respondents")]
    return {**heading, "respondents": bound} if bound else heading


def check_across(drafts: Sequence[Draft]) -> tuple[Finding, ...]:
    """Note repeated records and versions that contradict each other.

    Returned: what only the registry can tell, of records of orders, versions and respondents that the file
    does not have.
    """
    versions: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.kind == "VERSION" and draft.order_id is not None:
            versions[draft.order_id].append(draft)
    _check_repeats(drafts)
    for same_order in versions.values():
        _check_sequence([draft for draft in same_order if not draft.repeated])
    lone = (draft for draft in drafts if draft.kind != "VERSION" and draft.order_id is not None)
    return tuple(
        found for draft in lone for found in _unresolved(draft, versions.get(draft.order_id or "", []))
    )


def _check_repeats(drafts: Sequence[Draft]) -> None:
    first_of_digest: dict[tuple[str, bytes], Draft] = {}
    first_of_version: dict[tuple[str, int], Draft] = {}
    for draft in drafts:
        if draft.digest:
            first = first_of_digest.setdefault((draft.kind, draft.digest), draft)
            if first is not draft:
                draft.repeated = True
                draft.findings.warning(
                    (),
                    parse_record(draft.written),
                    f"The same record stands at {json_pointer(*first.path)}; this one counts for nothing.",
                )
                continue
        version = draft.whole("version")
        if draft.kind == "VERSION" and draft.order_id is not None and version is not None:
            first = first_of_version.setdefault((draft.order_id, version), draft)
            if first is not draft:
                draft.findings.error(
                    ("version",),
                    version,
                    f"{json_pointer(*first.path)} has this order and version with other content;"
                    " give it the next number.",
                )


def _unresolved(draft: Draft, versions: Sequence[Draft]) -> list[Finding]:
    noted = FindingList(draft.order_id, draft.path)
    if not versions:
        noted.warning(
            ("order_id",),
            draft.order_id,
            "No order of this file has this id; it applies if the registry has it.",
        )
    if not versions or draft.kind != "NOTICE":
        return noted.findings
    version, respondent = draft.whole("order_version"), draft.text("respondent_id")
    known = {other.whole("version") for other in versions}
    if version is not None and version not in known and None not in known:
        noted.warning(("order_version",), version, "This file does not have that version of the order.")
    if respondent is not None and respondent not in _respondents(versions):
        noted.warning(
            ("respondent_id",), respondent, "No version of the order in this file names that respondent."
        )
    return noted.findings


def _respondents(versions: Sequence[Draft]) -> set[str]:
    return {bound for draft in versions for bound in draft.heading.get("respondents", ())}


def _check_sequence(drafts: Sequence[Draft]) -> None:
    numbered = sorted((draft.whole("version") or 0, index) for index, draft in enumerate(drafts))
    for (_, before), (_, after) in pairwise(numbered):
        earlier, later = drafts[before], drafts[after]
        if earlier.text("status") == "ENTERED_IN_ERROR" and later.text("status") != "ENTERED_IN_ERROR":
            later.findings.warning(
                ("status",),
                later.text("status"),
                "The version before is ENTERED_IN_ERROR; with this one the order would alert again.",
            )
        recorded_before, recorded_after = (
            instant_of(draft.heading, "recorded_at") for draft in (earlier, later)
        )
        if recorded_before is not None and recorded_after is not None and recorded_after < recorded_before:
            later.findings.warning(
                ("recorded_at",),
                later.text("recorded_at"),
                "The version before was recorded later; check both.",
            )
