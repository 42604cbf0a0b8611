"""Which news a route takes, and when it is due there."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest

from scoring_svc.routing.rules import Due, News, Route, destinations, due, takes

HERE, THERE, OWNER = UUID(int=1), UUID(int=2), UUID(int=3)


def news(**given: Any) -> News:
    said: dict[str, Any] = {"tenant": "acme", "alert_id": UUID(int=9), "account_id": "a", "episode": 1}
    said |= {"change": "opened", "kind": "at-risk", "rules": frozenset({"going-dark", "health-below"})}
    return News(**{**said, "severity": "high", "tier": "B", "owner_id": OWNER, **given})


def route(**given: Any) -> Route:
    return Route(**{"id": UUID(int=5), "channels": (HERE,), **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"kinds": frozenset({"growth"})}, False),
        ({"rules": frozenset({"going-dark", "x"})}, True),
        ({"rules": frozenset({"x"})}, False),
        ({"min_severity": "high"}, True),
        ({"min_severity": "critical"}, False),
        ({"tiers": frozenset({"A"})}, False),
        ({"owners": frozenset({OWNER})}, True),
        ({"owners": frozenset({HERE})}, False),
    ],
)
def test_every_condition_must_be_met(given: dict[str, Any], expected: bool) -> None:
    assert takes(route(**given), news()) is expected


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02T16:59", "2026-03-02T16:59"),  # 17:59 in Berlin
        ("2026-03-02T17:00", "2026-03-03T07:00"),
        ("2026-03-03T06:59", "2026-03-03T07:00"),
        ("2026-03-03T07:00", "2026-03-03T07:00"),
        ("2026-03-28T22:00", "2026-03-29T06:00"),  # clocks go forward in that night
    ],
)
def test_quiet_hours_end_by_the_clocks_there(now: str, expected: str) -> None:
    quiet = route(quiet_from=time(18), quiet_to=time(8), time_zone="Europe/Berlin")
    assert due(quiet, "high", at(now)) == Due(at(expected), digest=False)


def test_quiet_hours_may_lie_within_a_day() -> None:
    quiet = route(quiet_from=time(12), quiet_to=time(13))
    assert due(quiet, "low", at("2026-03-02T12:30")).at == at("2026-03-02T13:00")
    assert due(quiet, "low", at("2026-03-02T11:59")).at == at("2026-03-02T11:59")
    assert due(quiet, "low", at("2026-03-02T13:00")).at == at("2026-03-02T13:00")


def test_what_is_critical_waits_for_nothing() -> None:
    now = at("2026-03-02T20:00")
    for slow in (route(quiet_from=time(18), quiet_to=time(8)), route(digest_at=time(8))):
        assert due(slow, "critical", now) == Due(now, digest=False)


def test_a_digest_comes_at_its_time_of_day() -> None:
    daily = route(digest_at=time(9))
    assert due(daily, "high", at("2026-03-02T08:00")) == Due(at("2026-03-02T09:00"), digest=True)
    assert due(daily, "high", at("2026-03-02T09:00")) == Due(at("2026-03-03T09:00"), digest=True)


def test_a_channel_is_told_once_by_the_route_that_is_first() -> None:
    slow, fast = route(digest_at=time(9), channels=(HERE, THERE)), route(id=UUID(int=6))
    now = at("2026-03-02T10:00")
    found = destinations([slow, fast], news(), now)
    assert (found[HERE], found[THERE][1].digest) == ((UUID(int=6), Due(now, digest=False)), True)


def test_channels_of_a_rule_are_told_at_once_where_no_route_leads() -> None:
    now, slow = at("2026-03-02T10:00"), route(digest_at=time(9))
    of_rules = {"going-dark": {HERE, THERE}, "champion-lost": {OWNER}}
    found = destinations([slow], news(), now, of_rules)
    assert (found.keys(), found[THERE]) == ({HERE, THERE}, (None, Due(now, digest=False)))
    assert found[HERE] == (slow.id, due(slow, "high", now))
    assert destinations([slow], news(rules=frozenset({"x"})), now, of_rules).keys() == {HERE}
