"""Structured logs: one JSON object per line on standard output, ours and those of the libraries alike."""

import logging
import sys
from typing import Any

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from bellwether_kit import telemetry

_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")


class _Lines:
    """Writes finished lines. Standard output is looked up each time, because tests replace it."""

    def msg(self, line: bytes) -> None:
        out = sys.stdout.buffer
        out.write(line + b"\n")
        out.flush()

    debug = info = warning = error = critical = msg


def configure_logging(service: str, level: str = "info") -> None:
    """Route structlog and the standard library to JSON lines that carry ``service``; may be called again.

    ``level`` is one of debug, info, warning, error.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]

    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.contextvars.merge_contextvars,
        name_service,
        correlate,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    handler = _handler(shared)
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if kept.name != handler.name] + [handler]
    root.setLevel(max(threshold, logging.INFO))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write a line for every request it makes
    _take_over_uvicorn()


def correlate(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add tenant, correlation id and trace id of the work in hand."""
    for name, value in (
        ("tenant", telemetry.tenant.get()),
        ("correlation_id", telemetry.correlation.get()),
        ("trace_id", telemetry.trace_id()),
    ):
        if value is not None:
            event.setdefault(name, value)
    return event


def render(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    """Encode the line; a value that JSON has no form for is shown by its repr."""
    return msgspec.json.encode(event, enc_hook=repr)


def _handler(shared: list[Processor]) -> logging.Handler:
    """Make the standard library's handler, with the same fields in its lines."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _Lines().msg(self.format(record).encode())

    def as_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
        return render(logger, name, event).decode()

    def name_logger(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        record: Any = event.get("_record")
        if record is not None:
            event["logger"] = record.name
        return event

    handler = Handler()
    handler.name = "bellwether"
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                name_logger,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                as_text,
            ],
        )
    )
    return handler


def _take_over_uvicorn() -> None:
    """Send uvicorn's lines through the root; its access lines are dropped, because ours say more."""
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"
