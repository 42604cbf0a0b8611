"""Formulas: sums of parts are those of the whole, errors are those of the answers, targets know their way."""

from datetime import date
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.figures.rules import Interval, Period, start_of
from metrics_svc.formulas.rules import Metric, Read, Sum, added, change, met, series, value
from metrics_svc.metrics.rules import metric_of

sums = st.dictionaries(
    st.sampled_from(["contacts", "people", "balance"]), st.builds(Sum, st.integers(0, 50), st.integers(-50, 50))
)


def named(code: str) -> Metric:
    metric = metric_of(code)
    assert metric is not None
    return metric


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60))
def test_the_error_of_a_net_promoter_score_is_that_of_its_answers(answers: list[int]) -> None:
    given_sums = {
        "nps-answer": Sum(len(answers)),
        "nps-promoter": Sum(answers.count(1)),
        "nps-detractor": Sum(answers.count(-1)),
    }
    found = value(named("nps"), given_sums, {}, 1.0)
    assert found.value == pytest.approx(100 * mean(answers))
    assert found.standard_error == pytest.approx(100 * pstdev(answers) / len(answers) ** 0.5, abs=1e-6)


@given(st.lists(sums, max_size=6))
def test_intervals_add_up_to_the_period(parts: list[dict[str, Sum]]) -> None:
    whole = added(parts)
    for measure in ("contacts", "people", "balance"):
        assert whole.get(measure, Sum()).n == sum(part.get(measure, Sum()).n for part in parts)
        assert whole.get(measure, Sum()).total == sum(part.get(measure, Sum()).total for part in parts)


def test_a_series_has_a_point_for_every_interval_and_the_period_before() -> None:
    year = Period(date(2026, 1, 1), date(2026, 4, 1))
    points = {date(2026, 1, 1): {"contacts": Sum(4, 1.0)}, date(2026, 3, 1): {"contacts": Sum(4, 3.0)}}
    earlier = {date(2025, 12, 1): {"contacts": Sum(2, 2.0)}}
    [found] = series([named("two-way-ratio")], Read(year, "month", 1, points, earlier))
    assert [(start, point.value, point.n) for start, point in found.points] == [
        (date(2026, 1, 1), 0.25, 4),
        (date(2026, 2, 1), None, 0),
        (date(2026, 3, 1), 0.75, 4),
    ]
    assert (found.total.value, found.previous.value) == (0.5, 1.0)
    assert change(found.total.value, found.previous.value) == -0.5


def test_growth_of_an_interval_is_against_the_one_before_it_also_across_the_edge() -> None:
    half = Period(date(2026, 1, 1), date(2026, 3, 1))
    points = {date(2026, 1, 1): {"revenue:EUR": Sum(1, 200.0)}, date(2026, 2, 1): {"revenue:EUR": Sum(1, 100.0)}}
    earlier = {date(2025, 12, 1): {"revenue:EUR": Sum(1, 50.0)}}
    [found] = series([named("growth:EUR")], Read(half, "month", 1, points, earlier))
    assert [point.value for _, point in found.points] == [3.0, -0.5]
    assert found.total.value == 5.0


def test_an_interval_cut_short_is_set_against_nothing() -> None:
    cut = Period(date(2026, 1, 10), date(2026, 2, 20))
    points = {date(2026, 1, 1): {"revenue:EUR": Sum(1, 200.0)}, date(2026, 2, 1): {"revenue:EUR": Sum(1, 100.0)}}
    [found] = series([named("growth:EUR")], Read(cut, "month", 1, points, {}))
    assert [point.value for _, point in found.points] == [None, None]


@given(st.sampled_from(["day", "week", "month", "quarter"]), st.integers(1, 400))
def test_rates_per_month_do_not_depend_on_the_interval(interval: Interval, days: int) -> None:
    period = Period(date(2026, 1, 1), date.fromordinal(date(2026, 1, 1).toordinal() + days))
    points = {start_of(interval, period.start): {"balance": Sum(1, 6.0)}}
    [found] = series([named("balance")], Read(period, interval, 2, points, {}))
    assert found.total.value == pytest.approx(3.0 * (365.25 / 12) / days)


@pytest.mark.parametrize(
    ("code", "now", "target", "expected"),
    [
        ("return-rate", 0.8, 0.8, True),
        ("return-rate", 0.7, 0.8, False),
        ("response-time", 5.0, 8.0, True),
        ("response-time", 9.0, 8.0, False),
        ("return-rate", None, 0.8, None),
        ("return-rate", 0.8, None, None),
    ],
)
def test_a_target_is_met_the_way_that_is_good(
    code: str, now: float | None, target: float | None, expected: bool | None
) -> None:
    assert met(named(code), now, target) is expected
