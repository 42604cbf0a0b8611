"""Every rule by every property: fires, holds off, stays, clears, cools down, reopens, and does not tremble."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pytest
from alert_life import Life

from scoring_svc.alert_rules.rules import DEFAULT_RULES, Facts, RuleConfig
from scoring_svc.alerts.rules import HOUR
from scoring_svc.scorecards.rules import DAY
from scoring_svc.situation.rules import Situation

NOW = 20_500 * DAY
TODAY = 20_500
CALM = Facts(score=68.0, confidence=0.5, renewal_at=NOW + 30 * DAY)
USUAL = {TODAY - 60 - day: [0, 1] for day in range(40)}
REFUSED = [(NOW - hour * HOUR, "meeting-declined") for hour in (1, 2, 3)]

FIRING: Final[Mapping[str, Facts]] = MappingProxyType(
    {
        "health-below": CALM._replace(score=39.0, renewal_at=None),
        "health-drop": CALM._replace(score=52.0, peak=68.0),
        "evidence-burst": CALM._replace(negatives=REFUSED),
        "decisive-evidence": CALM._replace(marks={"not-invited": NOW}),
        "going-dark": CALM._replace(silence_days=60.001),
        "pattern-break": CALM._replace(negatives=REFUSED[:1], tally=USUAL | {TODAY: [4, 4]}),
        "renewal-risk": CALM._replace(score=59.0),
        "champion-lost": CALM._replace(situation=Situation(champions_lost=2)),
        "detractor-with-veto": CALM._replace(situation=Situation(opposing_vetoes=2)),
        "single-threaded": CALM._replace(situation=Situation(thread_share=100.0)),
        "plan-slipping": CALM._replace(situation=Situation(overdue=[NOW - 20 * DAY] * 2)),
        "growth-opportunity": CALM._replace(score=81.0, change=2.0),
    }
)
# What does not fire where it can be so (counts fire from one on), and does not clear.
BETWEEN: Final[Mapping[str, Facts]] = MappingProxyType(
    {
        "health-below": FIRING["health-below"]._replace(score=41.0),
        "health-drop": CALM._replace(score=54.0, peak=68.0),
        "evidence-burst": CALM._replace(negatives=REFUSED[:2]),
        "decisive-evidence": CALM._replace(marks={"not-invited": NOW - 15 * DAY}),
        "going-dark": CALM._replace(silence_days=85.0),
        "pattern-break": CALM._replace(negatives=REFUSED[:1], tally=USUAL | {TODAY: [2, 9]}),
        "renewal-risk": CALM._replace(score=61.0),
        "champion-lost": CALM._replace(situation=Situation(champions_lost=1)),
        "detractor-with-veto": CALM._replace(situation=Situation(opposing_vetoes=1)),
        "single-threaded": CALM._replace(situation=Situation(thread_share=79.0)),
        "plan-slipping": CALM._replace(situation=Situation(overdue=[NOW - 20 * DAY])),
        "growth-opportunity": CALM._replace(score=79.0, change=-2.0),
    }
)
FROM_ONE_ON: Final = {"champion-lost", "detractor-with-veto"}
"""What counts people: less than firing is nobody, which clears."""


def life_of(rule: str, **changes: float) -> Life:
    config: RuleConfig = replace(DEFAULT_RULES[rule], **{"hold_hours": 0.0, "cool_down_hours": 24.0} | changes)
    return Life({rule: config})


def fires(rule: str) -> None:
    life = life_of(rule)
    life.look(CALM, NOW - HOUR)
    assert life.said == []
    life.look(FIRING[rule], NOW)
    [alert] = life.alerts.values()
    assert (life.said, alert.kind, [reason.rule for reason in alert.reasons]) == (
        ["opened"],
        DEFAULT_RULES[rule].alert_kind,
        [rule],
    )
    assert alert.reasons[0].threshold == DEFAULT_RULES[rule].fire


def does_not_fire_between_its_thresholds(rule: str) -> None:
    life = life_of(rule)
    life.look(BETWEEN[rule], NOW)
    assert life.said == (["opened"] if rule in FROM_ONE_ON | {"going-dark"} else [])


def is_held_off_until_it_has_lasted(rule: str) -> None:
    life = life_of(rule, hold_hours=2.0)
    for hours in (0.0, 1.0, 1.99):
        life.look(FIRING[rule], NOW + hours * HOUR)
        # A silence counts from where it passed the threshold, 86 seconds before we looked.
        assert life.said == (["opened"] if rule == "going-dark" and hours == 1.99 else [])
    life.look(FIRING[rule], NOW + 2 * HOUR)
    assert life.said == ["opened"]


def is_not_raised_when_it_does_not_last(rule: str) -> None:
    life = life_of(rule, hold_hours=2.0)
    for hour in range(20):
        life.look(FIRING[rule] if hour % 2 else CALM, NOW + hour * HOUR)
    assert life.said == []


def stays_between_its_thresholds(rule: str) -> None:
    life = life_of(rule)
    life.look(FIRING[rule], NOW)
    for hour in range(1, 12):
        life.look(BETWEEN[rule], NOW + hour * HOUR)
    assert life.said == ["opened"]


def clears(rule: str) -> None:
    life = life_of(rule)
    life.look(FIRING[rule], NOW)
    life.look(CALM, NOW + HOUR)
    [alert] = life.alerts.values()
    assert (life.said, alert.resolved_by, alert.reasons) == (["opened", "resolved"], "rules", ())


def reopens_within_its_cool_down(rule: str) -> None:
    life = life_of(rule)
    for at in range(6):
        life.look(CALM if at % 2 else FIRING[rule], NOW + at * HOUR)
    [alert] = life.alerts.values()
    assert life.said == ["opened", "resolved", *["reopened", "resolved"] * 2]
    assert (life.ids, alert.episode) == ([alert.id], 3)


def opens_anew_after_its_cool_down(rule: str) -> None:
    life, later = life_of(rule, cool_down_hours=6.0), FIRING[rule]
    for hours, facts in ((0.0, later), (1.0, CALM), (6.9, later), (7.9, CALM), (14.0, later)):
        life.look(facts, NOW + hours * HOUR)
    assert life.said == ["opened", "resolved", "reopened", "resolved", "opened"]
    assert len(life.ids) == 2


def does_not_tremble(rule: str) -> None:
    life = life_of(rule)
    for minute in range(200):
        life.look((BETWEEN if minute % 2 else FIRING)[rule], NOW + 60.0 * minute)
    assert life.said == ["opened"]


PROPERTIES: Final[Mapping[str, Callable[[str], None]]] = {
    found.__name__: found
    for found in (
        fires,
        does_not_fire_between_its_thresholds,
        is_held_off_until_it_has_lasted,
        is_not_raised_when_it_does_not_last,
        stays_between_its_thresholds,
        clears,
        reopens_within_its_cool_down,
        opens_anew_after_its_cool_down,
        does_not_tremble,
    )
}


def test_every_rule_is_in_the_table() -> None:
    assert FIRING.keys() == BETWEEN.keys() == DEFAULT_RULES.keys()


@pytest.mark.parametrize("rule", DEFAULT_RULES)
@pytest.mark.parametrize("property_", PROPERTIES)
def test_each_rule(property_: str, rule: str) -> None:
    PROPERTIES[property_](rule)


def test_silence_that_grows_is_said_once_and_again_with_each_cadence() -> None:
    life = life_of("going-dark")
    for hour in range(24 * 150 + 1):
        life.look(CALM._replace(silence_days=hour / 24), NOW + hour * HOUR)
    # Passed two cadences of 30 days; three and a bit, four and a bit after that, up to five.
    assert life.said == ["opened", "updated", "updated"]
