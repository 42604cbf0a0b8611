"""The statistics of proof against values worked out by hand, a reference by brute force, and what must hold always."""

from itertools import pairwise
from math import exp, isclose, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.proof.rules import (
    SPANS_HALF,
    SURE,
    TOO_FEW_KEPT,
    TOO_FEW_LOST,
    advantage,
    auc,
    brier,
    calibration,
    curve,
    judge,
    learnt,
    lift,
    midranks,
    precision,
    thinned,
    too_few,
)

# Five lost and five kept, drawn so that 21 of 25 pairs are in order and one is a tie.
RISK = [9.0, 8.0, 7.0, 4.0, 3.0, 6.0, 5.0, 3.0, 2.0, 1.0]
LOST = [True] * 5 + [False] * 5
ALONE = range(10)


def pair(a: float, b: float) -> float:
    return 1.0 if a > b else 0.5 if a == b else 0.0


def by_pairs(risk: list[float], lost: list[bool]) -> tuple[float, float]:
    """AUC and DeLong's standard error as their definitions say, every pair looked at."""
    of_lost = [r for r, was in zip(risk, lost, strict=True) if was]
    of_kept = [r for r, was in zip(risk, lost, strict=True) if not was]
    value = sum(pair(a, b) for a in of_lost for b in of_kept) / len(of_lost) / len(of_kept)
    rows = [sum(pair(a, b) for b in of_kept) / len(of_kept) - value for a in of_lost]
    columns = [sum(pair(a, b) for a in of_lost) / len(of_lost) - value for b in of_kept]
    variance = sum(sum(d * d for d in part) / (len(part) - 1) / len(part) for part in (rows, columns))
    return value, sqrt(variance)


def test_equal_values_share_their_mean_rank() -> None:
    assert midranks([5.0, 1.0, 5.0, 7.0]) == [2.5, 1.0, 2.5, 4.0]


def test_the_auc_of_a_known_case() -> None:
    assert auc(RISK, LOST, ALONE).value == pytest.approx(20.5 / 25)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=40))
def test_auc_and_interval_are_what_every_pair_says(cases: list[tuple[int, bool]]) -> None:
    cases += [(3, True), (2, True), (3, False), (4, False)]
    risk, lost = [float(r) for r, _ in cases], [was for _, was in cases]
    value, spread = by_pairs(risk, lost)
    found = auc(risk, lost, range(len(cases)))
    assert found.value == pytest.approx(value)
    assert found.low == pytest.approx(max(0.0, value - SURE * spread))
    assert found.high == pytest.approx(min(1.0, value + SURE * spread))


def test_an_account_seen_twice_tells_no_more_than_once() -> None:
    once = auc(RISK, LOST, ALONE)
    twice = auc(RISK * 2, LOST * 2, [*ALONE, *ALONE])
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high))
    assert auc(RISK * 2, LOST * 2, range(20)).low > once.low


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = Random(11)
    covered = 0
    for _ in range(300):
        risk = [random.gauss(1.0, 1.0) for _ in range(60)] + [random.gauss(0.0, 1.0) for _ in range(60)]
        found = auc(risk, [True] * 60 + [False] * 60, range(120))
        covered += found.low <= 0.7602499389065233 <= found.high  # of two normals a standard deviation apart
    assert 0.91 <= covered / 300 <= 0.98


def test_a_ranking_has_no_advantage_over_itself_and_the_opposite_one_over_its_reverse() -> None:
    same = advantage(RISK, RISK, LOST, ALONE)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    other = advantage(RISK, [-r for r in RISK], LOST, ALONE)
    assert other.value == pytest.approx(2 * 20.5 / 25 - 1)
    assert other.low < other.value < other.high


def test_precision_and_lift_of_known_cases() -> None:
    assert precision(RISK, LOST, 3) == 1.0
    assert precision(RISK, LOST, 4) == 0.75
    assert lift(RISK, LOST) == 2.0
    assert lift(RISK, LOST, 0.5) == pytest.approx(2 * 3 / 5)


def test_of_equal_risks_at_the_edge_each_counts_for_its_part() -> None:
    assert precision([1.0, 1.0, 1.0, 1.0], [True, False, False, False], 2) == 0.25


def test_a_logistic_world_is_learnt_as_it_is() -> None:
    random = Random(8)
    risk = [random.gauss(3.0, 2.0) for _ in range(20_000)]
    lost = [random.random() < 1 / (1 + exp(1.0 - 0.8 * r)) for r in risk]
    taught = learnt(risk, lost, range(20_000))
    assert taught is not None
    for r in (-1.0, 1.0, 3.0, 5.0, 7.0):
        assert taught.chance(r) == pytest.approx(1 / (1 + exp(1.0 - 0.8 * r)), abs=0.02)


def test_where_losses_and_the_rest_are_apart_chances_stay_off_certainty() -> None:
    taught = learnt([float(i) for i in range(40)], [i >= 20 for i in range(40)], range(40))
    assert taught is not None
    assert 0.0 < taught.chance(0.0) < 0.1
    assert 0.9 < taught.chance(39.0) < 1.0
    assert taught.chance(19.5) == pytest.approx(0.5, abs=0.01)


def test_risks_that_are_all_alike_stand_for_the_rate() -> None:
    taught = learnt([7.0] * 40, [i < 10 for i in range(40)], range(40))
    assert taught is not None
    assert taught.chance(7.0) == pytest.approx(0.25, abs=0.03)
    assert taught.rate == 0.25


def test_a_ranking_of_extremes_does_not_overflow() -> None:
    taught = learnt([-1e9] + [1.0] * 20 + [2.0] * 20, [i % 2 == 0 for i in range(41)], range(41))
    assert taught is not None
    assert 0.0 <= taught.chance(1e12) <= 1.0


def test_calibration_of_known_chances() -> None:
    random = Random(5)
    chances = [random.random() for _ in range(8_000)]
    lost = [random.random() < p for p in chances]
    taught = learnt(chances[:4_000], lost[:4_000], range(4_000))
    assert taught is not None
    assert taught.rate == pytest.approx(0.5, abs=0.03)
    bins = calibration([taught.chance(risk) for risk in chances[4_000:]], lost[4_000:])
    assert [group.cases for group in bins] == [400] * 10
    assert all(isclose(group.foretold, group.lost, abs_tol=0.08) for group in bins)
    assert bins[0].lost < 0.1
    assert bins[-1].lost > 0.9


def test_too_few_cases_teach_nothing() -> None:
    assert learnt([1.0] * 30, [True] * 9 + [False] * 21, range(30)) is None


def test_cases_of_one_chance_are_not_sorted_by_what_happened() -> None:
    bins = calibration([0.5] * 100, [True, False] * 50)
    assert [group.lost for group in bins] == [0.5] * 10


def test_brier_of_known_chances() -> None:
    assert brier([1.0, 0.0, 0.5, 0.5], [True, False, True, False]) == 0.125


def test_the_area_under_the_curve_is_the_auc() -> None:
    points = curve(RISK, LOST)
    area = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))
    assert area == pytest.approx(auc(RISK, LOST, ALONE).value)
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    points = [(i / 1000, i / 1000) for i in range(1001)]
    assert len(thinned(points)) <= 101
    assert (thinned(points)[0], thinned(points)[-1]) == (points[0], points[-1])
    assert thinned(points[:3]) == points[:3]


def test_a_ranking_that_foretells_is_judged_whole() -> None:
    risk, lost = [float(i) for i in range(60)], [i >= 30 for i in range(60)]
    past = learnt(risk, lost, range(60))
    verdict = judge(risk, lost, range(60), [None] * 30 + [past] * 30)
    assert verdict.inconclusive is None
    assert (verdict.auc.value, verdict.lift_at_tenth) == (1.0, 2.0)
    assert verdict.precision_at == {10: 1.0, 50: 0.6}
    assert (verdict.foretold, verdict.brier_of_base_rate) == (30, 0.25)
    assert verdict.brier is not None
    assert verdict.brier < 0.04
    assert sum(group.cases for group in verdict.calibration) == 30
    assert verdict.curve[-1] == (1.0, 1.0)


def test_without_a_past_no_chance_is_foretold() -> None:
    verdict = judge(RISK * 3, LOST * 3, range(30), [None] * 30)
    assert (verdict.foretold, verdict.brier, verdict.brier_of_base_rate, verdict.calibration) == (0, None, None, ())


@pytest.mark.parametrize(("lost", "why"), [(9, TOO_FEW_LOST), (10, None), (50, None), (51, TOO_FEW_KEPT)])
def test_nothing_is_concluded_from_fewer_than_ten_of_a_class(lost: int, why: str | None) -> None:
    assert too_few([i < lost for i in range(60)], range(60)) == why


def test_twenty_dates_of_one_account_are_not_twenty_accounts() -> None:
    assert too_few([True] * 30 + [False] * 30, [0] * 30 + list(range(30))) == TOO_FEW_LOST


def test_nothing_is_concluded_from_a_ranking_by_chance() -> None:
    random = Random(3)
    risk = [random.random() for _ in range(100)]
    assert judge(risk, [i % 2 == 0 for i in range(100)], range(100), [None] * 100).inconclusive == SPANS_HALF
