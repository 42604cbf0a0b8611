"""One JSON object per line, ours and the libraries' alike, with what ties it to its cause."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bellwether_kit import telemetry
from bellwether_kit.logging import configure_logging


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    configure_logging("sample-svc", "info")
    yield
    root.handlers = [handler for handler in root.handlers if handler.name != "bellwether"]
    root.setLevel(before)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_carries_tenant_correlation_and_trace(capsys: pytest.CaptureFixture[str]) -> None:
    tokens = (
        (telemetry.tenant, telemetry.tenant.set("acme")),
        (telemetry.correlation, telemetry.correlation.set("crm-1")),
        (telemetry.traceparent, telemetry.traceparent.set(f"00-{'ab' * 16}-{'cd' * 8}-01")),
    )
    structlog.get_logger("test").info("happened", count=3, odd={1, 2} - {2}, what=object)
    logging.getLogger("library").warning("took %s ms", 5)
    for variable, reset in tokens:
        variable.reset(reset)
    own, foreign = lines(capsys)
    for line in (own, foreign):
        assert tuple(line[name] for name in ("service", "tenant", "correlation_id", "trace_id")) == (
            "sample-svc",
            "acme",
            "crm-1",
            "ab" * 16,
        )
    assert (own["event"], own["count"], own["level"]) == ("happened", 3, "info")
    assert (foreign["event"], foreign["level"], foreign["logger"]) == ("took 5 ms", "warning", "library")


def test_outside_of_any_work_there_is_nothing_to_carry(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("test").info("idle")
    (line,) = lines(capsys)
    assert not {"tenant", "correlation_id", "trace_id"} & line.keys()


def test_an_exception_comes_with_its_traceback_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("broke")
    structlog.get_logger("test").error("failed", exc_info=error)
    logging.getLogger("library").error("failed", exc_info=error)
    own, foreign = lines(capsys)
    assert "RuntimeError: broke" in own["exception"]
    assert "RuntimeError: broke" in foreign["exception"]


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("sample-svc", "warning")
    structlog.get_logger("test").info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger("test").warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_uvicorn_speaks_through_us_and_its_access_lines_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("uvicorn.access").info("GET /")
    assert [line["event"] for line in lines(capsys)] == ["started"]


def test_configuring_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("sample-svc", "info")
    logging.getLogger("library").info("once")
    assert len(lines(capsys)) == 1
