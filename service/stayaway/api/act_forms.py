"""The JSON forms of acts on orders and of approvals, v1; input is strict."""

from typing import Annotated, Any, Literal

from pydantic import Field

from stayaway.api.forms import Input
from stayaway.kernel.errors import RefusedError
from stayaway.kernel.forms import Instant, Text
from stayaway.orders.questions import Answer, ApprovalStatement
from stayaway.orders.wire import MAX_VERSION

NoticeKindName = Literal["PERSONAL", "IN_COURT", "OFFICER_VERBAL", "MAIL", "SUBSTITUTE", "PUBLICATION"]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class ActForm(Input):
    """One act on an order; when it became known is when it is sent."""

    unusual_accepted: Annotated[
        bool, Field(description="It is so, though an answer has called it unusual; recorded with the act.")
    ] = False

    def to_fields(self) -> dict[str, Any]:
        """The fields as orders.v1 has them."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"unusual_accepted"})


class NoticeForm(ActForm):
    """One respondent was told of one version."""

    order_version: VersionNumber
    respondent_id: Annotated[str, Field(max_length=128)]
    kind: NoticeKindName
    noticed_at: Instant


class RecallForm(ActForm):
    """The court took the order back; `void`: from the beginning."""

    recalled_at: Instant
    reason_text: Text
    void: bool | None = None


class SuspensionForm(ActForm):
    """A pause with a reason and an end."""

    from_at: Instant
    until_at: Instant
    reason_text: Text


class ValidationForm(ActForm):
    """The entry was compared with `source_text`, such as the court's docket."""

    validated_at: Instant
    source_text: Text


class AnswerForm(Input):
    """The answer to one question of the preview."""

    question_id: Annotated[str, Field(min_length=1, max_length=160)]
    answer: Literal["YES", "NO"]
    reason_text: Annotated[str, Field(max_length=512)] = ""


class ConfirmationForm(Input):
    """A second person behind an emergency entry retypes case number and expiry."""

    case_number: Annotated[str, Field(max_length=512)]
    expiry: Annotated[
        str, Field(max_length=40, description="As 2028-01-05, 2028-01-05T17:00:00Z, P2Y or none.")
    ]


class ApprovalForm(ConfirmationForm):
    """What the approver states. `emergency_reason_text`: put it in force alone, where policy allows."""

    answers: Annotated[list[AnswerForm], Field(max_length=2_000)] = Field(default_factory=list)
    emergency_reason_text: Annotated[str, Field(min_length=1, max_length=512)] | None = None

    def to_statement(self) -> ApprovalStatement:
        """As the approval takes it. RefusedError for two answers to one question."""
        answers: dict[str, Answer] = {}
        for index, item in enumerate(self.answers):
            if item.question_id in answers:
                raise RefusedError([(("answers", index), "This question was answered twice.")])
            answers[item.question_id] = Answer(answer=item.answer, reason_text=item.reason_text)
        return ApprovalStatement(case_number=self.case_number, expiry=self.expiry, answers=answers)
