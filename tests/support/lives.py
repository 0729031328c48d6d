"""Drafts, policies and answers for the tests of an order's life."""

import json
from typing import Any

from stayaway.access.registry_policy import RegistryPolicy, parse_registry_policy
from support.alert_seed import order

Json = dict[str, Any]
REGISTRY_POLICY: Json = {
    "schema": "registry_policy.v1",
    "policy_id": "r1",
    "emergency_single_approval_hours": 24,
    "emergency_kinds": ["EMERGENCY"],
    "validation_first_days": 90,
    "validation_then_days": 365,
    "validation_notice_days": 30,
}


def registry_policy(**changes: Any) -> RegistryPolicy:
    """The registry's policy of these tests, with `changes`."""
    return parse_registry_policy(json.dumps({**REGISTRY_POLICY, **changes}).encode())


def draft_content(order_id: str = "O1", **changes: Any) -> Json:
    """The seeded order as a draft's content: without what the registry assigns."""
    body = order(order_id, **changes)
    if "expires_at" in changes:
        del body["expires_on"]
    return {name: value for name, value in body.items() if name not in ("version", "recorded_at")}


def answers_to(questions: list[Json], **given: str) -> list[Json]:
    """NO to everything asked, with a reason where one is needed; `given` by the part before "/"."""
    found = []
    for question in questions:
        wanted = given.get(question["question_id"].split("/")[0], "NO")
        condition = question["asked_if"]
        if condition and given.get(condition[0], "NO") != condition[1]:
            continue
        answer = {"question_id": question["question_id"], "answer": wanted}
        reason = {"reason_text": "as the court found"} if wanted in question["reason_on"] else {}
        found.append(answer | reason)
    return found
