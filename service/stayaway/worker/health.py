"""Whether a matcher lives and works, over HTTP on the loopback: /health/live, /health/ready, /metrics.

Live: the loop goes round. Not live means: end this process and start another; nothing is lost by
it. Ready: every condition of work holds; otherwise each reason is named with its code.
"""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stayaway.platform.postgres import UNREACHABLE
from stayaway.platform.serving import LOOPBACK, LoopServer
from stayaway.worker.loop import MatcherWorker

_STUCK_AFTER_S = 60.0
_PROBE_S = 2.0
_PROBE_KEPT_S = 1.0
_STOP_S = 1.0
_NO_ANSWER = (*UNREACHABLE, asyncpg.PostgresError)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a closed code, and words without any value of an event or order."""

    code: str
    detail: str


class Health:
    """Looks at a running worker. `policy_file`: what it was started with; a start needs it again."""

    def __init__(self, worker: MatcherWorker, policy_file: Path | None = None) -> None:
        self._worker = worker
        self._policy_file = policy_file
        self._policy_sha256 = None if policy_file is None else _sha256(policy_file)
        self._probe = _Probe(worker.settings.dsn)

    def not_live(self) -> list[Reason]:
        """Empty while the loop goes round. A server that stays away is waited for, within the limit."""
        limit_s = 2 * self._worker.settings.wait_s + _STUCK_AFTER_S
        since_s = self._worker.since_turn_s()
        if since_s <= limit_s:
            return []
        return [Reason("LOOP_STUCK", f"The loop has not gone round for {since_s:.0f} s.")]

    async def not_ready(self) -> list[Reason]:
        """Empty where reads are judged; else every reason."""
        found = [*self.not_live(), *self._policy()]
        if not await self._probe.answers():
            found.append(Reason("DATABASE_UNREACHABLE", "Postgres does not answer a new connection."))
        if not self._worker.began:
            return [*found, Reason("STARTING", "The servers are waited for, or the registry is loaded.")]
        if self._worker.is_out_of_touch:
            age_s = self._worker.registry_age_s()
            found.append(
                Reason("REGISTRY_OLD", f"Not the database's for {age_s:.0f} s: reads wait until it is again.")
            )
        return [*found, *self._partitions()]

    def _policy(self) -> list[Reason]:
        if self._policy_file is None:
            return []
        now = _sha256(self._policy_file)
        if now is None:
            return [Reason("POLICY_MISSING", "The policy file is gone: the next start would refuse.")]
        if now != self._policy_sha256:
            return [Reason("POLICY_CHANGED", "The policy file is not the one in use: restart to use it.")]
        return []

    def _partitions(self) -> list[Reason]:
        assignment = self._worker.assignment
        found = [
            Reason("PARTITION_HELD", f"{topic}/{partition}: {reason}")
            for (topic, partition), reason in sorted(assignment.held.items())
        ]
        given = {(where.topic, where.partition) for where in assignment.consumer.assignment()}
        if not given:
            found.append(Reason("NO_PARTITIONS", "The group gave this matcher none."))
        waiting = len(given - assignment.states.keys() - assignment.held.keys())
        if waiting:
            found.append(Reason("PARTITIONS_UNCLAIMED", f"{waiting} wait for their claim."))
        return found

    def metrics(self) -> bytes:
        """Prometheus' text, as of this moment."""
        self._worker.show()
        return self._worker.metrics.render()


class _Probe:
    """Asks the database over a connection of its own, at most once a second."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = asyncio.Lock()
        self._asked_at: float | None = None
        self._answered = False

    async def answers(self) -> bool:
        """Whether it answers."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._asked_at is None or loop.time() - self._asked_at > _PROBE_KEPT_S:
                self._answered = await self._ask()
                self._asked_at = loop.time()
            return self._answered

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_S):
                connection = await asyncpg.connect(self._dsn)
                try:
                    return bool(await connection.fetchval("SELECT true"))
                finally:
                    connection.terminate()
        except _NO_ANSWER:
            return False


def _sha256(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


def answer(reasons: list[Reason], good: str) -> JSONResponse:
    """200 without reasons, else 503 with them."""
    body = {
        "status": f"not {good}" if reasons else good,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in reasons],
    }
    return JSONResponse(body, 503 if reasons else 200, {"cache-control": "no-store"})


def health_app(health: Health) -> Starlette:
    """The three pages; they answer to this machine's names only."""

    async def live(_request: Request) -> Response:
        return answer(health.not_live(), "live")

    async def ready(_request: Request) -> Response:
        return answer(await health.not_ready(), "ready")

    async def metrics(_request: Request) -> Response:
        return Response(health.metrics(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])],
    )


@asynccontextmanager
async def serve_health(
    health: Health, listener: socket.socket, on_listening: Callable[[str], None]
) -> AsyncIterator[None]:
    """Serve for the length of the block. `on_listening` gets the address."""
    config = uvicorn.Config(
        health_app(health),
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        server_header=False,
        limit_concurrency=32,
        h11_max_incomplete_event_size=16_384,
    )
    server = LoopServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    on_listening(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await task
        listener.close()
