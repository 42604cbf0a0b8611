"""A backtest is asked for once, waited for, printed and kept; one that is not done is said so."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwether.backtests.app import app
from bellwether.backtests.ask import NotDone, Question, backtest
from bellwether.client import Client

Body = dict[str, Any]

ESTIMATE = {"value": 0.726, "low": 0.658, "high": 0.793}
VERDICT = {
    "inconclusive": None,
    "auc": ESTIMATE,
    "lift_at_tenth": 2.77,
    "precision_at": {"10": 0.6},
    "foretold": 0,
    "brier": None,
    "brier_of_base_rate": None,
    "calibration": [],
    "curve": [],
}
RANKINGS = [
    {"name": "scorecard", "verdict": VERDICT, "advantage": None, "is_beaten": None, "mean_auc": 0.72},
    {"name": "number-of-acts", "verdict": VERDICT, "advantage": ESTIMATE, "is_beaten": "yes", "mean_auc": 0.6},
]
PART = {"day": None, "cases": 1739, "accounts": 235, "lost": 90, "inconclusive": None, "rankings": RANKINGS}
FEW = {"day": "2026-01-01", "cases": 30, "accounts": 30, "lost": 2, "inconclusive": "too-few-lost", "rankings": []}
CHANGE = {"of": "kind", "name": "order-placed", "before": 1.5, "after": 2.25}
FIT = {
    "refused": None,
    "learnt_from": ["2026-01-01"],
    "cases": 400,
    "lost": 44,
    "changes": [CHANGE],
    "tested_on": ["2026-06-01"],
    "tested": PART,
    "draft_version": 4,
}
REPORT = {"pooled": PART, "dates": [FEW], "one_in": 1, "fit": FIT}


class Scoring:
    """A server in the place of scoring-svc; `answers` are those to GET, one after the other, the last again."""

    def __init__(self, *answers: Body) -> None:
        self.asked: list[tuple[str, str, str | None, Any]] = []
        self._answers = [{"id": "b1", "accounts": 50, "problem": None, **answer} for answer in answers]
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(202, {"id": "b1", "status": "queued", "accounts": 0, "problem": None}, body)

            def do_GET(self) -> None:
                if self.path.endswith("report.html"):
                    self._answer(200, "<html>the report</html>")
                    return
                answers = served._answers
                self._answer(200, answers.pop(0) if len(answers) > 1 else answers[0])

            def _answer(self, status: int, said: Any, body: Any = None) -> None:
                served.asked.append((self.command, self.path, self.headers["Authorization"], body))
                payload = (said if isinstance(said, str) else json.dumps(said)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scoring() -> Iterator[Callable[..., Scoring]]:
    made: list[Scoring] = []

    def start(*answers: Body) -> Scoring:
        made.append(Scoring(*answers))
        return made[-1]

    yield start
    for each in made:
        each.close()


DONE = {
    "status": "done",
    "report": REPORT,
    "lost_by": "silence",
    "act": "order-placed",
    "min_acts": 5,
    "horizon_days": 90,
}


def test_it_asks_once_and_waits_until_it_is_done(scoring: Callable[..., Scoring]) -> None:
    served = scoring({"status": "running"}, {"status": "running"}, DONE)
    said: list[str] = []
    client = Client(lambda _service: served.url, "token")
    found = backtest(client, Question(["2026-01-01"], act="order-placed"), said.append, pause=0)
    client.close()
    assert found["report"] == REPORT
    assert [method for method, _, _, _ in served.asked] == ["POST", "GET", "GET", "GET"]
    assert served.asked[0][3] == {
        "dates": ["2026-01-01"],
        "horizon_days": 90,
        "lost_by": "silence",
        "act": "order-placed",
        "min_acts": 5,
        "scorecard": "current",
        "fit": False,
    }
    assert said == ["0 accounts looked at", "50 accounts looked at", "50 accounts looked at"]


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [("failed", "unexpected", "is failed: unexpected"), ("stopped", None, "is stopped.")],
)
def test_one_that_is_not_done_is_said_so(
    scoring: Callable[..., Scoring], status: str, problem: str | None, words: str
) -> None:
    client = Client(lambda _service: served.url, "token")
    served = scoring({"status": status, "problem": problem})
    with pytest.raises(NotDone, match=words):
        backtest(client, Question(["2026-01-01"]), lambda _: None, pause=0)
    client.close()


def test_the_report_is_printed_and_kept(
    scoring: Callable[..., Scoring], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BELLWETHER_TOKEN", "mine")
    served = scoring(DONE)
    files = ["--json", str(tmp_path / "found.json"), "--html", str(tmp_path / "found.html")]
    found = CliRunner().invoke(app, ["run", "--url", served.url, "--date", "2026-01-01", "--fit", *files])
    assert found.exit_code == 0, found.output
    assert {token for _, _, token, _ in served.asked} == {"Bearer mine"}
    assert served.asked[0][3]["fit"] is True
    for words in (
        "all dates: 1,739 cases of 235 accounts, 90 lost",
        "0.726 0.658…0.793",
        "beaten",
        "2026-01-01 │    30 │    2 │",
        "too-few-lost",
        "kind order-placed: 1.5 → 2.25",
        "tested on 2026-06-01",
    ):
        assert words in found.output
    assert json.loads((tmp_path / "found.json").read_text())["report"] == REPORT
    assert (tmp_path / "found.html").read_text() == "<html>the report</html>"


def test_nobody_is_looked_at_without_a_tenant(scoring: Callable[..., Scoring], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_TOKEN", raising=False)
    served = scoring(DONE)
    assert CliRunner().invoke(app, ["run", "--url", served.url, "--date", "2026-01-01"]).exit_code == 2
    assert served.asked == []


@pytest.mark.parametrize("dates", [[], ["--date", "soon"]])
def test_dates_must_be_said_and_be_dates(dates: list[str]) -> None:
    assert CliRunner().invoke(app, ["run", "--tenant", "acme", *dates]).exit_code == 2
