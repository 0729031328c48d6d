"""The JSON forms of order drafts, v1."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from stayaway.api.approval_forms import ApprovalItem
from stayaway.api.forms import Input
from stayaway.kernel.instants import format_instant
from stayaway.kernel.jsontext import json_pointer
from stayaway.orders.approval import Approval, Behind
from stayaway.orders.draft import DraftCheck, OrderDraft
from stayaway.orders.findings import Finding, has_errors
from stayaway.orders.preview import Preview
from stayaway.orders.questions import Problem, content_lacks


class DraftForm(Input):
    """A draft's content: one record of orders.v1 without `version` and `recorded_at`, right or wrong."""

    order: Annotated[
        dict[str, Any], Field(description="As an item of `orders` in orders.v1.json, `order_id` at least.")
    ]


class WithdrawForm(Input):
    """Nothing to say: the draft is closed without being approved."""


class DraftItem(BaseModel):
    """One draft of a list. `etag` goes back as If-Match with every act on it."""

    draft_number: int
    order_id: str
    version: int
    state: str
    author: str
    writers: list[str]
    created_at: str
    changed_at: str
    etag: str

    @classmethod
    def of(cls, draft: OrderDraft) -> Self:
        """`draft` in short."""
        return cls(
            draft_number=draft.draft_number,
            order_id=draft.order_id,
            version=draft.version,
            state=draft.state,
            author=draft.author,
            writers=list(draft.writers),
            created_at=format_instant(draft.created_at),
            changed_at=format_instant(draft.changed_at),
            etag=draft.etag,
        )


class DraftDetail(DraftItem):
    """One draft with its content, and with its approval once it has one."""

    order: dict[str, Any]
    approval: ApprovalItem | None

    @classmethod
    def of_draft(cls, draft: OrderDraft, approval: Approval | None = None) -> Self:
        """`draft` on the wire."""
        return cls(
            **DraftItem.of(draft).model_dump(),
            order=dict(draft.content),
            approval=ApprovalItem.of(Behind(approval, None)) if approval else None,
        )


class DraftList(BaseModel):
    """A page of drafts, newest first; `next` is the next page's address."""

    drafts: list[DraftItem]
    next: str | None


class FindingItem(BaseModel):
    """One thing wrong; `pointer` is a JSON Pointer into the draft's `order`."""

    severity: str
    pointer: str
    value: str
    remedy: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """`finding` on the wire."""
        return cls(
            severity=finding.severity, pointer=finding.pointer, value=finding.value, remedy=finding.remedy
        )


class LackItem(BaseModel):
    """What must be answered in the draft itself."""

    pointer: str
    detail: str

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """`problem` on the wire."""
        path, text = problem
        return cls(pointer=json_pointer(*path), detail=text)


class CheckAnswer(BaseModel):
    """What the checks say of a draft. With `lacks` it has no error, but no approval takes it as it is.

    `not_checked`: what could not be checked, in words: no finding about it does not mean that all is well.
    """

    draft: DraftItem
    has_errors: bool
    findings: list[FindingItem]
    lacks: list[LackItem]
    not_checked: list[str]

    @classmethod
    def of(cls, draft: OrderDraft, check: DraftCheck) -> Self:
        """On the wire."""
        return cls(
            draft=DraftItem.of(draft),
            has_errors=has_errors(check.findings),
            findings=[FindingItem.of(item) for item in check.findings],
            lacks=[LackItem.of(item) for item in content_lacks(check.value)] if check.value else [],
            not_checked=list(check.not_checked),
        )


class QuestionItem(BaseModel):
    """What the approver must answer. `allowed`: answers that let it pass; `reason_on`: those that need
    a reason; `asked_if`: only where that question was answered so.
    """

    question_id: str
    text: str
    allowed: list[str]
    reason_on: list[str]
    asked_if: list[str] | None


class FieldChange(BaseModel):
    """One field before and after."""

    name: str
    before: Any
    after: Any


class DifferenceItem(BaseModel):
    """One thing that the draft changes."""

    what: str
    subject: str
    change: str
    fields: list[FieldChange]


class PreviewAnswer(BaseModel):
    """What approving the draft would change. `places` is GeoJSON; `before`: the version that counts now, and
    `before_approval` who stands behind that.

    `not_checked`: what could not be checked, in words.
    """

    draft: DraftItem
    version: int
    before: int | None
    before_approval: ApprovalItem | None
    places: dict[str, Any]
    vertices: int
    differences: list[DifferenceItem]
    questions: list[QuestionItem]
    lacks: list[LackItem]
    findings: list[FindingItem]
    not_checked: list[str]

    @classmethod
    def of(cls, draft: OrderDraft, check: DraftCheck, preview: Preview) -> Self:
        """On the wire."""
        return cls(
            draft=DraftItem.of(draft),
            version=preview.version.version,
            before=preview.before.version if preview.before else None,
            before_approval=ApprovalItem.of(preview.behind) if preview.behind else None,
            places=preview.places,
            vertices=preview.vertices,
            differences=[
                DifferenceItem(
                    what=item.what,
                    subject=item.subject,
                    change=item.change,
                    fields=[FieldChange(name=name, before=old, after=new) for name, old, new in item.fields],
                )
                for item in preview.differences
            ],
            questions=[
                QuestionItem(
                    question_id=item.question_id,
                    text=item.text,
                    allowed=list(item.allowed),
                    reason_on=list(item.reason_on),
                    asked_if=list(item.asked_if) if item.asked_if else None,
                )
                for item in preview.questions
            ],
            lacks=[LackItem.of(item) for item in preview.lacks],
            findings=[FindingItem.of(item) for item in check.findings],
            not_checked=list(check.not_checked),
        )
