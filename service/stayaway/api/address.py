"""What a request's address says: only what the route knows, each once, numbers as plain digits."""

import re
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.requests import Request

_DIGITS: Final = re.compile(r"0|[1-9][0-9]*", re.ASCII)


def _read_digits(value: Any) -> Any:
    # pydantic alone takes "1.0", "1_0", "+1" and " 1" for the number 1.
    if isinstance(value, str) and _DIGITS.fullmatch(value) is None:
        raise PydanticCustomError("whole_number", "Input should be a whole number in plain digits")
    return value


PLAIN_DIGITS: Final = BeforeValidator(_read_digits)
"""For a whole number in a path or a query, last in its Annotated: no sign, no leading zeros."""


async def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of every route of ours: a parameter that is unknown or stands twice is not passed over.

    Raises RequestValidationError that names the known ones.
    """
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    words = f"Known here: {', '.join(known)}" if known else "No parameter is known here"
    problems = [
        {"type": "unknown_parameter", "loc": ("query", name), "msg": f"{words}; leave this one out"}
        for name in dict.fromkeys(given)
        if name not in known
    ]
    problems += [
        {"type": "repeated_parameter", "loc": ("query", name), "msg": "It stands here more than once"}
        for name in known
        if given.count(name) > 1
    ]
    if problems:
        raise RequestValidationError(problems)
