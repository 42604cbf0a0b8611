"""The metrics there are: complete, and found by their codes."""

import pytest

from metrics_svc.evidence.rules import CATALOGUE, FAMILIES
from metrics_svc.formulas.rules import Metric, Sum, Value, value
from metrics_svc.metrics.rules import METRICS, MONEY, known, metric_of


def test_every_family_has_a_rate_for_us_and_one_against_us() -> None:
    for family in FAMILIES:
        assert METRICS[f"positive-rate:{family}"].up_is_good
        assert not METRICS[f"negative-rate:{family}"].up_is_good


def test_every_kind_of_evidence_that_a_metric_is_made_of_is_in_the_catalogue() -> None:
    named = {measure for metric in METRICS.values() for measure in metric.measures if measure.startswith("evidence:")}
    assert named
    assert {measure.removeprefix("evidence:") for measure in named} <= CATALOGUE.keys()


def test_a_metric_of_money_is_one_per_currency() -> None:
    euro = metric_of("growth:EUR")
    assert euro is not None
    assert (euro.code, euro.measures) == ("growth:EUR", ("revenue:EUR",))
    for wrong in ("revenue", "revenue:eur", "revenue:EURO", "return-rate:EUR", "", ":", "csat:"):
        assert metric_of(wrong) is None


def test_codes_are_told_apart_from_words_that_are_none() -> None:
    found, missing = known(["csat", "magic", "csat", "revenue:USD"])
    assert [metric.code for metric in found] == ["csat", "revenue:USD"]
    assert missing == ["magic"]


@pytest.mark.parametrize("metric", [*METRICS.values(), *MONEY.values()], ids=lambda metric: metric.code)
def test_every_metric_says_what_it_is_and_comes_to_something(metric: Metric) -> None:
    assert metric.formula
    assert metric.unit
    sums = {measure: Sum(4, 2.0) for measure in metric.measures}
    assert value(metric, sums, sums, 3.0).value is not None


@pytest.mark.parametrize(
    ("code", "sums", "expected"),
    [
        (
            "return-rate",
            {"evidence:call-returned": Sum(2), "evidence:email-returned": Sum(1), "evidence:call-unreturned": Sum(1)},
            Value(0.75, 4, pytest.approx(0.2165, abs=1e-4)),
        ),
        (
            "acceptance-rate",
            {"evidence:meeting-held": Sum(1), "evidence:meeting-no-show": Sum(1), "evidence:meeting-declined": Sum(2)},
            Value(0.25, 4, pytest.approx(0.2165, abs=1e-4)),
        ),
        ("response-time", {"response-time": Sum(4, 10.0)}, Value(2.5, 4)),
        ("two-way-ratio", {"contacts": Sum(10, 5.0)}, Value(0.5, 10, pytest.approx(0.1581, abs=1e-4))),
        ("multi-threading", {"people": Sum(2, 5.0)}, Value(2.5, 2)),
        ("retention", {"buyers": Sum(4, 3.0)}, Value(0.75, 4, pytest.approx(0.2165, abs=1e-4))),
        ("revenue:EUR", {"revenue:EUR": Sum(2, 99.5)}, Value(99.5, 2)),
        ("revenue:EUR", {}, Value(0.0, 0)),
        ("csat", {}, Value(None, 0)),
        # 50 promoters, 20 detractors of 100: 30 points, 100 sqrt((0.7 - 0.09) / 100).
        (
            "nps",
            {"nps-answer": Sum(100), "nps-promoter": Sum(50), "nps-detractor": Sum(20)},
            Value(30.0, 100, pytest.approx(7.8102, abs=1e-4)),
        ),
        (
            "csat",
            {"csat-answer": Sum(10), "csat-satisfied": Sum(8, 8.0)},
            Value(80.0, 10, pytest.approx(12.6491, abs=1e-4)),
        ),
        ("negative-rate:meetings", {"negative:meetings": Sum(3, 4.5)}, Value(0.5, 3)),
        ("balance", {"balance": Sum(3, -12.0)}, Value(-2.0, 3)),
    ],
)
def test_worked_examples(code: str, sums: dict[str, Sum], expected: Value) -> None:
    metric = metric_of(code)
    assert metric is not None
    assert expected == value(metric, sums, {}, account_months=6.0)


def test_growth_is_against_the_period_before() -> None:
    growth = metric_of("growth:EUR")
    assert growth is not None
    found = value(growth, {"revenue:EUR": Sum(3, 150.0)}, {"revenue:EUR": Sum(9, 100.0)}, 1.0)
    assert (found.value, found.n) == (0.5, 3)
    assert value(growth, {"revenue:EUR": Sum(3, 150.0)}, {}, 1.0).value is None
