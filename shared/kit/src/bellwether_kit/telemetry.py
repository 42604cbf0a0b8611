"""Correlation ids, W3C trace context, Prometheus metrics and OpenTelemetry set-up; it writes no log line."""

import re
import secrets
from contextvars import ContextVar

correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
"""The id that ties one request to every row, event and log line it causes."""

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The W3C `traceparent` of the work in hand; its span is ours, so children start from it."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


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


def trace_id() -> str | None:
    """Give the 32 hex digits of the current trace, or None outside of any."""
    current = traceparent.get()
    return current[3:35] if current else None
