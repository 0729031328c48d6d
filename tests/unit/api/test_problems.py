"""Errors as RFC 9457 problems that never repeat what was sent."""

import asyncpg
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from stayaway.alerts.review_model import ActRefusedError
from stayaway.api.problems import problem_of
from stayaway.kernel.errors import ConflictError, NotFoundError, StayawayError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("no"), 404),
        (ConflictError("no"), 409),
        (ActRefusedError([("sight", "Say how.")]), 422),
        (StayawayError("no"), 500),
        (HTTPException(404), 404),
        (ConnectionRefusedError(), 503),
        (asyncpg.InternalClientError("x"), 503),
        (asyncpg.AdminShutdownError("x"), 503),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert problem.status == status
    assert problem.response().headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_no_problem_of_ours() -> None:
    assert problem_of(KeyError("8AK871")) is None


def test_missing_statements_are_named_by_field() -> None:
    problem = problem_of(ActRefusedError([("sight", "Say how."), ("second_look", "Look again.")]))
    assert problem is not None
    assert [item.pointer for item in problem.problems] == ["/sight", "/second_look"]


def test_a_bad_value_is_not_repeated() -> None:
    details = [{"loc": ("body", "sight"), "msg": "Input should be 'IMAGE'", "input": "8AK871", "type": "x"}]
    problem = problem_of(RequestValidationError(details))
    assert problem is not None
    assert "8AK871" not in bytes(problem.response().body).decode()
    assert problem.problems[0].pointer == "/sight"
