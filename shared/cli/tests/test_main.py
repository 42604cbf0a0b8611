"""The command as a person meets it: fast help, and one clear sentence when something is in the way."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

BELLWETHER = Path(sys.executable).with_name("bellwether")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BELLWETHER_")}
    return kept | {"BELLWETHER_HOME": str(tmp_path / "home"), "COLUMNS": "200"}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(BELLWETHER), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_help_lists_the_commands_and_imports_none_of_them(environment: dict[str, str]) -> None:
    shown = run(environment, "--help")
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, bellwether.main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert all(name in shown.stdout for name in ("up", "down", "status", "token", "tail", "demo"))
    assert not {"aiokafka", "httpx", "jwt", "sqlalchemy", "bellwether.stack"} & set(loaded)


def test_each_command_has_its_own_help(environment: dict[str, str]) -> None:
    assert "--free-ports" in run(environment, "up", "--help").stdout
    assert "--scope" in run(environment, "token", "--help").stdout


def test_a_token_is_printed_alone(environment: dict[str, str]) -> None:
    answer = run(environment, "token", "--tenant", "acme", "--scope", "evidence:ingest")

    assert answer.stdout.count(".") == 2
    assert len(answer.stdout.split()) == 1


@pytest.mark.parametrize(
    "command", [["down"], ["status"], ["topics", "apply"], ["tail", "accounts"], ["clock", "show"]]
)
def test_without_a_stack_the_others_say_so(environment: dict[str, str], command: list[str]) -> None:
    answer = run(environment, *command)

    assert answer.returncode == 1
    assert answer.stderr.startswith("bellwether: No stack runs from ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("BELLWETHER_JAVA", "/nowhere/java", "bellwether: Java at /nowhere/java does not run"),
        ("BELLWETHER_MAVEN_URL", "http://127.0.0.1:1", "the first start needs the network"),
        ("BELLWETHER_KAFKA_PORT", "ninety", "bellwether: BELLWETHER_KAFKA_PORT is 'ninety', which is no port"),
    ],
)
def test_what_is_in_the_way_of_a_start_is_said_in_one_sentence_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    environment |= {variable: value, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ports = [] if variable == "BELLWETHER_KAFKA_PORT" else ["--free-ports"]

    answer = run(environment, "up", "--detach", "--engines-only", *ports)

    said = [line for line in answer.stderr.splitlines() if line.startswith("bellwether: ")]
    assert answer.returncode == 1
    assert len(said) == 1
    assert sentence in said[0]
    assert not (tmp_path / "home" / "stack.json").exists()
    assert not (tmp_path / "home" / "postgres").exists()
    assert not (tmp_path / "home" / "kafka" / "logs").exists()


def test_a_taken_port_is_said_in_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment["BELLWETHER_POSTGRES_PORT"] = str(port)

        answer = run(environment, "up", "--detach", "--engines-only")

    assert answer.returncode == 1
    assert f"bellwether: Port {port} for postgres is taken" in answer.stderr
    assert not (tmp_path / "home" / "stack.json").exists()


def test_a_kafka_that_somebody_else_runs_is_not_ours_to_lock(environment: dict[str, str], tmp_path: Path) -> None:
    environment |= {"BELLWETHER_KAFKA_BOOTSTRAP": "127.0.0.1:1"}

    answer = run(environment, "up", "--detach", "--engines-only", "--free-ports", "--secure")

    assert answer.returncode == 1
    assert "bellwether: --secure and --brokers are about a Kafka of our own" in answer.stderr
    assert not (tmp_path / "home" / "stack.json").exists()


def test_servers_that_somebody_else_runs_are_used_and_not_stopped(
    environment: dict[str, str], postgres: str, kafka: str
) -> None:
    environment |= {"BELLWETHER_POSTGRES_URL": postgres, "BELLWETHER_KAFKA_BOOTSTRAP": kafka}

    assert run(environment, "up", "--detach", "--engines-only").returncode == 0
    status = json.loads(run(environment, "status", "--json").stdout)
    again = run(environment, "up", "--detach", "--engines-only")
    down = run(environment, "down")

    assert status["processes"] == []
    assert (status["postgres_url"], status["kafka_bootstrap"]) == (postgres, kafka)
    assert again.returncode == 1
    assert "is already up" in again.stderr
    assert down.returncode == 0
    with socket.create_connection(("127.0.0.1", int(kafka.rpartition(":")[2])), timeout=5):
        pass
