"""Correlation ids, W3C trace context, Prometheus metrics and OpenTelemetry set-up; it writes no log line."""

import re
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import trace
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
"""The id that ties one request to every row, event and log line it causes."""

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The W3C `traceparent` of the work in hand; its span is ours, so children start from it."""

tenant: ContextVar[str | None] = ContextVar("tenant", default=None)
"""The tenant whose work is in hand, once it is known; for log lines only, never for access."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Cause(NamedTuple):
    """The ids of the request that something goes back to; None when nobody can tell."""

    correlation: str | None = None
    traceparent: str | None = None


def cause() -> Cause:
    """Give the ids of the work in hand."""
    return Cause(correlation.get(), traceparent.get())


def resume(of: Cause) -> None:
    """Go on in this task with work that goes back to ``of``."""
    correlation.set(of.correlation)
    traceparent.set(of.traceparent)


def current_traceparent() -> str | None:
    """Give the trace context of the work in hand, or None outside of any."""
    return traceparent.get()


def new_traceparent() -> str:
    """Start a trace: a fresh trace id and span id, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_traceparent(parent: str | None) -> str:
    """Give a new span of the parent's trace; a missing or malformed parent starts a new trace."""
    if parent is None or not _TRACEPARENT.fullmatch(parent):
        return new_traceparent()
    return f"00-{parent[3:35]}-{secrets.token_hex(8)}-{parent[53:55]}"


def span_traceparent() -> str | None:
    """Give the trace context of the current OpenTelemetry span, or None when there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id() -> str | None:
    """Give the 32 hex digits of the current trace, or None outside of any."""
    current = traceparent.get()
    return current[3:35] if current else None


def new_registry() -> CollectorRegistry:
    """Make the Prometheus registry of one process; its memory, descriptors and garbage are in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def configure_tracing(service: str, otlp_endpoint: str | None) -> "TracerProvider | None":
    """Export spans to ``otlp_endpoint`` (OTLP over HTTP, base address); without one nothing is set up.

    The caller shuts the provider down when the process ends, so that the last spans leave.
    """
    if otlp_endpoint is None:
        return None
    # Imported by those who export only: the SDK and its exporter add a sixth to the start of a process.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider as Provider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = Provider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider
