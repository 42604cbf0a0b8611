"""Trace context as W3C has it, and what is set up only when it is asked for."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import generate_latest

from bellwether_kit import telemetry

PARENT = f"00-{'ab' * 16}-{'cd' * 8}-00"


def test_a_child_keeps_trace_and_flags_and_gets_a_span_of_its_own() -> None:
    child = telemetry.child_traceparent(PARENT)
    assert (PARENT[:36], PARENT[-2:]) == (child[:36], child[-2:])
    assert PARENT[36:52] != child[36:52]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "x",
        PARENT + "\n",
        PARENT.upper(),
        "ff" + PARENT[2:],
        f"00-{'0' * 32}-{'cd' * 8}-01",
        f"00-{'ab' * 16}-{'0' * 16}-01",
    ],
)
def test_a_parent_that_is_none_starts_a_new_trace(bad: str | None) -> None:
    child = telemetry.child_traceparent(bad)
    assert len(child) == 55
    assert "ab" * 16 not in child


def test_the_trace_id_is_that_of_the_work_in_hand() -> None:
    assert telemetry.trace_id() is None
    token = telemetry.traceparent.set(PARENT)
    assert (telemetry.trace_id(), telemetry.current_traceparent()) == ("ab" * 16, PARENT)
    telemetry.traceparent.reset(token)


def test_an_open_span_is_the_trace_context() -> None:
    assert telemetry.span_traceparent() is None
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        found = telemetry.span_traceparent()
    context = span.get_span_context()
    assert found == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def test_a_registry_knows_its_process() -> None:
    assert b"process_resident_memory_bytes" in generate_latest(telemetry.new_registry())


def test_without_an_endpoint_no_span_is_kept() -> None:
    assert telemetry.configure_tracing("x", None) is None
    assert "Proxy" in type(trace.get_tracer_provider()).__name__
