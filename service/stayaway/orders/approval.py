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
