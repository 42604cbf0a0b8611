"""The one ASGI middleware: correlation, refusals before work begins, headers, metrics and the access line."""

import re
import secrets
from time import perf_counter
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bellwether_kit import telemetry
from bellwether_kit.http.guard import ANSWER_HEADERS
from bellwether_kit.http.headers import API_ONLY, SECURITY, Cors, Header
from bellwether_kit.http.problems import ProblemError, problem_response
from bellwether_kit.http.runtime import Runtime

PROBES = ("/health/live", "/health/ready", "/metrics")
"""Never limited, logged or traced."""

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS = _WRITES | {"GET", "HEAD", "OPTIONS"}
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")

_log: Any = structlog.get_logger("bellwether.http")


class HttpMetrics:
    """Requests by route template, and how many are in hand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter("http_requests", "Requests answered", ("method", "route", "status"), registry=registry)
        self._seconds = Histogram(
            "http_request_seconds",
            "Time to the end of the answer, of a stream to its beginning",
            ("method", "route"),
            registry=registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests in hand", registry=registry)
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is the template, so that ids make no series of their own."""
        children = self._children.get((method, route, status))
        if children is None:
            children = (self._count.labels(method, route, status), self._seconds.labels(method, route))
            self._children[method, route, status] = children
        children[0].inc()
        children[1].observe(seconds)


class _Exchange:
    """One request on its way through: what its answer must carry, and what became of it."""

    __slots__ = ("extra", "scope", "send", "status", "streams_since")

    def __init__(self, scope: Scope, send: Send, extra: list[Header]) -> None:
        self.scope = scope
        self.send = send
        self.extra = extra
        self.status = 0
        self.streams_since: float | None = None

    async def answer(self, message: Message) -> None:
        """Pass ``message`` on; the first one gets our headers, unless the route has set them itself."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = list(message.get("headers", ()))
            names = {name for name, _ in own}
            if self.status == 200 and b"content-length" not in names:
                self.streams_since = perf_counter()
            more = (*self.extra, *self.scope.get(ANSWER_HEADERS, ()))
            message["headers"] = own + [header for header in more if header[0] not in names]
        await self.send(message)


class Gate:
    """Wraps the application. Health routes and metrics pass untouched."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime, registry: CollectorRegistry) -> None:
        self._app = app
        self._runtime = runtime
        self._cors = Cors(runtime.settings.cors_origins)
        self._metrics = HttpMetrics(registry)
        self._traced = runtime.settings.otlp_endpoint is not None
        self._in_hand = 0
        self._metrics.in_flight.set_function(lambda: self._in_hand)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id"))
        # With traces exported the server's span is already open, and ours must be that one.
        trace = (telemetry.span_traceparent() if self._traced else None) or telemetry.child_traceparent(
            headers.get(b"traceparent", b"").decode("latin-1")
        )
        tokens = (
            telemetry.correlation.set(request_id),
            telemetry.traceparent.set(trace),
            telemetry.tenant.set(None),
        )
        self._in_hand += 1
        try:
            exchange = _Exchange(scope, send, self._answer_headers(scope, headers, request_id, trace))
            await self._serve(exchange, headers, receive)
        finally:
            self._in_hand -= 1
            telemetry.correlation.reset(tokens[0])
            telemetry.traceparent.reset(tokens[1])
            telemetry.tenant.reset(tokens[2])

    def _answer_headers(self, scope: Scope, headers: dict[bytes, bytes], request_id: str, trace: str) -> list[Header]:
        """Collect what the answer carries whatever becomes of the request."""
        found = [*SECURITY, (b"x-request-id", request_id.encode()), (b"traceparent", trace.encode())]
        if scope["path"] != "/docs":
            found += API_ONLY
        if self._runtime.draining:
            found.append((b"connection", b"close"))
        return found + self._cors.headers(headers.get(b"origin"))

    async def _serve(self, exchange: _Exchange, headers: dict[bytes, bytes], receive: Receive) -> None:
        scope, started = exchange.scope, perf_counter()
        try:
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await self._preflight(exchange, headers, receive)
            elif (refusal := await self._refusal(scope)) is not None:
                await problem_response(scope, refusal)(scope, receive, exchange.answer)
            else:
                await self._app(scope, receive, exchange.answer)
        except Exception:  # the border of the process: the caller gets a problem, the log the traceback
            _log.exception("unexpected", method=scope["method"], path=scope["path"])
            if exchange.status:
                raise
            problem = ProblemError(500, "internal-error", "We did not expect this; it is logged.")
            await problem_response(scope, problem)(scope, receive, exchange.answer)
        finally:
            ended = perf_counter()
            waited = (exchange.streams_since or ended) - started
            self._account(scope, exchange.status or 499, waited, ended - started)

    async def _preflight(self, exchange: _Exchange, headers: dict[bytes, bytes], receive: Receive) -> None:
        response = Response(status_code=204)
        found = self._cors.preflight(headers.get(b"origin"), headers.get(b"access-control-request-headers"))
        response.raw_headers = found
        await response(exchange.scope, receive, exchange.answer)

    async def _refusal(self, scope: Scope) -> ProblemError | None:
        """Say why this request is refused before any work, if it is."""
        if self._in_hand > self._runtime.settings.concurrency_limit:
            return ProblemError(503, "overloaded", "Too much at once; try again.", headers={"Retry-After": "1"})
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return ProblemError(400, "nul-character", "An address holds the character NUL.")
        if scope["method"] in _WRITES and await self._runtime.backlog.too_old():
            detail = "What was taken before is not delivered yet; try again later."
            return ProblemError(503, "outbox-backlog", detail, headers={"Retry-After": "30"})
        return None

    def _account(self, scope: Scope, status: int, waited: float, seconds: float) -> None:
        """Count the request and write its line. 499: the client left before the answer began.

        How long a stream goes on is its client's doing: what it ``waited`` for is the beginning.
        """
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.observe(method, route, status, waited)
        _log.info(
            "request",
            method=method,
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1_000, 2),
        )


def _request_id(given: bytes | None) -> str:
    """Take the caller's id when it is safe to put in a log, else make one."""
    return given.decode() if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
