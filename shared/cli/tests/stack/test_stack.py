"""The supervised stack: starts whole or not at all, shows what it is, and stands being disturbed."""

import json
import os
import signal
import socket
from collections.abc import Callable

import httpx
import pytest

from bellwether.errors import AlreadyUp, EngineFailed, NotUp, PortTaken
from bellwether.stack import Stack
from bellwether.stack.layout import Layout
from bellwether.stack.processes import Process
from bellwether_kit.testing.eventually import eventually

MakeStack = Callable[..., Stack]


def failing(layout: Layout) -> list[Process]:
    """A worker that cannot start."""
    command = ("/bin/sh", "-c", "echo no such setting >&2; exit 3")
    return [Process("tiny-worker", "worker", command, layout.home, {}, layout.url("tiny-worker"))]


def variables(stack: Stack, process: str) -> dict[str, str]:
    return dict(json.loads(httpx.get(stack.url(process)).text))


def test_a_stack_starts_and_says_where_everything_is(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()

    found = stack.status()
    shown = {process.name: process for process in found.processes}
    assert found.is_healthy
    assert set(shown) == {"tiny-api", "tiny-worker"}
    assert shown["tiny-api"].url == stack.url("tiny")
    assert shown["tiny-worker"].pid == stack.pid("tiny-worker")
    assert found.databases["metrics"]["api"].startswith("postgresql://metrics_api@127.0.0.1:")
    assert found.as_json()["kafka_bootstrap"] == os.environ["BELLWETHER_KAFKA_BOOTSTRAP"]


def test_a_replica_is_a_process_of_its_own_that_can_leave_and_come_back(make_stack: MakeStack) -> None:
    stack = make_stack(replicas={"tiny-worker": 2})
    stack.start()
    assert stack.workers() == ["tiny-worker", "tiny-worker-2"]
    assert stack.pid("tiny-worker-2") != stack.pid("tiny-worker")
    assert stack.url("tiny-worker-2") != stack.url("tiny-worker")

    stack.halt("tiny-worker-2")
    assert stack.workers() == ["tiny-worker"]
    assert stack.status().as_json()["healthy"] is False
    stack.wait_ready(5)

    stack.resume("tiny-worker-2")
    assert stack.workers() == ["tiny-worker", "tiny-worker-2"]


def test_another_object_speaks_of_the_same_stack(make_stack: MakeStack) -> None:
    make_stack().start()

    other = make_stack()

    assert other.status().is_healthy
    with pytest.raises(AlreadyUp, match="already up"):
        other.start()
    assert other.status().is_healthy


def test_a_stopped_stack_leaves_no_process_and_no_record(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    pids = [process.pid for process in stack.status().processes]
    stack.stop()

    assert not stack.home.record.exists()
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(NotUp):
        stack.status()
    with pytest.raises(NotUp):
        stack.stop()


async def test_a_killed_process_is_started_again(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()

    dead = stack.kill("tiny-worker")

    def is_back() -> bool:
        state = {process.name: process for process in stack.status().processes}["tiny-worker"]
        return state.pid not in (None, dead) and state.health == "ok"

    await eventually(is_back)


def test_a_halted_process_stays_down_until_it_is_resumed(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()

    stack.halt("tiny-worker")
    halted = {process.name: process for process in stack.status().processes}["tiny-worker"]
    stack.resume("tiny-worker")

    assert (halted.state, halted.health, halted.pid) == ("STOPPED", "unreachable", None)
    assert stack.status().is_healthy


def test_processes_get_the_variables_of_their_stack(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"*": {"BELLWETHER_A": "1"}, "tiny-worker": {"BELLWETHER_B": 'two % "2"'}})
    stack.start()

    assert variables(stack, "tiny-worker")["BELLWETHER_A"] == "1"
    assert variables(stack, "tiny-worker")["BELLWETHER_B"] == 'two % "2"'
    assert "BELLWETHER_B" not in variables(stack, "tiny-api")


def test_a_process_is_restarted_with_other_variables(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()

    stack.restart("tiny-worker", {"BELLWETHER_FAULT": "before-commit:3"})

    assert variables(stack, "tiny-worker")["BELLWETHER_FAULT"] == "before-commit:3"


def test_a_process_is_equipped_for_its_next_start_and_runs_on_until_then(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    before = stack.pid("tiny-worker")

    stack.equip("tiny-worker", {"BELLWETHER_FAULT": "after-commit:1"})

    assert stack.pid("tiny-worker") == before
    assert "BELLWETHER_FAULT" not in variables(stack, "tiny-worker")
    stack.restart("tiny-worker")
    assert variables(stack, "tiny-worker")["BELLWETHER_FAULT"] == "after-commit:1"


def test_a_process_that_will_not_start_stops_everything_and_is_named_with_its_last_words(
    make_stack: MakeStack,
) -> None:
    stack = make_stack(failing)

    with pytest.raises(EngineFailed, match="tiny-worker does not start: no such setting"):
        stack.start()

    assert not stack.home.record.exists()
    with pytest.raises(NotUp):
        stack.status()


def test_a_taken_port_is_named_before_anything_starts(make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("BELLWETHER_TINY_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("BELLWETHER_TINY_WORKER_PORT", "1")
        stack = make_stack(any_port=False)

        with pytest.raises(PortTaken, match=r"for tiny-api is taken: .* BELLWETHER_TINY_PORT"):
            stack.start()

    assert not stack.home.record.exists()
    assert not stack.home.run.exists()


def test_what_a_killed_supervisor_leaves_behind_is_ended_by_the_next_stop(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    left = stack.pid("tiny-worker")
    os.kill(stack.layout.supervisor_pid, signal.SIGKILL)

    stack.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)
    stack.start()
    assert stack.status().is_healthy
