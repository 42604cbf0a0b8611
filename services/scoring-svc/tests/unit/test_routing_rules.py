"""Which news a route takes, and when it is due there."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("now", "until", "expected"),
    [
        ("2026-10-24T22:00", time(8), "2026-10-25T07:00"),  # clocks go back in that night, which is an hour longer
        ("2026-03-29T00:30", time(2, 30), "2026-03-29T01:30"),  # 01:30, and there is no 02:30 in that night
        ("2026-10-25T00:15", time(2, 30), "2026-10-25T00:30"),  # 02:15 the first time
        ("2026-10-25T00:45", time(2, 30), "2026-10-25T00:45"),  # 02:45 the first time
        ("2026-10-25T01:15", time(2, 30), "2026-10-25T01:30"),  # 02:15 the second time
        ("2026-10-25T01:30", time(2, 30), "2026-10-25T01:30"),
    ],
)
def test_quiet_hours_end_by_clocks_that_are_changed(now: str, until: time, expected: str) -> None:
    quiet = route(quiet_from=time(22), quiet_to=until, time_zone="Europe/Berlin")
    assert due(quiet, "high", at(now)) == Due(at(expected), digest=False)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-10-24T23:00", "2026-10-25T00:30"),
        ("2026-10-25T00:45", "2026-10-26T01:30"),  # 02:45 the first time: the second 02:30 is not another day
        ("2026-10-25T01:15", "2026-10-26T01:30"),
        ("2026-03-28T23:00", "2026-03-29T01:30"),
    ],
)
def test_a_digest_comes_once_a_day_also_when_clocks_are_changed(now: str, expected: str) -> None:
    daily = route(digest_at=time(2, 30), time_zone="Europe/Berlin")
    assert due(daily, "high", at(now)) == Due(at(expected), digest=True)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - given as UTC
    st.times(),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_what_waits_is_due_when_it_is_quiet_no_more_and_within_a_day(
    now: datetime, start: time, end: time, zone: str
) -> None:
    hours = (end.hour - start.hour) % 24
    assume(0 < hours < 20)  # where all of the rest of a day is jumped over, what waited is sent when it was to be
    quiet = route(quiet_from=start, quiet_to=end, time_zone=zone)
    when = due(quiet, "high", now).at
    assert now <= when <= now + timedelta(hours=25)
    assert due(quiet, "high", when).at == when


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
