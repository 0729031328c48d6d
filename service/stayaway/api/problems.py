"""Errors as RFC 9457 problem details; they say what to do and repeat nothing that was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from stayaway.alerts.review_model import ActRefusedError
from stayaway.api.session import ForeignFormError
from stayaway.kernel.errors import (
    ConflictError,
    LooklessError,
    NoTagError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    SettingsError,
    StaleError,
    StayawayError,
)
from stayaway.kernel.forms import REMEDIES
from stayaway.kernel.jsontext import json_pointer
from stayaway.platform.postgres import BUSY, UNREACHABLE

_REMEDIES = {
    **REMEDIES,
    "extra_forbidden": "Unknown field: leave it out.",
    "model_attributes_type": REMEDIES["model_type"],
}
_HTTP_REMEDIES = {
    400: "Send one JSON object in UTF-8, nested less deep.",
    404: "/api/v1/openapi.json lists what there is.",
    405: "/api/v1/openapi.json lists what each address takes.",
}
MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One field's problem; `pointer` is a JSON Pointer into what was sent."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """RFC 9457. `remedy` and `problems` are extension members."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(default="about:blank", description="urn:stayaway:problem:NAME, or about:blank.")
    title: str
    status: int
    detail: str = ""
    remedy: str = ""
    problems: list[FieldProblem] = Field(default_factory=list)

    def response(self) -> JSONResponse:
        """As an HTTP response; empty members are left out."""
        body = {name: value for name, value in self.model_dump().items() if value not in ("", [])}
        return JSONResponse(body, status_code=self.status, media_type=MEDIA_TYPE)


_OWN: tuple[tuple[type[StayawayError], str, str, int], ...] = (
    (ActRefusedError, "act-refused", "The act lacks something.", 422),
    (RefusedError, "refused", "Something in it does not hold.", 422),
    (NotAllowedError, "not-allowed", "This person may not do that.", 403),
    (LooklessError, "precondition-required", "Say which state you decided on.", 428),
    (NoTagError, "no-tag", "It names no edit that was looked at.", 412),
    (StaleError, "stale", "It changed since you looked at it.", 412),
    (NotFoundError, "not-found", "There is no such thing.", 404),
    (ConflictError, "conflict", "Somebody or something was first.", 409),
    (ForeignFormError, "foreign-form", "This form cannot be accepted.", 403),
    (SettingsError, "not-configured", "A setting is missing here.", 503),
    (StayawayError, "failed", "This cannot be done.", 500),
)


def problem_of(error: BaseException, *, may_act: bool) -> Problem | None:
    """The problem that `error` is to whoever asked; None for what nobody foresaw.

    `may_act`: whether the request may change something. Where the connection breaks nobody knows then
    whether it did: the answer to a COMMIT can be lost when all is recorded.
    """
    if isinstance(error, StayawayError):
        _, name, title, status = next(own for own in _OWN if isinstance(error, own[0]))
        return _own(error, name, title, status)
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        remedy = _HTTP_REMEDIES.get(error.status_code, "")
        return Problem(title=str(error.detail), status=error.status_code, remedy=remedy)
    if isinstance(error, UNREACHABLE):
        return Problem(
            type="urn:stayaway:problem:database",
            title="The database does not answer.",
            status=503,
            detail="It is not known whether this was recorded." if may_act else "",
            remedy="Wait a moment, load it again and look." if may_act else "Wait a moment and load again.",
        )
    if isinstance(error, BUSY):
        return Problem(
            type="urn:stayaway:problem:busy",
            title="The database has too much to do, or somebody is changing the same.",
            status=503,
            remedy="Try again in a moment; nothing was recorded.",
        )
    return None


def _own(error: StayawayError, name: str, title: str, status: int) -> Problem:
    problems: list[FieldProblem] = []
    if isinstance(error, ActRefusedError):
        problems = [FieldProblem(pointer=json_pointer(name), detail=text) for name, text in error.problems]
    elif isinstance(error, RefusedError):
        problems = [FieldProblem(pointer=json_pointer(*path), detail=text) for path, text in error.problems]
    return Problem(
        type=f"urn:stayaway:problem:{name}",
        title=title,
        status=status,
        detail=error.message,
        remedy=error.remedy,
        problems=problems,
    )


def _invalid(error: RequestValidationError) -> Problem:
    details: Sequence[Any] = error.errors()
    return Problem(
        type="urn:stayaway:problem:bad-request",
        title="The request does not have the form that it needs.",
        status=422,
        problems=[
            FieldProblem(pointer=json_pointer(*item["loc"][1:]), detail=f"{_words(item)} ({item['loc'][0]})")
            for item in details
        ],
        remedy="Correct it and send again; nothing was recorded.",
    )


def _words(item: Mapping[str, Any]) -> str:
    """What is wrong and what to do; of the value only its kind, for it may be a name or a plate."""
    remedy = _REMEDIES.get(item["type"])
    if remedy is None:
        return str(item["msg"])
    if item["type"] == "missing":
        return remedy
    return f"{remedy} Here stands {_kind(item.get('input'))}."


def _kind(value: Any) -> str:
    """The JSON kind of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = {str: "a text", int: "a whole number", float: "a number with decimals", list: "a list"}
    return kinds.get(type(value), "an object")
