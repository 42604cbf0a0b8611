"""Liveness, readiness and metrics of an API process. Kafka is not asked: with it down we still take work."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from bellwether_kit.http.problems import ProblemError
from bellwether_kit.http.runtime import Runtime, runtime_of


def health_router(registry: CollectorRegistry) -> APIRouter:
    """Make the routes that probes and Prometheus call; they need no token."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @routes.get("/health/ready")
    async def ready(request: Request) -> dict[str, Any]:
        checks = await _checks(runtime_of(request))
        if any(state != "ok" for state in checks.values()):
            raise ProblemError(
                503, "not-ready", "Send requests elsewhere.", headers={"Retry-After": "1"}, checks=checks
            )
        return {"status": "ready", "checks": checks}

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _checks(runtime: Runtime) -> dict[str, str]:
    if runtime.draining:
        return {"process": "stopping"}
    try:
        await runtime.database.ping()
    except (SQLAlchemyError, OSError) as error:
        return {"database": f"no answer ({type(error).__name__})"}
    return {"database": "ok", "outbox": "too old" if await runtime.backlog.too_old() else "ok"}


@contextmanager
def readiness_off_on_sigterm(runtime: Runtime) -> Iterator[None]:
    """Turn readiness off the moment SIGTERM arrives; the server's own handler runs after ours.

    Only where a server has put a handler in place, and only in the main thread, where Python allows it.
    """
    server: Any = signal.getsignal(signal.SIGTERM)
    if not callable(server) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        runtime.draining = True
        server(number, frame)

    handler: Callable[[int, Any], None] = stop
    signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server)
