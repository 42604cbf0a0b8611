"""A rebuild is asked for once and waited for; one per tenant, with the caller's token where there is one."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwether.client import Client
from bellwether.rebuild import app, derive_anew


@pytest.fixture
def scoring() -> Iterator[Any]:
    """A service whose run is over, `done` or as its `ends` says, when it was asked three times how far it is."""
    asked: list[tuple[str, str, str | None]] = []
    ends = ["done"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(202)

        def do_GET(self) -> None:
            self._answer(200)

        def _answer(self, status: int) -> None:
            asked.append((self.command, self.path, self.headers["Authorization"]))
            is_over = len(asked) > 3
            run = {"id": "run-1", "state": ends[0] if is_over else "running", "accounts": 3, "ended_by": "ana"}
            body = json.dumps(run | {"looked_at": len(asked) - 1, "rescored": len(asked) - 1}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked, ends
    server.shutdown()
    server.server_close()


def test_it_asks_once_and_waits_until_the_run_is_over(scoring: Any) -> None:
    url, asked, _ = scoring
    said: list[str] = []
    client = Client(lambda _service: url, "token")
    assert derive_anew(client, said.append, pause=0) == 3
    client.close()
    assert [method for method, _, _ in asked] == ["POST", "GET", "GET", "GET"]
    assert [path for _, path, _ in asked] == ["/v1/health/rebuild", *["/v1/rescoring-runs/run-1"] * 3]
    assert said == ["0 of 3 accounts", "1 of 3 accounts", "2 of 3 accounts"]


def test_a_token_says_whose_accounts(scoring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked, _ = scoring
    monkeypatch.setenv("BELLWETHER_TOKEN", "mine")
    found = CliRunner().invoke(app, ["scoring", "--url", url])
    assert found.exit_code == 0, found.output
    assert "3 accounts derived anew" in found.output
    assert {token for _, _, token in asked} == {"Bearer mine"}


def test_nobody_is_rebuilt_without_a_tenant(monkeypatch: pytest.MonkeyPatch, scoring: Any) -> None:
    url, asked, _ = scoring
    monkeypatch.delenv("BELLWETHER_TOKEN", raising=False)
    assert CliRunner().invoke(app, ["scoring", "--url", url]).exit_code == 2
    assert asked == []


def test_a_run_that_is_stopped_is_no_rebuild(scoring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _, ends = scoring
    ends[0] = "stopped"
    monkeypatch.setenv("BELLWETHER_TOKEN", "mine")
    found = CliRunner().invoke(app, ["scoring", "--url", url])
    assert (found.exit_code, str(found.exception)) == (1, "The rebuild was stopped by ana.")
