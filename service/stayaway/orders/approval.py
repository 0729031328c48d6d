"""Who stands behind a version of an order: writers, approver, and what the approver answered (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ApprovalKind = Literal["SECOND_PERSON", "EMERGENCY"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """What the approver said to one question, with its words as they were asked then."""

    question_id: str
    text: str
    answer: str
    reason_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """How a draft was put in force. EMERGENCY: by one person alone until `until_at`, unless `confirmed_at`.

    `typed`: the case number and the expiry as the approver typed them. `reason_text`: why an emergency
    could wait for nobody.
    """

    kind: ApprovalKind
    version: int
    draft_number: int
    writers: tuple[str, ...]
    approver: str
    approved_at: datetime
    until_at: datetime | None
    confirmed_at: datetime | None
    reason_text: str | None
    typed: Mapping[str, str]
    answers: tuple[RecordedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """Who stands behind a version. `approval`: None where it came with a file; then `over` is that of the
    latest earlier version that was approved here, if any was.
    """

    approval: Approval | None
    over: Approval | None


def stands_behind(version: int, approvals: Mapping[int, Approval]) -> Behind:
    """Who stands behind that version of an order; `approvals`: of all its versions, by version."""
    if version in approvals:
        return Behind(approvals[version], None)
    earlier = max((number for number in approvals if number < version), default=None)
    return Behind(None, None if earlier is None else approvals[earlier])
