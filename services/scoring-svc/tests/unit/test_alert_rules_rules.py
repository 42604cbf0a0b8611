"""Each rule: when it fires, what holds it, what clears it, and what makes it fire again."""

from dataclasses import replace

import pytest

from scoring_svc.alert_rules.rules import (
    DEFAULT_RULES,
    Facts,
    Reason,
    RuleConfig,
    in_order,
    severity_of,
)
from scoring_svc.conditions.rules import assess, rule_deadlines, rule_thresholds
from scoring_svc.scorecards.rules import DAY

NOW = 1_770_000_000.0
CALM = Facts(score=60.0, confidence=0.5)


def fired(rule: str, facts: Facts, held: Reason | None = None, as_of: float = NOW) -> Reason | None:
    return assess(DEFAULT_RULES[rule], facts, held, as_of)


def held(rule: str, facts: Facts, as_of: float = NOW) -> Reason:
    reason = fired(rule, facts, as_of=as_of)
    assert reason is not None
    return reason


def test_health_below_fires_under_40_when_sure_enough_and_holds_until_45() -> None:
    assert fired("health-below", CALM._replace(score=40.0)) is None
    assert fired("health-below", CALM._replace(score=39.9, confidence=0.14)) is None
    reason = held("health-below", CALM._replace(score=39.9))
    assert (reason.value, reason.threshold, reason.clear_threshold) == (39.9, 40.0, 45.0)
    assert reason == fired("health-below", CALM._replace(score=44.9), reason, NOW + DAY)
    assert fired("health-below", CALM._replace(score=45.0), reason) is None
    worse = fired("health-below", CALM._replace(score=34.9), reason, NOW + DAY)
    assert worse is not None
    assert (worse.since, worse.fired_at, worse.value) == (NOW, NOW + DAY, 34.9)


def test_health_drop_fires_at_15_points_and_clears_when_half_is_recovered() -> None:
    assert fired("health-drop", CALM._replace(peak=74.9)) is None
    reason = held("health-drop", CALM._replace(peak=80.0))
    assert (reason.value, reason.threshold, reason.clear_threshold, reason.reference) == (20.0, 15.0, 10.0, 80.0)
    assert reason == fired("health-drop", CALM._replace(score=69.9, peak=80.0), reason)
    assert fired("health-drop", CALM._replace(score=70.0, peak=80.0), reason) is None
    assert fired("health-drop", CALM._replace(peak=60.0), reason, NOW + 14 * DAY) is None


def test_a_burst_needs_three_refusals_in_a_week_and_ends_a_week_after_the_last() -> None:
    days = [(NOW - day * DAY, "meeting-declined") for day in (0, 2, 6)]
    assert fired("evidence-burst", CALM._replace(negatives=days[:2])) is None
    assert fired("evidence-burst", CALM._replace(negatives=[*days[:2], (NOW - 8 * DAY, "meeting-declined")])) is None
    reason = held("evidence-burst", CALM._replace(negatives=days))
    assert (reason.value, reason.reference) == (3.0, NOW)
    assert reason == fired("evidence-burst", CALM._replace(negatives=days), reason, NOW + 6.9 * DAY)
    assert fired("evidence-burst", CALM._replace(negatives=days), reason, NOW + 7 * DAY) is None
    again = [(NOW + DAY / 2, "scope-reduced"), *days]
    assert getattr(fired("evidence-burst", CALM._replace(negatives=again), reason, NOW + DAY / 2), "value", None) == 4.0


def test_calls_without_an_answer_are_no_burst_because_their_number_says_little() -> None:
    assert fired("evidence-burst", CALM._replace(negatives=[(NOW, "call-unreturned")] * 5)) is None


def test_decisive_evidence_stands_until_acknowledged_for_14_days_or_the_opposite_comes() -> None:
    facts = CALM._replace(marks={"renewal-declined": NOW})
    reason = held("decisive-evidence", facts)
    later = NOW + 20 * DAY
    assert reason == fired("decisive-evidence", facts, reason, later)
    assert fired("decisive-evidence", facts._replace(acknowledged=True), reason, later) is None
    assert reason == fired("decisive-evidence", facts._replace(acknowledged=True), reason, NOW + 13 * DAY)
    signed = facts._replace(marks={"renewal-declined": NOW, "renewal-signed": NOW + 1})
    assert fired("decisive-evidence", signed, reason) is None
    assert fired("decisive-evidence", facts, None, later) is None


def test_a_burst_is_looked_at_again_a_week_after_the_newest_refusal() -> None:
    days = [(NOW - day * DAY, "meeting-declined") for day in (0, 2, 6)]
    reason = held("evidence-burst", CALM._replace(negatives=days))
    later = CALM._replace(negatives=[(NOW + 5 * DAY, "call-unreturned"), (NOW + 3 * DAY, "scope-reduced"), *days])
    assert rule_deadlines(DEFAULT_RULES, later, {"evidence-burst": reason}, NOW) == [NOW + 10 * DAY]


def test_going_dark_begins_where_silence_passed_two_cadences_not_where_we_looked() -> None:
    silent = CALM._replace(silence_days=20.0, cadence_days=7.0)
    assert fired("going-dark", silent._replace(silence_days=14.0)) is None
    reason = held("going-dark", silent)
    assert pytest.approx(reason.since) == NOW - 6 * DAY
    assert fired("going-dark", silent._replace(silence_days=0.0), reason) is None
    assert getattr(fired("going-dark", silent._replace(silence_days=28.0), reason), "value", None) == 4.0


def test_severity_rises_with_tier_and_value_and_not_past_critical() -> None:
    below = DEFAULT_RULES["health-below"]
    assert severity_of(below, CALM) == "high"
    assert severity_of(below, CALM._replace(tier="A")) == "critical"
    assert severity_of(below, CALM._replace(tier="A", value=2e6)) == "critical"
    assert severity_of(DEFAULT_RULES["going-dark"], CALM._replace(value=1e6)) == "high"


def test_a_rule_that_is_switched_off_clears() -> None:
    off = replace(DEFAULT_RULES["health-below"], enabled=False)
    reason = held("health-below", CALM._replace(score=10.0))
    assert assess(off, CALM._replace(score=10.0), reason, NOW) is None


def test_deadlines_and_thresholds_name_what_time_can_change() -> None:
    facts = CALM._replace(silence_days=3.0, cadence_days=7.0, peak=80.0)
    drop = held("health-drop", facts)
    assert rule_deadlines(DEFAULT_RULES, facts, {"health-drop": drop}, NOW) == [NOW + 11 * DAY, NOW + 14 * DAY]
    assert rule_thresholds(DEFAULT_RULES, {"health-drop": drop}) == [40.0, 60.0, 80.0, 70.0]


@pytest.mark.parametrize(
    ("rule", "fire", "clear", "expected"),
    [
        ("health-below", 40.0, 45.0, True),
        ("health-below", 40.0, 39.0, False),
        ("health-drop", 15.0, 1.0, False),
        ("going-dark", 2.0, 3.0, False),
        ("evidence-burst", 3.0, 3.0, False),
        ("evidence-burst", 3.0, 1.0, True),
        ("renewal-risk", 60.0, 59.0, False),
        ("pattern-break", 0.1, 0.01, False),
        ("pattern-break", 0.01, 0.1, True),
        ("single-threaded", 80.0, 80.0, False),
        ("growth-opportunity", 80.0, 85.0, False),
    ],
)
def test_a_rule_clears_on_the_other_side_of_where_it_fires(
    rule: str, fire: float, clear: float, expected: bool
) -> None:
    assert expected == in_order(RuleConfig(rule, "high", fire, clear))
