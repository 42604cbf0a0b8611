"""A stack of tiny processes beside the session's real engines: starts in a second or two."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bellwether.engines.session import Engines
from bellwether.home import Home
from bellwether.stack import Stack
from bellwether.stack.layout import Layout
from bellwether.stack.processes import Process, Variables

SERVER = """
import os, sys, json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
    def log_message(self, *_): pass
print("serving", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""

Programs = Callable[[Layout], list[Process]]


def tiny(layout: Layout) -> list[Process]:
    """One API of one service, and workers that show their variables."""
    processes = []
    for name, (_, kind) in layout.processes.items():
        command = (sys.executable, "-I", "-S", "-c", SERVER, str(layout.ports[name]))
        processes.append(Process(name, kind, command, layout.home, {}, f"{layout.url(name)}/health/ready"))
    return processes


MakeStack = Callable[..., Stack]


@pytest.fixture
def make_stack(tmp_path: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeStack]:
    """Makes stacks of tiny processes; those still up at the end are stopped."""
    monkeypatch.setenv("BELLWETHER_POSTGRES_URL", engines.postgres_url)
    monkeypatch.setenv("BELLWETHER_KAFKA_BOOTSTRAP", engines.kafka_bootstrap)
    made: list[Stack] = []

    def make(
        programs: Programs = tiny,
        *,
        any_port: bool = True,
        variables: Mapping[str, Variables] | None = None,
        replicas: Mapping[str, int] | None = None,
    ) -> Stack:
        stack = Stack(
            Home(tmp_path / "home"),
            services=("tiny",),
            any_port=any_port,
            replicas=replicas,
            variables=variables,
            programs=programs,
            databases=lambda *_: None,
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        if stack.home.record.exists():
            stack.stop()
