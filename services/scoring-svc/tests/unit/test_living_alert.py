"""The life of alerts under any sequence of facts, times and acts of people."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from alert_life import Life
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts, Reason
from scoring_svc.alerts.rules import Alert, acknowledge, rank, resolve, snooze
from scoring_svc.conditions.rules import assess
from scoring_svc.scorecards.rules import DAY
from scoring_svc.situation.rules import Situation

NOW = 20_500 * DAY
CALM = Facts(score=68.0, confidence=0.5, renewal_at=NOW + 30 * DAY)

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
