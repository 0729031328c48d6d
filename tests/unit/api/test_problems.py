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
        (asyncpg.TooManyConnectionsError("x"), 503),
        (asyncpg.DiskFullError("x"), 503),
        (asyncpg.DeadlockDetectedError("x"), 503),
        (asyncpg.LockNotAvailableError("x"), 503),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    problem = problem_of(error, may_act=True)
    assert problem is not None
    assert problem.status == status
    assert problem.response().headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_no_problem_of_ours() -> None:
    assert problem_of(KeyError("8AK871"), may_act=True) is None


def test_missing_statements_are_named_by_field() -> None:
    problem = problem_of(
        ActRefusedError([("sight", "Say how."), ("second_look", "Look again.")]), may_act=True
    )
    assert problem is not None
    assert [item.pointer for item in problem.problems] == ["/sight", "/second_look"]


def test_a_bad_value_is_not_repeated() -> None:
    details = [{"loc": ("body", "sight"), "msg": "Input should be 'IMAGE'", "input": "8AK871", "type": "x"}]
    problem = problem_of(RequestValidationError(details), may_act=True)
    assert problem is not None
    assert "8AK871" not in bytes(problem.response().body).decode()
    assert problem.problems[0].pointer == "/sight"


def test_a_broken_connection_is_not_called_nothing_recorded() -> None:
    """An answer to COMMIT is lost with it now and then, when all is recorded."""
    act, look = (problem_of(ConnectionResetError(), may_act=may_act) for may_act in (True, False))
    assert act is not None
    assert look is not None
    assert "not known whether this was recorded" in act.detail
    assert "recorded" not in f"{act.remedy}{look.detail}{look.remedy}"
