"""What a backtest reports: who was lost, what was known before a date, what may be said of two rankings."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from scoring_svc.backtests.rules import Asked, Case, beaten, midnight, one_in, report
from scoring_svc.proof.rules import Estimate, brier, learnt
from scoring_svc.retrospect.rules import Seen
from scoring_svc.scorecards.rules import DAY

JUNE, SEPTEMBER = date(2026, 6, 1), date(2026, 9, 1)
ASKED = Asked((JUNE, SEPTEMBER), 90, "silence", None, 1, "current", False)


def at(days: float, kind: str = "order-placed") -> Seen:
    """A piece observed so many days after the first of June began."""
    return Seen(kind, 2, 1.0, midnight(JUNE) + days * DAY)


@pytest.mark.parametrize(
    ("history", "lost"),
    [
        ([], True),
        ([at(-0.01)], True),
        ([at(0)], False),
        ([at(89.99)], False),
        ([at(90)], True),
        ([at(10, "call-unreturned")], True),
        ([at(10, "meeting-held")], False),
    ],
)
def test_a_client_is_lost_by_silence_when_it_does_nothing_within_the_horizon(history: list[Seen], lost: bool) -> None:
    assert ASKED.became_lost(JUNE, history, []) is lost


def test_only_the_kind_asked_for_breaks_a_silence() -> None:
    orders = replace(ASKED, act="order-placed")
    assert orders.became_lost(JUNE, [at(10, "meeting-held")], []) is True
    assert orders.became_lost(JUNE, [at(10)], []) is False


@pytest.mark.parametrize(
    ("days", "lost"), [((), False), ((0,), True), ((89,), True), ((90,), False), ((-1,), None), ((-9, 10), None)]
)
def test_a_client_is_lost_by_an_outcome_within_the_horizon_and_once(days: tuple[int, ...], lost: bool | None) -> None:
    by_outcome = replace(ASKED, lost_by="outcomes")
    assert by_outcome.became_lost(JUNE, [], [JUNE + timedelta(days=day) for day in days]) is lost


def test_so_many_accounts_are_looked_at_that_cases_are_not_too_many() -> None:
    assert [one_in(accounts, 10) for accounts in (0, 2_000, 2_001, 20_000)] == [1, 1, 2, 10]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "yes"), (-0.2, -0.01, "no"), (-0.1, 0.1, "undecided"), (0.0, 0.1, "undecided")],
)
def test_two_rankings_are_told_apart_by_an_interval_without_nought(low: float, high: float, said: str) -> None:
    assert beaten(Estimate((low + high) / 2, low, high)) == said


def cases(day: date, seed: int, count: int = 60) -> list[Case]:
    """Accounts of which a third is lost; the scorecard knows which, but for some noise, the other ranking does not."""
    random = Random(seed)
    return [
        Case(str(i), day, i % 3 == 0, {"scorecard": (i % 3 == 0) + random.random(), "number-of-acts": random.random()})
        for i in range(count)
    ]


def test_a_report_has_a_part_for_each_date_and_one_for_all() -> None:
    found = report([*cases(JUNE, 1), *cases(SEPTEMBER, 2)], [JUNE, SEPTEMBER], 90)
    assert [(part.day, part.cases, part.lost) for part in found.dates] == [(JUNE, 60, 20), (SEPTEMBER, 60, 20)]
    assert (found.pooled.cases, found.pooled.accounts, found.pooled.lost) == (120, 60, 40)
    own, other = found.pooled.rankings
    assert (own.name, own.advantage, own.is_beaten) == ("scorecard", None, None)
    assert (other.name, other.is_beaten) == ("number-of-acts", "yes")
    assert other.advantage is not None
    assert other.advantage.value == pytest.approx(own.verdict.auc.value - other.verdict.auc.value)
    aucs = [part.rankings[0].verdict.auc.value for part in found.dates]
    assert own.mean_auc == pytest.approx(sum(aucs) / 2)


def test_chances_are_learnt_only_from_what_was_over_before_the_date() -> None:
    june, september = cases(JUNE, 1), cases(SEPTEMBER, 2)
    found = report([*june, *september], [JUNE, SEPTEMBER], 90)
    assert [part.rankings[0].verdict.foretold for part in found.dates] == [0, 60]
    past = learnt([c.risks["scorecard"] for c in june], [c.lost for c in june], range(60))
    assert past is not None
    chances = [past.chance(case.risks["scorecard"]) for case in september]
    assert found.dates[1].rankings[0].verdict.brier == pytest.approx(brier(chances, [c.lost for c in september]))
    later = report([*june, *september], [JUNE, SEPTEMBER], 93)  # the horizon of June ends after September began
    assert later.dates[1].rankings[0].verdict.foretold == 0


def test_a_ranking_that_does_not_know_every_case_is_left_out() -> None:
    first, *others = cases(JUNE, 1)
    some = [first, *(case._replace(risks={**case.risks, "bg-nbd": 1.0}) for case in others)]
    assert [ranking.name for ranking in report(some, [JUNE], 90).pooled.rankings] == ["scorecard", "number-of-acts"]


def test_dates_with_too_few_say_so_and_count_in_no_mean() -> None:
    few = cases(JUNE, 1, count=27)
    found = report([*few, *cases(SEPTEMBER, 2)], [JUNE, SEPTEMBER], 90)
    assert (found.dates[0].inconclusive, found.dates[0].rankings) == ("too-few-lost", ())
    assert found.pooled.rankings[0].mean_auc == found.dates[1].rankings[0].verdict.auc.value


def test_a_backtest_that_saw_nobody_concludes_nothing() -> None:
    found = report([], [JUNE], 90)
    assert (found.pooled.cases, found.pooled.inconclusive) == (0, "too-few-lost")
