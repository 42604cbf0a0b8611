"""The life of an alert: opened once, updated, snoozed, resolved, reopened; by rules and by people."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts, Reason
from scoring_svc.alerts.rules import (
    HOUR,
    Alert,
    Decision,
    acknowledge,
    decide,
    priority,
    resolve,
    snooze,
    standing_reasons,
    summary,
)
from scoring_svc.scorecards.rules import DAY

NOW = 1_770_000_000.0
FIRST, SECOND = UUID(int=1), UUID(int=2)


def reason(rule: str = "health-below", severity: str = "high", value: float = 39.0, at: float = NOW) -> Reason:
    return Reason(rule, at, severity, value, 40.0, 45.0, at)


def decided(current: Alert | None, *reasons: Reason, at: float = NOW, new_id: UUID = FIRST) -> Decision | None:
    return decide(current, reasons, DEFAULT_RULES, at, lambda: new_id)


def opened(*reasons: Reason) -> Alert:
    decision = decided(None, *(reasons or (reason(),)))
    assert decision is not None
    assert decision.change == "opened"
    return decision.alert


def test_no_reason_no_alert() -> None:
    assert decided(None) is None


def test_many_rules_make_one_alert_of_the_highest_severity() -> None:
    alert = opened(reason(), reason("health-drop", "medium"))
    assert (alert.status, alert.severity, alert.firings, alert.episode) == ("open", "high", 2, 1)


def test_nothing_new_changes_nothing() -> None:
    assert decided(opened(), reason(), at=NOW + DAY) is None


def test_a_reason_joining_or_leaving_is_an_update_and_the_last_one_leaving_resolves() -> None:
    joined = decided(opened(), reason(), reason("going-dark", "medium", at=NOW + 1), at=NOW + 1)
    assert joined is not None
    assert (joined.change, joined.joined, joined.alert.firings) == ("updated", ("going-dark",), 2)
    left = decided(joined.alert, joined.alert.reasons[1], at=NOW + 2)
    assert left is not None
    assert (left.change, left.left, left.alert.severity) == ("updated", ("health-below",), "medium")
    done = decided(left.alert, at=NOW + 3)
    assert done is not None
    assert (done.change, done.alert.resolved_by, done.alert.resolved_at) == ("resolved", "rules", NOW + 3)


def test_a_rule_that_fires_again_counts_and_keeps_acknowledgement_and_snooze() -> None:
    alert = snooze(acknowledge(opened(), "ana", NOW), NOW + DAY)
    again = decided(alert, reason(value=30.0), at=NOW + 60)
    assert again is not None
    assert (
        again.change,
        again.alert.status,
        again.alert.firings,
        again.alert.last_fired_at,
    ) == ("updated", "snoozed", 2, NOW + 60)
    assert (again.alert.acknowledged_at, again.alert.snoozed_until) == (NOW, NOW + DAY)


def test_a_snooze_ends_by_time_or_by_a_reason_of_higher_severity() -> None:
    snoozed = snooze(acknowledge(opened(), "ana", NOW), NOW + DAY)
    assert decided(snoozed, reason(), at=NOW + HOUR) is None
    same = decided(snoozed, reason(), reason("going-dark"), at=NOW + HOUR)
    assert same is not None
    assert same.alert.status == "snoozed"
    over = decided(snoozed, reason(), at=NOW + DAY)
    assert over is not None
    assert (over.alert.status, over.alert.snoozed_until) == ("acknowledged", None)
    worse = decided(snooze(opened(), NOW + DAY), reason(), reason("decisive-evidence", "critical"), at=NOW + HOUR)
    assert worse is not None
    assert worse.alert.status == "open"


def test_firing_within_the_cool_down_reopens_the_alert_and_later_opens_a_new_one() -> None:
    done = decided(opened(), at=NOW + 1)
    assert done is not None
    soon = decided(done.alert, reason(at=NOW + 23 * HOUR), at=NOW + 23 * HOUR, new_id=SECOND)
    assert soon is not None
    assert (
        soon.change,
        soon.alert.id,
        soon.alert.episode,
        soon.alert.status,
        soon.alert.resolved_at,
    ) == ("reopened", FIRST, 2, "open", None)
    late = decided(done.alert, reason(at=NOW + 25 * HOUR), at=NOW + 25 * HOUR, new_id=SECOND)
    assert late is not None
    assert (late.change, late.alert.id, late.alert.episode) == ("opened", SECOND, 1)


def test_what_a_person_resolved_stays_so_until_something_new_fires_or_the_same_fires_anew() -> None:
    done = resolve(opened(), "ana", "we spoke", NOW)
    assert decided(done, reason(), at=NOW + HOUR) is None
    new = decided(done, reason(), reason("going-dark", at=NOW + HOUR), at=NOW + HOUR)
    assert new is not None
    assert new.change == "reopened"
    cleared = decided(done, at=NOW + HOUR)
    assert cleared is not None
    assert (cleared.change, cleared.alert.reasons) == (None, ())
    anew = decided(cleared.alert, reason(at=NOW + 2 * HOUR), at=NOW + 2 * HOUR)
    assert anew is not None
    assert anew.change == "reopened"


def test_a_condition_must_last_for_its_hold_before_it_fires() -> None:
    rules = dict(DEFAULT_RULES) | {"health-below": replace(DEFAULT_RULES["health-below"], hold_hours=2.0)}
    low, calm = Facts(30.0, 0.5), Facts(60.0, 0.5)
    first = standing_reasons(rules, low, {}, {}, NOW)
    assert (first.reasons, first.waiting) == ((), {"health-below": NOW})
    assert standing_reasons(rules, calm, {}, first.waiting, NOW + HOUR).waiting == {}
    held = standing_reasons(rules, low, {}, first.waiting, NOW + 2 * HOUR)
    assert [found.rule for found in held.reasons] == ["health-below"]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 20)), max_size=60))
def test_however_the_score_moves_an_alert_is_open_exactly_while_a_rule_holds(moves: list[tuple[float, float]]) -> None:
    alert, at, changes = None, NOW, 0
    for score, days in moves:
        at += days * DAY
        held = alert.held if alert is not None else {}
        reasons = standing_reasons(DEFAULT_RULES, Facts(score, 0.5), held, {}, at).reasons
        decision = decide(alert, reasons, DEFAULT_RULES, at, lambda: FIRST)
        changes += decision is not None
        alert = decision.alert if decision is not None else alert
        assert (alert is not None and alert.status != "resolved") == bool(reasons)
    assert changes <= len(moves)


def test_priority_and_summary_are_for_people() -> None:
    assert priority("critical", 1000.0, 40.0) == 4 * 1000.0 * 60.0
    assert priority("low", None, 50.0) == 50.0
    assert summary("Acme", opened(), 37.4, 52.0) == "Acme is at risk: 37 (was 52)"
    assert summary("Acme", opened(reason("going-dark")), 60.0, 60.2) == "Acme is going dark: 60"
    assert summary("Acme", resolve(opened(), "rules", "", NOW), 50.0, 40.0) == "Acme has recovered: 50"
