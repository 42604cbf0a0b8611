"""Rules about people, plans, renewals, patterns and growth: fire, hold, clear, and time's part in them."""

from dataclasses import replace
from typing import Any

import pytest

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts, Reason
from scoring_svc.conditions.rules import assess, rule_deadlines
from scoring_svc.scorecards.rules import DAY
from scoring_svc.situation.rules import Situation

NOW = 20_500 * DAY + 3_600.0
TODAY = 20_500
CALM = Facts(score=62.0, confidence=0.5)


def fired(rule: str, facts: Facts, held: Reason | None = None, as_of: float = NOW) -> Reason | None:
    return assess(DEFAULT_RULES[rule], facts, held, as_of)


def held(rule: str, facts: Facts) -> Reason:
    reason = fired(rule, facts)
    assert reason is not None
    return reason


def about(**known: Any) -> Facts:
    return CALM._replace(situation=Situation(**known))


@pytest.mark.parametrize(
    ("rule", "calm", "fires", "holds", "clears"),
    [
        ("champion-lost", {"champions_lost": 1, "champions": 1}, {"champions_lost": 1}, {"champions_lost": 1}, {}),
        ("detractor-with-veto", {}, {"opposing_vetoes": 1}, {"opposing_vetoes": 1}, {"champions": 1}),
        ("single-threaded", {"thread_share": 79.0}, {"thread_share": 80.0}, {"thread_share": 61.0}, {"thread_share": 60.0}),  # noqa: E501
        ("plan-slipping", {"overdue": [NOW - 8 * DAY]}, {"overdue": [NOW - 8 * DAY] * 2}, {"overdue": [NOW]}, {}),
    ],
)  # fmt: skip
def test_a_rule_about_people_or_plans_fires_holds_and_clears(
    rule: str, calm: Any, fires: Any, holds: Any, clears: Any
) -> None:
    assert fired(rule, about(**calm)) is None
    reason = held(rule, about(**fires))
    assert reason == fired(rule, about(**holds), reason, NOW + DAY)
    assert fired(rule, about(**clears), reason, NOW + DAY) is None


def test_a_second_detractor_with_a_veto_fires_again() -> None:
    reason = held("detractor-with-veto", about(opposing_vetoes=1))
    worse = fired("detractor-with-veto", about(opposing_vetoes=2), reason, NOW + DAY)
    assert worse is not None
    assert (worse.since, worse.fired_at, worse.value) == (NOW, NOW + DAY, 2.0)


def test_actions_count_as_slipping_when_late_for_more_than_a_week() -> None:
    late = about(overdue=[NOW - 7 * DAY] * 2)
    assert fired("plan-slipping", late) is None
    assert NOW in rule_deadlines(DEFAULT_RULES, late, {}, NOW - DAY)
    assert held("plan-slipping", about(overdue=[NOW - 7 * DAY - 1] * 2)).value == 2.0


def test_a_renewal_is_at_risk_within_90_days_and_below_60() -> None:
    near = CALM._replace(score=59.9, renewal_at=NOW + 90 * DAY)
    assert fired("renewal-risk", near._replace(renewal_at=NOW + 90 * DAY + 1)) is None
    assert fired("renewal-risk", near._replace(score=60.0)) is None
    assert fired("renewal-risk", near._replace(confidence=0.1)) is None
    assert fired("renewal-risk", near._replace(renewal_at=NOW - 1)) is None
    assert near.renewal_at is not None
    assert NOW in rule_deadlines(DEFAULT_RULES, near, {}, NOW - DAY)
    reason = held("renewal-risk", near)
    assert reason == fired("renewal-risk", near._replace(score=64.9), reason, NOW + DAY)
    assert reason == fired("renewal-risk", near, reason, near.renewal_at + DAY)
    assert fired("renewal-risk", near._replace(score=65.0), reason) is None
    assert fired("renewal-risk", near._replace(renewal_at=NOW + 400 * DAY), reason) is None
    assert fired("renewal-risk", near._replace(marks={"renewal-signed": NOW + 1}), reason, NOW + 2) is None


def test_a_pattern_breaks_when_refusals_are_more_than_chance_and_is_mended_when_they_are_not() -> None:
    past = {TODAY - 40 - day: [0, 1] for day in range(20)}
    facts = CALM._replace(negatives=[(NOW, "meeting-declined")], tally=past | {TODAY: [3, 3]})
    assert fired("pattern-break", facts) is None
    facts = facts._replace(tally=past | {TODAY: [4, 4]})
    reason = held("pattern-break", facts)
    assert reason.value < 0.01
    assert rule_deadlines(DEFAULT_RULES, facts, {}, NOW)[-1] == (TODAY + 1) * DAY
    milder = facts._replace(tally=past | {TODAY: [2, 9]})
    assert fired("pattern-break", milder) is None
    assert reason == fired("pattern-break", milder, reason)
    assert fired("pattern-break", facts._replace(tally=past | {TODAY: [1, 9]}), reason) is None
    assert fired("pattern-break", facts, reason, NOW + 40 * DAY) is None


def test_growth_calls_when_an_account_is_well_and_rising_or_has_room_and_an_open_mind() -> None:
    well = CALM._replace(score=80.0, change=1.0)
    assert fired("growth-opportunity", well._replace(change=0.0)) is None
    assert fired("growth-opportunity", well._replace(confidence=0.1)) is None
    reason = held("growth-opportunity", well)
    assert (reason.severity, reason.value) == ("low", 80.0)
    assert reason == fired("growth-opportunity", well._replace(score=75.0, change=-5.0), reason)
    assert fired("growth-opportunity", well._replace(score=74.9), reason) is None
    room = about(whitespace=100_000.0)._replace(mind=70.0)
    assert fired("growth-opportunity", room._replace(mind=69.0)) is None
    assert fired("growth-opportunity", about(whitespace=99_999.0)._replace(mind=70.0)) is None
    assert held("growth-opportunity", room).value == 62.0


def test_a_rule_for_some_tiers_passes_over_the_others() -> None:
    rule = replace(DEFAULT_RULES["champion-lost"], tiers=frozenset({"A", "B"}))
    facts = about(champions_lost=1)
    assert assess(rule, facts, None, NOW) is None
    assert assess(rule, facts._replace(tier="C"), None, NOW) is None
    assert assess(rule, facts._replace(tier="B"), None, NOW) is not None


@pytest.mark.parametrize("part", ["industry", "territory"])
def test_a_rule_for_a_segment_is_for_accounts_of_all_its_parts_and_clears_where_they_are_no_more(part: str) -> None:
    names = {"industry": "industries", "territory": "territories"}
    segment: dict[str, Any] = {"tiers": frozenset({"A"}), names[part]: frozenset({"x", "y"})}
    rule, facts = replace(DEFAULT_RULES["champion-lost"], **segment), about(champions_lost=1)._replace(tier="A")
    reason = assess(rule, facts._replace(**{part: "y"}), None, NOW)
    assert reason is not None
    for other in (facts, facts._replace(**{part: "z"}), facts._replace(**{part: "x", "tier": "B"})):
        assert assess(rule, other, None, NOW) is None
        assert assess(rule, other, reason, NOW) is None
