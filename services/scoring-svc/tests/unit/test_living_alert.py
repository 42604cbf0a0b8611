"""The life of alerts under every rule, and under any sequence of facts, times and acts of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts, Reason, RuleConfig, by_alert_kind
from scoring_svc.alerts.rules import HOUR, Alert, acknowledge, decide, rank, resolve, snooze, standing_reasons
from scoring_svc.conditions.rules import assess
from scoring_svc.scorecards.rules import DAY
from scoring_svc.situation.rules import Situation

NOW = 20_500 * DAY
TODAY = 20_500
CALM = Facts(score=68.0, confidence=0.5, renewal_at=NOW + 30 * DAY)
USUAL = {TODAY - 60 - day: [0, 1] for day in range(40)}
REFUSED = [(NOW - hour * HOUR, "meeting-declined") for hour in (1, 2, 3)]

FIRING: Mapping[str, Facts] = MappingProxyType(
    {
        "health-below": CALM._replace(score=39.0, renewal_at=None),
        "health-drop": CALM._replace(score=52.0, peak=68.0),
        "evidence-burst": CALM._replace(negatives=REFUSED),
        "decisive-evidence": CALM._replace(marks={"not-invited": NOW}),
        "going-dark": CALM._replace(silence_days=60.001),
        "pattern-break": CALM._replace(negatives=REFUSED[:1], tally=USUAL | {TODAY: [4, 4]}),
        "renewal-risk": CALM._replace(score=59.0),
        "champion-lost": CALM._replace(situation=Situation(champions_lost=1)),
        "detractor-with-veto": CALM._replace(situation=Situation(opposing_vetoes=1)),
        "single-threaded": CALM._replace(situation=Situation(thread_share=100.0)),
        "plan-slipping": CALM._replace(situation=Situation(overdue=[NOW - 20 * DAY] * 2)),
        "growth-opportunity": CALM._replace(score=81.0, change=2.0),
    }
)
# The other side of the fire threshold, and not past the clear threshold.
BETWEEN: Mapping[str, Facts] = MappingProxyType(
    {
        "health-below": FIRING["health-below"]._replace(score=41.0),
        "health-drop": CALM._replace(score=54.0, peak=68.0),
        "evidence-burst": CALM._replace(negatives=REFUSED[:2]),
        "pattern-break": CALM._replace(negatives=REFUSED[:1], tally=USUAL | {TODAY: [2, 9]}),
        "renewal-risk": CALM._replace(score=61.0),
        "single-threaded": CALM._replace(situation=Situation(thread_share=79.0)),
        "plan-slipping": CALM._replace(situation=Situation(overdue=[NOW - 20 * DAY])),
        "growth-opportunity": CALM._replace(score=79.0, change=-2.0),
    }
)


@dataclass
class Life:
    """The alerts of one account, judged as an evaluation does it, and what was said about them."""

    rules: Mapping[str, RuleConfig]
    alerts: dict[str, Alert] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)

    def new_id(self) -> UUID:
        self.ids.append(UUID(int=len(self.ids) + 1))
        return self.ids[-1]

    def look(self, facts: Facts, at: float) -> None:
        before, self.waiting = self.waiting, {}
        for kind, rules in by_alert_kind(self.rules).items():
            alert = self.alerts.get(kind)
            outcome = standing_reasons(rules, facts, alert.held if alert else {}, before, at)
            self.waiting |= outcome.waiting
            decision = decide(alert, outcome.reasons, rules, at, self.new_id, kind)
            if decision is not None:
                self.alerts[kind] = decision.alert
                self.said += [decision.change] if decision.change else []


def test_every_rule_is_here() -> None:
    assert FIRING.keys() == DEFAULT_RULES.keys()


@pytest.mark.parametrize("rule", DEFAULT_RULES)
def test_a_rule_holds_fires_clears_reopens_and_later_opens_anew(rule: str) -> None:
    config = replace(DEFAULT_RULES[rule], hold_hours=2.0, cool_down_hours=24.0)
    life, firing = Life({rule: config}), FIRING[rule]
    life.look(firing, NOW)
    life.look(firing, NOW + HOUR)
    assert life.said == []
    life.look(firing, NOW + 2 * HOUR)
    assert life.said == ["opened"]
    life.look(CALM, NOW + 3 * HOUR)
    assert life.said == ["opened", "resolved"]
    life.look(firing, NOW + 4 * HOUR)
    life.look(firing, NOW + 6 * HOUR)
    [alert] = life.alerts.values()
    assert (life.said[2:], alert.episode, life.ids) == (["reopened"], 2, [alert.id])
    life.look(CALM, NOW + 7 * HOUR)
    later = firing if rule not in {"evidence-burst", "pattern-break"} else firing._replace(negatives=REFUSED)
    life.look(later, NOW + 32 * HOUR)
    life.look(later, NOW + 34 * HOUR)
    assert (life.said[3:], len(life.ids)) == (["resolved", "opened"], 2)


@pytest.mark.parametrize("rule", DEFAULT_RULES)
def test_what_does_not_last_for_the_hold_raises_nothing(rule: str) -> None:
    life = Life({rule: replace(DEFAULT_RULES[rule], hold_hours=2.0)})
    for hour in range(20):
        life.look(FIRING[rule] if hour % 2 else CALM, NOW + hour * HOUR)
    assert life.said == []


@pytest.mark.parametrize("rule", BETWEEN)
def test_what_trembles_around_its_threshold_is_said_once(rule: str) -> None:
    life = Life({rule: replace(DEFAULT_RULES[rule], hold_hours=0.0)})
    for minute in range(100):
        life.look((BETWEEN if minute % 2 else FIRING)[rule], NOW + 60.0 * minute)
    assert life.said == ["opened"]


facts = st.builds(
    CALM._replace,  # not the class: what is not named here stays calm
    score=st.floats(0, 100),
    confidence=st.just(0.5),
    peak=st.none() | st.floats(60, 100),
    silence_days=st.none() | st.floats(0, 100),
    tier=st.sampled_from(["A", "B", None]),
    change=st.floats(-5, 5),
    renewal_at=st.none() | st.just(NOW + 60 * DAY),
    situation=st.builds(
        Situation,
        thread_share=st.none(),
        whitespace=st.none(),
        champions=st.integers(0, 1),
        champions_lost=st.integers(0, 1),
        opposing_vetoes=st.integers(0, 2),
        overdue=st.lists(st.just(NOW - 30 * DAY), max_size=4),
    ),
)
acts = st.sampled_from(["nothing", "nothing", "resolve", "acknowledge", "snooze"])
RULES = {rule: replace(config, hold_hours=0.0) for rule, config in DEFAULT_RULES.items()}


def act_on(alert: Alert, act: str, at: float) -> Alert:
    if alert.status == "resolved":
        return alert
    done: dict[str, Any] = {
        "nothing": lambda: alert,
        "resolve": lambda: resolve(alert, "ana", "we spoke", at),
        "acknowledge": lambda: acknowledge(alert, "ana", at),
        "snooze": lambda: snooze(alert, at + 3 * DAY),
    }
    return done[act]()


@settings(max_examples=60)
@given(st.lists(st.tuples(facts, st.floats(0.01, 5.0), acts), max_size=12))
def test_a_living_alert_is_what_its_rules_and_people_make_of_it(steps: list[tuple[Facts, float, str]]) -> None:
    """The oracle follows each rule by itself and knows nothing of alerts but what people silenced."""
    life, at = Life(RULES), NOW
    held: dict[str, Reason] = {}
    silent: dict[str, set[str]] = {"at-risk": set(), "plan": set(), "growth": set()}
    unresolved: dict[UUID, str] = {}
    for now_known, days, act in steps:
        at += days * DAY
        # Acknowledging is a fact for one rule only, which these facts never fire.
        held = {
            rule: reason
            for rule, config in RULES.items()
            if (reason := assess(config, now_known, held.get(rule), at)) is not None
        }
        life.look(now_known, at)
        for kind, before in list(silent.items()):
            holding = {rule for rule in held if RULES[rule].alert_kind == kind}
            silenced = before & holding
            silent[kind] = set() if holding - silenced else silenced
            alert = life.alerts.get(kind)
            if holding - silenced:
                assert alert is not None
                assert alert.status != "resolved"
                assert {reason.rule for reason in alert.reasons} == holding
                assert alert.severity == max((held[rule].severity for rule in holding), key=rank)
            else:
                assert alert is None or alert.status == "resolved"
        for kind, alert in life.alerts.items():
            after = life.alerts[kind] = act_on(alert, act, at)
            if after.status == "resolved" and alert.status != "resolved":
                silent[kind] = set(alert.held)
            if after.status == "resolved":
                unresolved.pop(after.id, None)
            else:
                unresolved[after.id] = kind
        assert len(unresolved) == len(set(unresolved.values()))
