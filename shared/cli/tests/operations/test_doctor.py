"""Everything that the doctor looks at: seen well, and seen ill."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from bellwether.contracts.catalogue import topics
from bellwether.home import Home, repository_root
from bellwether.main import app
from bellwether.operations import engines, machine
from bellwether.operations.backlog import Backlog, TopicLag
from bellwether.operations.finding import Finding
from bellwether.stack.layout import planned
from bellwether_kit.clock import ReplayClock, SystemClock

QUIET = Backlog("plan", 0, 0.0, 0, 0, 0, None)
PLAN = repository_root() / "services" / "plan-svc" / "migrations"
AWAY = "postgresql://plan_worker@127.0.0.1:1/plan"


def verdicts(*findings: Finding) -> list[str]:
    """Return the verdicts, after seeing that whoever complains says what to do."""
    assert all(bool(each.advice) == (each.verdict != "ok") for each in findings)
    return [each.verdict for each in findings]


def test_python_packages_and_disk(tmp_path: Path) -> None:
    assert verdicts(machine.python(), machine.python((3, 10, 9))) == ["ok", "bad"]
    lock = 'one-thing==1.0 ; python_version < "4" \\\n    --hash=x\nother[extra]==2.0 \\\nabsent==3\n'
    assert verdicts(machine.packages(lock, {"One_Thing": "1.0", "Other": "2.0", "more": "9"})) == ["ok"]
    assert verdicts(machine.packages(None)) == ["ok"]
    told = machine.packages(lock, {"one.thing": "1.1"})
    assert (told.verdict, "one-thing 1.1" in told.detail) == ("warn", True)
    assert verdicts(*(machine.disk(tmp_path, free) for free in (10**11, 10**9, 10**8))) == ["ok", "warn", "bad"]
    assert machine.disk(tmp_path / "not" / "made").verdict in ("ok", "warn", "bad")


def test_settings_of_a_stack_and_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_POSTGRES_URL", raising=False)
    layout = planned(Home(tmp_path), any_port=True)
    assert set(verdicts(*machine.settings(layout))) == {"ok"}
    monkeypatch.setenv("BELLWETHER_METRICS_POOL_SIZE", "none")
    wrong = {each.what for each in machine.settings(layout) if each.verdict == "bad"}
    assert wrong == {"settings of metrics-api", "settings of metrics-worker"}
    bad = [each for each in machine.settings(None) if each.verdict == "bad"]
    assert [(each.what, "pool_size" in each.detail) for each in bad] == [("settings of metrics", True)]


def test_a_service_that_is_not_installed_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SERVICES", ("absent",))
    assert verdicts(*machine.settings(None)) == ["warn"]


def test_the_database_its_clock_and_its_migrations(plan_database: str, postgres: str) -> None:
    assert verdicts(*engines.postgres("plan", plan_database)) == ["ok", "ok"]
    assert verdicts(*engines.postgres("plan", AWAY)) == ["bad"]
    now = datetime.now(UTC)
    skewed = (engines.clocks("plan", now - timedelta(seconds=seconds)) for seconds in (0, 5, 99))
    assert verdicts(*skewed) == ["ok", "warn", "bad"]
    owner = plan_database.replace("plan_worker", "plan_owner")
    assert verdicts(engines.migrations("plan", owner, PLAN), engines.migrations("plan", AWAY, PLAN)) == ["ok", "bad"]
    assert engines.migrations("plan", plan_database, PLAN).verdict == "warn", "a worker may not see them"
    assert verdicts(engines.migrations("plan", owner, PLAN / "absent")) == ["warn"]
    admin = postgres.rpartition("/")[0] + "/" + plan_database.rpartition("/")[2]
    with psycopg.connect(admin) as server:
        server.execute("UPDATE alembic_version SET version_num = '0001'")
    assert engines.migrations("plan", owner, PLAN).verdict == "bad"


def test_a_moved_clock_is_warned_of(tmp_path: Path) -> None:
    clock = ReplayClock(tmp_path / "clock")
    assert verdicts(engines.replay_clock(SystemClock()), engines.replay_clock(clock)) == ["ok", "ok"]
    clock.advance(timedelta(days=1))
    assert verdicts(engines.replay_clock(clock)) == ["warn"]


def test_the_broker_and_its_topics(kafka: str) -> None:
    files = topics(repository_root())
    absent = [replace(files[0], name="zzz-absent")]
    assert [verdicts(*engines.kafka({"bootstrap_servers": kafka}, absent))] == [["ok", "bad"]]
    away = {"bootstrap_servers": "127.0.0.1:1"}
    assert verdicts(*engines.kafka(away, files), *engines.reading(away, files)) == ["bad", "bad"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["ok", "ok", "ok"]),
        ({"outbox_oldest": 100}, ["warn", "ok", "ok"]),
        ({"outbox_oldest": 1000}, ["bad", "ok", "ok"]),
        ({"dead_letters_open": 1}, ["ok", "warn", "ok"]),
        ({"halted": "too many"}, ["ok", "ok", "bad"]),
        ({"timers_due": None}, ["ok", "ok", "bad"]),
    ],
)
def test_work_that_is_not_done(changes: dict[str, Any], expected: list[str]) -> None:
    told = replace(QUIET, **changes)
    assert verdicts(*engines.of_backlog(told, asked=True)) == expected
    assert verdicts(*engines.of_backlog(told, asked=False)) == expected[:2]


def test_a_group_that_is_far_behind_is_warned_of() -> None:
    lags = [TopicLag("plan", "a", 0, n, n, ()) for n in (9_000, 2_000, -1)]
    assert verdicts(engines.of_group("plan", lags[:1]), engines.of_group("plan", lags)) == ["ok", "warn"]
    assert verdicts(*engines.working("plan", AWAY, None)) == ["bad"]


def test_the_command_ends_with_1_when_something_is_bad(
    plan_database: str, bury: Callable[..., UUID], kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_KAFKA_BOOTSTRAP", kafka)
    bury()
    told = CliRunner().invoke(app, ["doctor", "--json"])
    found = {each["what"]: each for each in json.loads(told.stdout)}
    assert found["dead letters of plan"]["verdict"] == "warn"
    assert found["settings of plan"]["verdict"] == "ok"
    assert "lag of scoring" in found
    assert told.exit_code == int(any(each["verdict"] == "bad" for each in found.values()))
    monkeypatch.delenv("BELLWETHER_PLAN_DATABASE_URL")
    printed = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert (printed.exit_code, "No stack runs from" in printed.stdout) == (1, True)
