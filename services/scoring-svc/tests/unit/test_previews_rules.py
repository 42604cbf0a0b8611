"""A rule walked through a past: what it would have raised, when, for how long."""

from dataclasses import replace
from typing import Any

import pytest

from scoring_svc.alert_rules.rules import DEFAULT_RULES
from scoring_svc.previews.rules import Moment, Past, Raised, Seen, raised, silence
from scoring_svc.scorecards.rules import DAY, DEFAULT

NOW = 20_500 * DAY


def moment(days_ago: float, score: float, engagement: float | None = None) -> Moment:
    return Moment(NOW - days_ago * DAY, score, 0.5, None, engagement)


def found(rule: str, past: Past, **changes: Any) -> list[Raised]:
    return raised(replace(DEFAULT_RULES[rule], **changes), past, DEFAULT, NOW)


def test_an_account_without_a_past_raises_nothing() -> None:
    assert found("health-below", Past([], [])) == []


def test_a_fall_and_a_recovery_are_one_alert_with_its_days() -> None:
    past = Past([moment(200, 60), moment(50, 35), moment(45, 44), moment(40, 46)], [])
    [alert] = found("health-below", past)
    assert (alert.opened_at, alert.resolved_at) == (NOW - 50 * DAY, NOW - 40 * DAY)
    assert (alert.severity, alert.value) == ("high", 35)
    assert found("health-below", past, fire=30.0) == []
    assert [one.resolved_at for one in found("health-below", past, clear=50.0)] == [None]


def test_what_fires_again_within_the_cool_down_is_the_same_alert() -> None:
    past = Past([moment(50, 35), moment(40, 46), moment(39.5, 35)], [])
    assert [(one.resolved_at, one.reopened) for one in found("health-below", past)] == [(None, 1)]
    assert [one.reopened for one in found("health-below", past, cool_down_hours=1.0)] == [0, 0]


def test_a_hold_waits_and_a_dip_shorter_than_it_raises_nothing() -> None:
    past = Past([moment(50, 35), moment(40, 46)], [])
    assert found("health-below", past, hold_hours=240.0) == []
    [alert] = found("health-below", past, hold_hours=48.0)
    assert alert.opened_at == NOW - 48 * DAY


def test_bursts_and_drops_are_found_where_they_were() -> None:
    refused = [Seen(NOW - day * DAY, "meeting-declined", True) for day in (22, 21, 20)]
    [burst] = found("evidence-burst", Past([moment(100, 60)], refused))
    assert (burst.opened_at, burst.resolved_at) == (NOW - 20 * DAY, NOW - 13 * DAY)
    [drop] = found("health-drop", Past([moment(30, 80), moment(29, 60)], []))
    assert (drop.opened_at, drop.value, drop.resolved_at) == (NOW - 29 * DAY, 20.0, NOW - 15 * DAY)


def test_silence_is_read_from_engagement() -> None:
    assert silence(moment(0, 60, None), 10.0, 75.0, NOW) is None
    assert silence(moment(2, 60, 75.0), 10.0, 75.0, NOW) == 2.0
    assert silence(moment(0, 60, 37.5), 10.0, 75.0, NOW) == pytest.approx(20.0)
    assert [one.opened_at for one in found("going-dark", Past([moment(30, 60, 0.0)], []))] == [NOW - 30 * DAY]
