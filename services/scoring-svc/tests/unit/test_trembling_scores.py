"""Scores that walk about at random near a rule's thresholds: they are said once, and never as two alerts in a day."""

from dataclasses import replace

import pytest
from alert_life import Life
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts
from scoring_svc.alerts.rules import HOUR
from scoring_svc.health.rules import Day, note_score, peak
from scoring_svc.scorecards.rules import DAY

NOW = 20_500 * DAY
steps = st.lists(st.floats(-1.5, 1.5), max_size=300)
# Between where a rule clears and where it would fire again for being worse by a step.
WALKS = {
    "health-below": (35.01, 44.99),
    "renewal-risk": (55.01, 64.99),
    "growth-opportunity": (75.0, 89.9),
}


def walk(start: float, moves: list[float], low: float, high: float) -> list[float]:
    """A path that is held between two scores."""
    path, at = [], start
    for move in moves:
        at = min(high, max(low, at + move))
        path.append(at)
    return path


@pytest.mark.parametrize("rule", WALKS)
@settings(max_examples=60)
@given(moves=steps)
def test_a_score_that_walks_between_its_thresholds_is_said_once(rule: str, moves: list[float]) -> None:
    config, life = DEFAULT_RULES[rule], Life({rule: DEFAULT_RULES[rule]})
    fell = False
    for hour, score in enumerate(walk(config.fire, moves, *WALKS[rule])):
        change = 1.0 if hour % 3 else -1.0
        facts = Facts(score, 0.5, change=change, renewal_at=NOW + 30 * DAY)
        life.look(facts, NOW + hour * HOUR)
        fell |= (score >= config.fire and change > 0) if rule == "growth-opportunity" else score < config.fire
    assert life.said == (["opened"] if fell else [])


@settings(max_examples=60)
@given(moves=steps)
def test_a_fall_that_trembles_is_said_once_and_ends_after_fourteen_days(moves: list[float]) -> None:
    """The best of the last days is kept as an evaluation keeps it, an hour at a time, for twice the window."""
    life, days = Life({"health-drop": DEFAULT_RULES["health-drop"]}), list[Day]()
    path = [70.0] * 24 + walk(55.0, moves, 50.01, 59.9)
    path += [path[-1]] * (24 * 28 - len(path))
    for hour, score in enumerate(path):
        at = NOW + hour * HOUR
        note_score(days, score, at)
        life.look(Facts(score, 0.5, peak=peak(days, at, 14.0)), at)
    fell = any(score <= 55.0 for score in path[: 24 + 14 * 24 - 1])
    assert life.said == (["opened", "resolved"] if fell else [])


@pytest.mark.parametrize("rule", WALKS)
@settings(max_examples=60)
@given(path=st.lists(st.floats(0, 100), max_size=200))
def test_however_wildly_a_score_jumps_within_a_day_there_is_one_alert(rule: str, path: list[float]) -> None:
    life = Life({rule: replace(DEFAULT_RULES[rule], step=100.0)})
    for number, score in enumerate(path):
        life.look(Facts(score, 0.5, change=1.0, renewal_at=NOW + 30 * DAY), NOW + number * DAY / 200)
    ends = [change for change in life.said if change != "updated"]
    assert len(life.ids) <= 1
    assert ends == ["opened", *["resolved", "reopened"] * 200][: len(ends)]
