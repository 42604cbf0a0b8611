"""Evidence by hand: a small world in which the promise holds, for tests to break in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bellwether.stack import Stack
from faults import journal
from faults.evidence import Evidence
from faults.load import CANARY, TENANTS
from faults.lookout import Lookout
from faults.poison import Poison
from faults.sizes import Sizes
from faults.topics import Line
from faults.world import Sink


@dataclass
class Canned:
    """What is to be seen: rows by database and words of the statement, answers and pages by service and route."""

    found: dict[tuple[str, str], list[tuple[Any, ...]]] = field(default_factory=dict)
    answers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    lists: dict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def rows(self, database: str, statement: str, *_: object) -> list[tuple[Any, ...]]:
        return next((rows for (of, words), rows in self.found.items() if of == database and words in statement), [])

    def asked(self, service: str, route: str, _tenant: str, _body: object) -> dict[str, Any]:
        return next(answer for (of, words), answer in self.answers.items() if of == service and words in route)

    def pages(self, service: str, route: str, tenant: str) -> list[dict[str, Any]]:
        return self.lists.get((service, route, tenant), [])


SMALL = {"memory": 100, "threads": 5, "files": 20}
SPOT = ("client-evidence", 0, 7)
PIECE = ("acme", "e1", "a1", "meeting-held", 1.0, "yesterday", 2)
EDITED = "acme 3 v2"


def line(topic: str, key: str, id_: str | None, sequence: int | None, offset: int, **headers: str) -> Line:
    """A record on a topic's first partition."""
    return Line(topic, 0, offset, key, id_, sequence, headers)


def sound() -> tuple[Evidence, Canned]:
    """Evidence of a run in which nothing was broken, and what is seen of its stack."""
    grave = {"dlq_consumer": "scoring", "dlq_original_partition": "0", "dlq_original_offset": "7"}
    outside = Canned(_rows(grave), *_answers())
    told, edited = journal.Account(), journal.Account()
    told.sent["acme", "x1"].hear(2, journal.OK)
    edited.sent["acme", "account 3"].hear(2, journal.OK)
    return Evidence(
        outside,
        told,
        edited,
        faults=[],
        poison=[Poison(SPOT, "schema", frozenset({"scoring"}))],
        sink=Sink([("m1", "alert-1", "alert.opened 1")]),
        lines=[
            line("client-evidence", "acme/a1", "event-1", 1, 0),
            line("client-evidence", "acme/a1", "event-2", 2, 1),
            line("client-evidence", "acme/0.1", "poison", 1, 7),
            line("client-evidence-dlq", "acme/0.1", None, None, 0, **grave),
        ],
        lookout=Lookout(cast("Stack", None), outside),
        lags={("scoring", "client-evidence", 0): 0},
        ends=[("metrics-api", "exit status 0")],
        before=Sizes({"metrics-api": SMALL}, {"metrics_api": 4}),
        after=Sizes({"metrics-api": SMALL}, {"metrics_api": 4}),
        calm={"metrics": 1},
        restless=[],
        replayed=(2, []),
    ), outside


def _answers() -> tuple[dict[tuple[str, str], dict[str, Any]], dict[tuple[str, str, str], list[dict[str, Any]]]]:
    """What routes answer, and what lists show."""
    preview = {"activities": 1, "differences": [], "unsettled": [], "next_cursor": None}
    return {("metrics", "derivation/preview"): preview, ("scoring", "what-if"): {"alerts": []}}, {
        ("metrics", "activities", "acme"): [{"external_id": "x1"}],
        ("scoring", "health", "acme"): [{"account_id": "a1"}],
        ("profile", "accounts", "acme"): [{"id": "a1"}],
    }


def _rows(grave: Mapping[str, str]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    account, health = ("acme", "a1", 1, "Northwind", "A"), ("acme", "a1", 4, "healthy")
    return {
        ("metrics", "FROM activity"): [("acme", "x1", 2)],
        ("stakeholder", "person_external_id"): [],
        ("profile", "account_external_id"): [("acme", "account 3", EDITED)],
        ("metrics", "retracted_for IS NOT NULL"): [
            ("acme", "e2", "meeting-held", 2),
            ("acme", "e3", "email-unreturned", 2),
        ],
        ("scoring", "WHERE retracted"): [("acme", "e2", "meeting-held", 2), ("acme", "e3", "email-unreturned", 2)],
        ("metrics", "retracted_for IS NULL"): [PIECE],
        ("scoring", "magnitude, observed_at, revision"): [PIECE],
        ("scoring", "FROM rescoring_run"): [(tenant, 0, 0.0) for tenant in (*TENANTS, CANARY)],
        ("scoring", "SELECT DISTINCT tenant, account_id::text FROM alert"): [("acme", "a1")],
        ("scoring", "SELECT id::text FROM alert"): [("alert-1",)],
        ("metrics", "id > %s"): [("event-2",)],
        ("metrics", "FROM outbox"): [
            ("event-1", "client-evidence", {}, True),
            ("event-2", "client-evidence", {}, True),
        ],
        ("scoring", "FROM outbox"): [("dead-1", "client-evidence-dlq", grave, True)],
        ("scoring", "FROM dead_letter"): [SPOT],
        ("profile", "tier FROM account"): [account],
        **{(of, "tier FROM account"): [account] for of in ("metrics", "scoring", "plan")},
        ("stakeholder", "name FROM account"): [account[:4]],
        ("stakeholder", "FROM person"): [("acme", "p1", "a1", 1, "neutral", False)],
        ("scoring", "FROM stakeholder"): [("acme", "p1", "a1", 1, "neutral", False)],
        ("metrics", "FROM touch"): [("acme", "a1", "yesterday")],
        ("scoring", "last_two_way_at FROM measure"): [("acme", "a1", "yesterday")],
        ("scoring", "sequence, band FROM account_health"): [health],
        ("profile", "sequence, band FROM account_health"): [health],
        ("scoring", "status <> 'resolved' FROM alert"): [("acme", "alert-1", True)],
        ("plan", "FROM alert_seen"): [("acme", "alert-1", True)],
    }
