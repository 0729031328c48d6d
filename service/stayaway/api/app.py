"""The application that pages and JSON routes are put into."""

from collections.abc import Callable

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Lifespan

from stayaway.api.address import refuse_unknown_parameters
from stayaway.api.alerts import alerts_router
from stayaway.api.guard import Guard
from stayaway.api.health import NotReady, health_router
from stayaway.api.order_drafts import order_drafts_router
from stayaway.api.orders import orders_router
from stayaway.api.problems import Problem, problem_of
from stayaway.api.settings import ReviewSettings
from stayaway.api.zone_files import zone_files_router
from stayaway.kernel.errors import StayawayError
from stayaway.platform.logging import get_logger
from stayaway.platform.postgres import BUSY, UNREACHABLE

PageOfProblem = Callable[[Request, Problem], Response]


def create_api(
    settings: ReviewSettings,
    *,
    page_of_problem: PageOfProblem | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    also_not_ready: NotReady | None = None,
) -> FastAPI:
    """The JSON interface behind the guard. `page_of_problem` draws errors for what is no /api/ path."""
    app = FastAPI(
        title="stayaway review",
        version="1",
        description="Unverified leads, judged by people; the registry of orders behind them. Loopback only.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    routers = (
        alerts_router(settings),
        orders_router(settings),
        order_drafts_router(settings),
        zone_files_router(),
    )
    for router in routers:
        app.include_router(router, dependencies=[Depends(refuse_unknown_parameters)])
    app.include_router(health_router(settings, also_not_ready))

    async def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error, may_act=request.method not in ("GET", "HEAD"))
        assert problem is not None
        if problem.status >= 500:
            tell_failure(error)
        if page_of_problem is None or request.url.path.startswith("/api/"):
            return problem.response()
        return page_of_problem(request, problem)

    for kind in (StayawayError, RequestValidationError, HTTPException, *UNREACHABLE, *BUSY):
        app.add_exception_handler(kind, answer)
    app.add_middleware(Guard, on_failure=tell_failure)
    return app


def tell_failure(error: BaseException) -> None:
    """Log an error by its type and our code's places; never its words, which may hold values."""
    get_logger().error("request failed", exc_info=error)
