"""The check walks every page of the preview, asks twice before it says that something differs, and ends with 1."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from bellwether.client import Client, Refused
from bellwether.evidence.app import app
from bellwether.evidence.check import compare

Body = dict[str, Any]
Answer = Callable[[Body, dict[str, list[str]]], Body]

DIFFERENCE = {
    "account_id": "a2",
    "change": "removed",
    "kind": "order-placed",
    "observed_at": "2026-03-02T09:00:00Z",
    "magnitude": 1.0,
    "activity_ids": ["x"],
}


def page(differences: list[Body], cursor: str | None = None, **more: Any) -> Body:
    kinds = [{"kind": "order-placed", "now": 3, "then": 3 - len(differences)}]
    found = {"accounts": 2, "activities": 5, "kinds": kinds, "differences": differences, "next_cursor": cursor}
    return found | {"unsettled": [], "too_long": []} | more


class Preview:
    """A server in the place of metrics-svc; keeps what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[tuple[str, Body, dict[str, list[str]], str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                target = urlsplit(self.path)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                query = parse_qs(target.query)
                asked.append((target.path, body, query, self.headers["Authorization"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer(body, query)).encode())

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def preview() -> Iterator[Callable[[Answer], Preview]]:
    made: list[Preview] = []

    def start(answer: Answer) -> Preview:
        made.append(Preview(answer))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def client() -> Iterator[Callable[[Preview], Client]]:
    made: list[Client] = []

    def to(server: Preview) -> Client:
        made.append(Client(lambda _service: server.url, "token"))
        return made[-1]

    yield to
    for each in made:
        each.close()


def test_every_page_is_asked_for_under_the_rules_in_force_and_summed_up(preview: Any, client: Any) -> None:
    server = preview(lambda _body, query: page([], None if "cursor" in query else "next"))

    found = compare(client(server))

    assert [(path, body, query.get("cursor")) for path, body, query, _ in server.asked] == [
        ("/v1/derivation/preview", {"rules": None}, None),
        ("/v1/derivation/preview", {"rules": None}, ["next"]),
    ]
    assert (found.accounts, found.activities) == (4, 10)
    assert (found.now, found.then) == ({"order-placed": 6}, {"order-placed": 6})
    assert found.differences == []


def test_what_differs_only_at_first_was_work_under_way(preview: Any, client: Any) -> None:
    server = preview(lambda body, _query: page([] if "account_id" in body else [DIFFERENCE, DIFFERENCE]))

    found = compare(client(server), pause=0)

    assert [body.get("account_id") for _, body, _, _ in server.asked] == [None, "a2"]
    assert found.differences == []


def test_what_still_differs_is_reported(preview: Any, client: Any) -> None:
    server = preview(lambda _body, _query: page([DIFFERENCE]))

    assert compare(client(server), pause=0).differences == [DIFFERENCE]


def test_what_waited_for_a_timer_is_asked_for_again_and_counted_then(preview: Any, client: Any) -> None:
    server = preview(lambda body, _query: page([], unsettled=[] if "account_id" in body else ["a3"]))

    found = compare(client(server), pause=0)

    assert [body.get("account_id") for _, body, _, _ in server.asked] == [None, "a3"]
    assert (found.accounts, found.activities, found.now.total(), found.proves) == (2, 10, 6, True)


@pytest.mark.parametrize("why", ["unsettled", "too_long"])
def test_what_could_not_be_compared_proves_nothing(preview: Any, client: Any, why: str) -> None:
    server = preview(lambda _body, _query: page([], **{why: ["a3"]}))

    found = compare(client(server), pause=0)

    assert (found.differences, getattr(found, why), found.proves) == ([], ["a3"], False)


@pytest.mark.parametrize(
    ("differences", "code", "said"), [([], 0, "No difference"), ([DIFFERENCE] * 30, 1, "30 differences")]
)
def test_the_command_prints_what_it_found_and_ends_with_1_when_something_differs(
    preview: Any, monkeypatch: pytest.MonkeyPatch, differences: list[Body], code: int, said: str
) -> None:
    server = preview(lambda _body, _query: page(differences))
    monkeypatch.setenv("BELLWETHER_TOKEN", "given")

    ended = CliRunner().invoke(app, ["check", "--url", f"{server.url}/"])

    assert ended.exit_code == code, ended.output
    assert said in ended.output
    assert "2 accounts, 5 activities" in ended.output
    assert ("… and 10 more" in ended.output) == bool(differences)
    assert {authorization for *_, authorization in server.asked} == {"Bearer given"}


def test_without_a_tenant_nobody_knows_whose_evidence_to_check(preview: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_TOKEN", raising=False)

    ended = CliRunner().invoke(app, ["check", "--url", preview(lambda *_: page([])).url])

    assert ended.exit_code == 2
    assert "--tenant" in ended.output


def test_a_server_that_is_not_there_is_said_in_one_sentence(preview: Any, client: Any) -> None:
    server = preview(lambda *_: page([]))
    server.close()

    with pytest.raises(Refused, match=r"/v1/derivation/preview does not answer: "):
        compare(client(server))
