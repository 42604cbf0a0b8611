"""A stack is quiet only when two looks in a row say so."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bellwether.home import Home
from bellwether.settle import NotSettled, settle
from bellwether.stack import Stack
from bellwether.stack.layout import Layout

Answers = list[dict[str, int | None] | None]
Workers = Callable[..., Stack]

QUIET: dict[str, int | None] = {"outbox_unsent": 0, "lag": 0, "timers_due": 0, "progress": 10}


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """A stack whose workers say one answer after the other (None: 503), and go on with the last."""
    servers: list[ThreadingHTTPServer] = []

    def make(**scripts: Answers) -> Stack:
        ports = {}
        for service, answers in scripts.items():
            servers.append(serve(answers))
            ports[f"{service}-worker"] = int(servers[-1].server_port)
        Layout(tmp_path, "postgresql://x@127.0.0.1:1/x", "127.0.0.1:1", ports, tuple(scripts)).write()
        return Stack(Home(tmp_path))

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def serve(answers: Answers) -> ThreadingHTTPServer:
    class Worker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(200 if answer else 503)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Worker)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_a_quiet_stack_is_settled(workers: Workers) -> None:
    settle(workers(metrics=[QUIET], scoring=[QUIET]), timeout=5)


def test_one_quiet_look_is_not_enough_while_work_moves_on(workers: Workers) -> None:
    answers: Answers = [QUIET, {**QUIET, "progress": 11}, {**QUIET, "progress": 12}, {**QUIET, "progress": 12}]
    stack = workers(metrics=answers, scoring=[QUIET])

    settle(stack, timeout=5)

    assert answers == [{**QUIET, "progress": 12}]


@pytest.mark.parametrize("what", ["outbox_unsent", "lag", "timers_due"])
def test_anything_left_is_named_when_the_time_is_up(workers: Workers, what: str) -> None:
    stack = workers(metrics=[QUIET], scoring=[{**QUIET, what: 3}])

    with pytest.raises(NotSettled, match=f"scoring {what} 3"):
        settle(stack, timeout=0.3)


def test_a_worker_that_cannot_tell_or_does_not_answer_is_not_quiet(workers: Workers) -> None:
    unsure = workers(metrics=[{**QUIET, "lag": None}])
    with pytest.raises(NotSettled, match="metrics lag unknown"):
        settle(unsure, timeout=0.3)

    silent = workers(plan=[None])
    with pytest.raises(NotSettled, match="plan outbox_unsent unknown"):
        settle(silent, timeout=0.3)


def test_a_worker_that_comes_back_is_waited_for(workers: Workers) -> None:
    settle(workers(metrics=[None, {**QUIET, "lag": 5}, QUIET]), timeout=5)
