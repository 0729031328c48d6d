"""How a request's body is read: as strict JSON in which no name stands twice."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from stayaway.kernel.errors import RefusedError
from stayaway.kernel.jsontext import NotJsonError
from stayaway.kernel.repeated import parse_telling_repeats


class StrictRoute(APIRoute):
    """A route that refuses a body of which two readers could make two acts.

    FastAPI alone takes the last of two values under one name, and NaN.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the check of its body."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def check_and_handle(request: Request) -> Response:
            check_body(await request.body())
            return await handle(request)

        return check_and_handle


def check_body(body: bytes) -> None:
    """Raise RefusedError for names that stand more than once, RequestValidationError for what is no JSON.

    Nothing at all is the route's business.
    """
    if not body:
        return
    try:
        _, repeated = parse_telling_repeats(body)
    except NotJsonError as error:
        what = {"type": "json_invalid", "loc": ("body",), "msg": f"It cannot be read as JSON: {error}"}
        raise RequestValidationError([what]) from error
    if repeated:
        raise RefusedError([(item.path, item.words) for item in repeated])
