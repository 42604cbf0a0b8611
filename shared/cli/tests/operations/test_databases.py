"""Whose databases and whose clock: the environment's, or else the running stack's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellwether.home import Home
from bellwether.operations.databases import clock, database_urls
from bellwether.operations.lag import worker_urls
from bellwether.stack.layout import SERVICES, planned
from bellwether_kit.clock import ReplayClock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home from which no stack runs."""
    monkeypatch.setenv("BELLWETHER_HOME", str(tmp_path))
    monkeypatch.delenv("BELLWETHER_CLOCK_FILE", raising=False)
    for service in SERVICES:
        monkeypatch.delenv(f"BELLWETHER_{service.upper()}_DATABASE_URL", raising=False)
    return Home(tmp_path)


def is_moved() -> bool:
    return clock().now() - datetime.now(UTC) > timedelta(hours=1)


def test_a_running_stack_is_found_and_the_environment_goes_first(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_urls() == {}
    layout = planned(home, any_port=True)
    layout.write()
    assert database_urls() == {service: layout.database_url(service, "worker") for service in SERVICES}
    assert list(database_urls("plan")) == ["plan"]
    assert worker_urls()["plan"] == layout.url("plan-worker")
    monkeypatch.setenv("BELLWETHER_PLAN_DATABASE_URL", "postgresql://elsewhere/plan")
    assert database_urls() == {"plan": "postgresql://elsewhere/plan"}


def test_the_clock_is_the_one_that_workers_go_by(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ReplayClock(home.clock).advance(timedelta(days=1))
    assert not is_moved(), "no stack runs"
    planned(home, any_port=True).write()
    assert not is_moved(), "the stack goes by the true time"
    planned(home, any_port=True, clock=True).write()
    assert is_moved()
    ReplayClock(tmp_path / "other")
    monkeypatch.setenv("BELLWETHER_CLOCK_FILE", str(tmp_path / "other"))
    assert not is_moved()
