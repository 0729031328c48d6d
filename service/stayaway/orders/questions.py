"""What the approver must answer before a version may be recorded (pure).

These facts cannot be derived from the data, and a wrong guess about them hurts somebody: a parent
stopped at the exchange that the court ordered, a protected person stopped in her own car.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from stayaway.kernel.errors import RefusedError
from stayaway.kernel.instants import format_instant
from stayaway.orders.model import OrderException, OrderVersion, Zone
from stayaway.orders.open_exceptions import counts_from, excepts_anything, is_for, open_exceptions
from stayaway.orders.relief import find_wider

YesNo = Literal["YES", "NO"]
Problem = tuple[tuple[str | int, ...], str]
CUSTODY_CONDITION = "06"
"""NCIC PCO 06: the respondent has visitation or custody rights (DOMAIN.md, "condition")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `allowed`: the answers that let the version pass; `reason_on`: those that must
    give a reason; `asked_if`: only where another question was answered so.
    """

    question_id: str
    text: str
    allowed: tuple[YesNo, ...] = ("YES", "NO")
    reason_on: tuple[YesNo, ...] = ()
    asked_if: tuple[str, YesNo] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the approver says, recorded with the approval."""

    answer: YesNo
    reason_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStatement:
    """What the approver sends: the case number and the expiry retyped, and the answers by question id."""

    case_number: str
    expiry: str
    answers: Mapping[str, Answer]


def questions(version: OrderVersion, before: OrderVersion | None) -> tuple[Question, ...]:
    """Every question about `version` that is open where `before` (None: no version counts) stood."""
    return (
        *_custody(version),
        *_mutual(before),
        *_relief(version, before),
        *(question for zone in changed_zones(version, before) for question in _zone(zone, version)),
    )


def _custody(version: OrderVersion) -> list[Question]:
    if CUSTODY_CONDITION not in version.conditions or excepts_anything(version):
        return []
    text = (
        "The court gave the respondent visitation or custody rights (PCO 06) and the draft has no exception"
        " that can still apply. Are there exceptions? If so, enter them in the draft. If there are none,"
        " answer NO and say why."
    )
    return [Question(question_id="exceptions", text=text, allowed=("NO",), reason_on=("NO",))]


def _mutual(before: OrderVersion | None) -> list[Question]:
    """18 USC 2265(c): a mutual order is owed no full faith and credit against the petitioner without
    a petition of the respondent's own and specific findings.
    """
    if before is not None:
        return []
    return [
        Question(
            question_id="mutual",
            text="Is this one of two orders that bind both parties against each other (a mutual order)?",
        ),
        Question(
            question_id="mutual-petition-and-findings",
            text="Did the party protected by this order file a petition of their own, and did the court make"
            " findings for each party (18 USC 2265(c))? Without them it may bind in no other jurisdiction:"
            " answer NO only to enter it all the same, and say why.",
            reason_on=("NO",),
            asked_if=("mutual", "YES"),
        ),
    ]


def _relief(version: OrderVersion, before: OrderVersion | None) -> list[Question]:
    """Relief binds without notice, so it must not restrict anybody further."""
    if not version.relief or before is None:
        return []
    text = (
        "The draft is marked as relief: it binds before the respondent is told. Does every change only lift"
        " or narrow restrictions? If not, remove the mark in the draft."
    )
    wider = "; ".join(item.text for item in find_wider(version, before))
    if not wider:
        return [Question(question_id="relief", text=text, allowed=("YES",))]
    text += f" It looks wider than version {before.version}: {wider}. If YES all the same, say why."
    return [Question(question_id="relief", text=text, allowed=("YES",), reason_on=("YES",))]


def _zone(zone: Zone, version: OrderVersion) -> list[Question]:
    covered = any(is_for(item, zone) for item in open_exceptions(version, counts_from(version)))
    reason_on: tuple[YesNo, ...] = () if covered else ("YES",)
    remedy = "" if covered else " If so, enter an exception in the draft, or say why none is needed."
    return [
        Question(
            question_id=f"through-road/{zone.zone_id}",
            text=f"Does zone {zone.zone_id} touch a through road that the respondent may use?{remedy}",
            reason_on=reason_on,
        ),
        Question(
            question_id=f"own-place/{zone.zone_id}",
            text=f"Does zone {zone.zone_id} cover the respondent's own home or workplace?{remedy}",
            reason_on=reason_on,
        ),
    ]


def changed_zones(version: OrderVersion, before: OrderVersion | None) -> tuple[Zone, ...]:
    """The zones that are new or drawn anew, whose exceptions are others, or that bind others.

    What was answered for one respondent's home, or beside an exception for the road, holds for no other.
    """
    if before is None:
        return version.zones
    if _bound(version) != _bound(before):
        return version.zones
    begin = counts_from(version)
    now, then = open_exceptions(version, begin), open_exceptions(before, begin)
    known = {zone.zone_id: (zone.shape.sha256, _terms(zone, then)) for zone in before.zones}
    return tuple(
        zone for zone in version.zones if known.get(zone.zone_id) != (zone.shape.sha256, _terms(zone, now))
    )


def _bound(version: OrderVersion) -> set[tuple[str | None, ...]]:
    """Whom the version binds, and by which vehicles and devices they are known."""
    return {
        found
        for respondent in version.respondents
        for found in (
            (respondent.respondent_id,),
            *((respondent.respondent_id, vehicle.plate, vehicle.region) for vehicle in respondent.vehicles),
            *((respondent.respondent_id, device_id) for device_id in respondent.device_ids),
        )
    }


def _terms(zone: Zone, exceptions: Iterable[OrderException]) -> frozenset[Any]:
    """When and where the exceptions for this zone apply, whatever they are called."""
    return frozenset((frozenset(item.windows), item.place) for item in exceptions if is_for(item, zone))


def content_lacks(version: OrderVersion) -> list[Problem]:
    """What must be answered in the draft itself: who uses each vehicle.

    A protected person's own use keeps a vehicle from raising alerts at that person's zones; nobody
    but the clerk can ask, and an empty list says that it was asked.
    """
    return [
        (
            ("order", "respondents", place, "vehicles", index, "used_by"),
            f"Does a protected person use vehicle {vehicle.vehicle_id}? Name them; an empty list: nobody.",
        )
        for place, respondent in enumerate(version.respondents)
        for index, vehicle in enumerate(respondent.vehicles)
        if vehicle.used_by is None
    ]


def expiry_text(version: OrderVersion) -> str:
    """The expiry as the approver types it: 2028-01-05, an instant, P2Y, or none."""
    expiry = version.expiry
    if expiry.at is not None:
        return format_instant(expiry.at)
    if expiry.on is not None:
        return expiry.on.isoformat()
    if expiry.after_notice is not None:
        count, unit = expiry.after_notice
        return f"P{count}{unit}"
    return "none"


def check_typed(version: OrderVersion, case_number: str, expiry: str) -> list[Problem]:
    """Where what was retyped differs from the version; neither is repeated in the words."""
    problems: list[Problem] = []
    if case_number.strip() != version.case_number.strip():
        problems.append((("case_number",), "It is not the case number of this version: look at the papers."))
    if expiry.strip() != expiry_text(version):
        problems.append(
            (
                ("expiry",),
                "It is not the expiry of this version. Type 2028-01-05, 2028-01-05T17:00:00Z, P2Y or none.",
            )
        )
    return problems


def check_answers(asked: tuple[Question, ...], answers: Mapping[str, Answer]) -> list[Problem]:
    """What is missing or not allowed among the answers, and what nobody asked."""
    problems: list[Problem] = []
    for question in asked:
        answer = answers.get(question.question_id)
        path = ("answers", question.question_id)
        if not _is_asked(question, answers):
            continue
        if answer is None:
            problems.append((path, f"Not answered: {question.text}"))
        elif answer.answer not in question.allowed:
            problems.append((path, f"With {answer.answer} it cannot be approved: {question.text}"))
        elif answer.answer in question.reason_on and not answer.reason_text.strip():
            problems.append((path, f"{answer.answer} needs a reason: {question.text}"))
    known = {question.question_id for question in asked if _is_asked(question, answers)}
    problems += [(("answers", name), "Nobody asked this.") for name in answers if name not in known]
    return problems


def _is_asked(question: Question, answers: Mapping[str, Answer]) -> bool:
    if question.asked_if is None:
        return True
    name, wanted = question.asked_if
    given = answers.get(name)
    return given is not None and given.answer == wanted


def require_statement(version: OrderVersion, before: OrderVersion | None, stated: ApprovalStatement) -> None:
    """RefusedError with everything that keeps `version` from being approved on this statement."""
    problems = [
        *content_lacks(version),
        *check_typed(version, stated.case_number, stated.expiry),
        *check_answers(questions(version, before), stated.answers),
    ]
    if problems:
        raise RefusedError(problems, "Nothing was recorded: answer it, or have the draft corrected.")
