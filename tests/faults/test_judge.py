"""Each look of the judge finds nothing in a sound world, and what is broken in it where something is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from faults import handmade, projections, state, wire
from faults.disturb import Fault
from faults.evidence import Evidence, Verdict
from faults.handmade import Canned, line
from faults.judge import LOOKS
from faults.replays import changes
from faults.sizes import Sizes

Look = Callable[[Evidence], Verdict]
Break = Callable[[Evidence, Canned], None]


def rows(of: str, words: str, *found: tuple[Any, ...]) -> Break:
    """A world in which a statement finds other rows."""

    def done(_: Evidence, outside: Canned) -> None:
        assert (of, words) in outside.found
        outside.found[of, words] = list(found)

    return done


def fact(**changed: Any) -> Break:
    """A world in which something else was left behind."""

    def done(evidence: Evidence, _: Canned) -> None:
        for name, value in changed.items():
            setattr(evidence, name, value)

    return done


def answer(of: str, route: str, **changed: Any) -> Break:
    """A world in which a route answers otherwise."""
    return lambda _, outside: outside.answers[of, route].update(changed)


def shown(of: str, route: str, **item: str) -> Break:
    """A world in which a list of acme's has one more item."""
    return lambda _, outside: outside.lists[of, route, "acme"].append(item)


def added(*lines: Any) -> Break:
    """A world in which there are more records on topics."""

    def done(evidence: Evidence, _: Canned) -> None:
        evidence.lines = [*evidence.lines, *lines]

    return done


BIG = Sizes({"metrics-api": handmade.SMALL | {"memory": 900}}, {"metrics_api": 40})
AGAIN = line("client-evidence", "acme/a1", "event-2", 2, 2)
BROKEN: list[tuple[Look, Break]] = [
    (state.rows_of_posts, rows("metrics", "FROM activity")),
    (state.rows_of_posts, rows("metrics", "FROM activity", ("acme", "x1", 2), ("acme", "x1", 2))),
    (state.rows_of_posts, rows("metrics", "FROM activity", ("acme", "x1", 1))),
    (state.rows_of_posts, rows("metrics", "FROM activity", ("acme", "x1", 2), ("acme", "x2", 1))),
    (state.derived, answer("metrics", "derivation/preview", differences=["a piece"])),
    (state.derived, answer("metrics", "derivation/preview", unsettled=["a piece"])),
    (state.ledgers, rows("scoring", "magnitude, observed_at, revision")),
    (state.ledgers, rows("scoring", "magnitude, observed_at, revision", handmade.PIECE, handmade.PIECE)),
    (state.retractions, rows("scoring", "WHERE retracted", ("acme", "e2", "meeting-held", 2))),
    (state.retractions, rows("metrics", "retracted_for IS NOT NULL", ("acme", "e2", "meeting-held", 2))),
    (state.audits, rows("scoring", "FROM rescoring_run", ("acme", 1, 2.5), ("globex", 0, 0.0), ("canary", 0, 0.0))),
    (state.audits, rows("scoring", "FROM rescoring_run", ("acme", 0, 0.0), ("globex", 0, 0.0))),
    (state.alerts, answer("scoring", "what-if", alerts=["opens"])),
    (projections.edited, rows("profile", "account_external_id")),
    (projections.edited, rows("profile", "account_external_id", ("acme", "account 3", "acme 3 v1"))),
    (projections.accounts, rows("plan", "tier FROM account", ("acme", "a1", 1, "Northwind", "B"))),
    (projections.accounts, rows("stakeholder", "name FROM account")),
    (projections.people, rows("scoring", "FROM stakeholder", ("acme", "p1", "a1", 1, "champion", False))),
    (projections.contacts, rows("scoring", "last_two_way_at FROM measure")),
    (projections.healths, rows("profile", "sequence, band FROM account_health", ("acme", "a1", 3, "healthy"))),
    (projections.healths, rows("plan", "FROM alert_seen", ("acme", "alert-1", False))),
    (wire.told, lambda evidence, _: evidence.sink.told.clear()),
    (wire.told, lambda evidence, _: evidence.sink.told.append(("m2", "alert-1", "alert.opened 1"))),
    (wire.published, rows("metrics", "FROM outbox", ("event-1", "client-evidence", {}, True))),
    (wire.published, rows("metrics", "FROM outbox", ("event-3", "client-evidence", {}, False))),
    (wire.published, rows("scoring", "FROM outbox")),
    (wire.published_once, added(AGAIN)),
    (wire.ordered, added(line("client-evidence", "acme/a1", "event-4", 4, 3))),
    (wire.committed, fact(lags={("scoring", "client-evidence", 0): 2})),
    (wire.committed, lambda evidence, _: evidence.lookout.broken.append("scoring committed past a record")),
    (wire.poison, rows("scoring", "FROM dead_letter")),
    (wire.poison, rows("scoring", "FROM dead_letter", handmade.SPOT, handmade.SPOT)),
    (wire.poison, rows("scoring", "FROM dead_letter", handmade.SPOT, ("accounts", 0, 1))),
    (wire.poison, fact(lines=[])),
    (
        wire.replays,
        fact(replayed=(2, changes({("metrics", "evidence"): (4, "x")}, {("metrics", "evidence"): (5, "y")}))),
    ),
    (wire.tenants, shown("metrics", "activities", external_id="of-another")),
    (wire.tenants, shown("scoring", "health", account_id="of-another")),
    (wire.recovered, fact(faults=[Fault("kill-worker", "metrics-worker", True, 31.0, "too late")])),
    (wire.at_rest, fact(restless=["metrics outbox_unsent 3"])),
    (wire.stops, fact(ends=[("metrics-api", "terminated by SIGKILL")])),
    (wire.refusals, lambda evidence, _: evidence.told.odd.append("post 1: 422")),
    (wire.sizes, fact(after=BIG)),
]


@pytest.mark.parametrize("look", [look for look in LOOKS.values() if look is not state.scores])
def test_a_sound_world_breaks_nothing(look: Look) -> None:
    evidence, _ = handmade.sound()

    assert look(evidence)[1] == []


@pytest.mark.parametrize(("look", "broken"), BROKEN)
def test_what_is_broken_is_seen(look: Look, broken: Break) -> None:
    evidence, outside = handmade.sound()
    broken(evidence, outside)

    assert len(look(evidence)[1]) >= 1


def test_a_record_that_came_twice_is_no_disorder() -> None:
    evidence, outside = handmade.sound()
    added(AGAIN)(evidence, outside)

    assert wire.ordered(evidence)[1] == []
    assert wire.published(evidence)[1] == []


def test_a_dead_letter_on_its_topic_twice_is_kept_once() -> None:
    evidence, outside = handmade.sound()
    added(replace(evidence.lines[-1], offset=1))(evidence, outside)

    assert wire.poison(evidence)[1] == []
