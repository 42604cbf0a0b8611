"""Building an API process: everything that the five services' APIs have in common, in one call."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from bellwether_kit.auth import KeySet, Verifier
from bellwether_kit.clock import Clock, clock_from
from bellwether_kit.db import Database
from bellwether_kit.errors import DomainError
from bellwether_kit.events.outbox import EventTooLarge
from bellwether_kit.http.backlog import Backlog
from bellwether_kit.http.gate import PROBES, Gate
from bellwether_kit.http.health import health_router, readiness_off_on_sigterm
from bellwether_kit.http.openapi import openapi_of
from bellwether_kit.http.problems import Errors, ProblemError, problem_response, translate
from bellwether_kit.http.ratelimit import Buckets
from bellwether_kit.http.routes import Route
from bellwether_kit.http.runtime import Runtime, runtime_of
from bellwether_kit.logging import configure_logging
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.telemetry import configure_tracing, new_registry


def build_api(
    *,
    service: str,
    title: str,
    description: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    errors: Errors,
    clock: Clock | None = None,
    database: Database | None = None,
    version: str = "1",
) -> FastAPI:
    """Build the API of ``service`` (``metrics-svc``).

    ``clock`` defaults to the one the settings name, ``database`` to one made from the settings. Raises
    TypeError for a route that was not made with ``router()`` or has no operation id.
    """
    clock = clock or clock_from(settings.clock_file)
    database = database or Database(settings, source=f"/{service}", clock=clock)
    runtime = _runtime(service, settings, clock, database, errors)
    registry = new_registry()
    app = FastAPI(
        title=title,
        description=description,
        version=version,
        routes=_routes(routers, registry),
        lifespan=_lifespan,
        redirect_slashes=False,
        redoc_url=None,
        telemetry=_traces(settings),
    )
    app.state.runtime = runtime
    app.state.settings, app.state.clock, app.state.database = settings, clock, database
    app.state.registry = registry
    app.add_middleware(Gate, runtime=runtime, registry=registry)
    for kind in (HTTPException, RequestValidationError, DomainError):
        app.add_exception_handler(kind, _answer_problem)
    for away in (OperationalError, InterfaceError, PoolExhausted):
        app.add_exception_handler(away, _answer_away)
    app.add_exception_handler(EventTooLarge, _answer_too_large)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]
    return app


def _traces(settings: ServiceSettings) -> TelemetryConfig:
    """One span per request, exported only when an endpoint is set; metrics and logs are our own."""
    return TelemetryConfig(
        tracing=settings.otlp_endpoint is not None,
        operation_spans=False,
        metrics=False,
        logs=False,
        auto_configure=False,
        exclude=lambda scope: scope["path"] in PROBES,
    )


def _runtime(service: str, settings: ServiceSettings, clock: Clock, database: Database, errors: Errors) -> Runtime:
    key = settings.cursor_key.get_secret_value().encode() if settings.cursor_key else secrets.token_bytes(32)
    return Runtime(
        service=service,
        settings=settings,
        clock=clock,
        database=database,
        errors=errors,
        verifier=Verifier(KeySet(settings.jwks), issuer=settings.jwt_issuer, audience=settings.jwt_audience),
        buckets=Buckets(settings.rate_per_second, settings.rate_burst),
        backlog=Backlog(database, limit=settings.backlog_limit_seconds, believed_for=settings.backlog_check_seconds),
        cursor_key=key,
    )


def _routes(routers: Sequence[APIRouter], registry: CollectorRegistry) -> list[BaseRoute]:
    """Lay all routes flat: included routers would be matched twice per request."""
    routes = [route for made in routers for route in made.routes]
    for route in routes:
        if not isinstance(route, Route):
            raise TypeError(f"{route}: make routes with bellwether_kit.http.router()")
        if not route.operation_id:
            raise TypeError(f"{route.path}: give the route an operation_id, verb-noun")
    return [*health_router(registry).routes, *routes]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Logs first, so that the rest can speak; the database last in and first out of what serves requests."""
    runtime: Runtime = app.state.runtime
    configure_logging(runtime.service, runtime.settings.log_level)
    tracing = configure_tracing(runtime.service, runtime.settings.otlp_endpoint)
    with readiness_off_on_sigterm(runtime):
        await runtime.database.open()
        try:
            yield
        finally:
            runtime.draining = True
            await runtime.joins.drain()
            await runtime.database.close()
            if tracing is not None:
                tracing.shutdown()


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = translate(error, runtime_of(request).errors)
    if problem is None:
        raise error  # a domain error that stands in no table is a defect of ours
    return problem_response(request.scope, problem)


async def _answer_too_large(request: Request, error: Exception) -> Response:  # noqa: ARG001 (Starlette gives it)
    problem = ProblemError(413, "event-too-large", "What follows from this would not fit in one event of 64 KiB.")
    return problem_response(request.scope, problem)


async def _answer_away(request: Request, error: Exception) -> Response:
    """The database is away, slow or has no connection left: the caller may come again."""
    structlog.get_logger("bellwether.http").warning("database unavailable", error=type(error).__name__)
    code = "overloaded" if isinstance(error, PoolExhausted) else "database-unavailable"
    problem = ProblemError(503, code, "The database does not answer in time.", headers={"Retry-After": "1"})
    return problem_response(request.scope, problem)
