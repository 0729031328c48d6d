"""Who stands behind a version, v1: a feed's file, another person, or one person alone for now."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from stayaway.kernel.instants import format_instant
from stayaway.orders.approval import Behind


class AnswerItem(BaseModel):
    """What the approver said to one question, with its words as they were asked then."""

    question_id: str
    text: str
    answer: str
    reason_text: str


class ApprovalItem(BaseModel):
    """How a version came in force. FEED: with an orders file, whose court has its own approval; then
    `over_version` is the latest earlier version that people approved here, if any, by `over_approver`.
    """

    kind: Literal["SECOND_PERSON", "EMERGENCY", "FEED"]
    draft_number: int | None = None
    writers: list[str] = Field(default_factory=list)
    approver: str | None = None
    approved_at: str | None = None
    until_at: str | None = Field(
        default=None, description="EMERGENCY: when it lapses, unless it was confirmed before."
    )
    confirmed_at: str | None = None
    emergency_reason_text: str | None = None
    case_number: str | None = Field(default=None, description="As the approver typed it.")
    expiry: str | None = Field(default=None, description="As the approver typed it.")
    answers: list[AnswerItem] = Field(default_factory=list)
    over_version: int | None = None
    over_approver: str | None = None

    @classmethod
    def of(cls, behind: Behind) -> Self:
        """`behind` on the wire."""
        item, over = behind.approval, behind.over
        if item is None:
            if over is None:
                return cls(kind="FEED")
            return cls(kind="FEED", over_version=over.version, over_approver=over.approver)
        return cls(
            kind=item.kind,
            draft_number=item.draft_number,
            writers=list(item.writers),
            approver=item.approver,
            approved_at=format_instant(item.approved_at),
            until_at=format_instant(item.until_at) if item.until_at else None,
            confirmed_at=format_instant(item.confirmed_at) if item.confirmed_at else None,
            emergency_reason_text=item.reason_text,
            case_number=item.typed["case_number"],
            expiry=item.typed["expiry"],
            answers=[
                AnswerItem(
                    question_id=answer.question_id,
                    text=answer.text,
                    answer=answer.answer,
                    reason_text=answer.reason_text,
                )
                for answer in item.answers
            ],
        )
