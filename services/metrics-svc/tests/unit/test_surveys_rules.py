"""What answers are worth, and CSAT and NPS against a straight count with fractions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isclose, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metrics_svc.surveys.rules import METHODS, Answer, Figure, Refusal, figure, metric, refusal, wilson, worth

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def answer(score: int, method: str = "nps", low: int = 0, high: int = 10, at: datetime = NOW) -> Answer:
    return Answer(method, low, high, score, at)


def counted(answers: Sequence[Answer]) -> Figure:
    worths = [worth(one) for one in answers]
    return figure(metric(answers[0].method), len(worths), sum(worths, Decimal()), sum(w * w for w in worths))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(10), 1),
        (answer(9), 1),
        (answer(8), 0),
        (answer(7), 0),
        (answer(6), -1),
        (answer(0), -1),
        (answer(4, "top-2-box", 1, 5), 1),
        (answer(3, "top-2-box", 1, 5), 0),
        (answer(4, "top-box", 1, 5), 0),
        (answer(5, "top-box", 1, 5), 1),
        (answer(3, "mean", 1, 5), Decimal("0.5")),
    ],
)
def test_an_answer_is_worth_what_its_method_says(said: Answer, expected: Decimal | int) -> None:
    assert worth(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(9), None),
        (answer(9, "guess"), (Refusal.UNKNOWN_METHOD, "/method")),
        (answer(5, low=1), (Refusal.SCALE_MISMATCH, "/scale")),
        (answer(1, "top-2-box", 0, 1), (Refusal.SCALE_MISMATCH, "/scale")),
        (answer(1, "top-box", 0, 1), None),
        (answer(1, "mean", 1, 1), (Refusal.SCALE_MISMATCH, "/scale")),
        (answer(1, "mean", 5, 1), (Refusal.SCALE_MISMATCH, "/scale")),
        (answer(11), (Refusal.SCORE_OUTSIDE_SCALE, "/score")),
        (answer(0, "mean", 1, 5), (Refusal.SCORE_OUTSIDE_SCALE, "/score")),
        (answer(9, at=NOW + timedelta(minutes=5)), None),
        (answer(9, at=NOW + timedelta(minutes=5, seconds=1)), (Refusal.IN_FUTURE, "/answered_at")),
        (answer(9, at=datetime(1989, 12, 31, tzinfo=UTC)), (Refusal.TOO_EARLY, "/answered_at")),
    ],
)
def test_an_answer_that_can_not_be_is_refused(said: Answer, expected: tuple[Refusal, str] | None) -> None:
    assert refusal(said, NOW) == expected


def test_the_textbook_figures_come_out() -> None:
    nps = counted([answer(10)] * 50 + [answer(7)] * 30 + [answer(2)] * 20)
    assert (nps.n, nps.value) == (100, 30.0)
    assert nps.standard_error == pytest.approx(7.8102, abs=1e-4)
    csat = counted([answer(5, "top-2-box", 1, 5)] * 8 + [answer(1, "top-2-box", 1, 5)] * 2)
    assert (csat.value, csat.standard_error) == (80.0, pytest.approx(12.6491, abs=1e-4))
    assert (csat.low, csat.high) == (pytest.approx(49.0162, abs=1e-4), pytest.approx(94.3318, abs=1e-4))


def test_no_answers_are_no_figure() -> None:
    assert figure("csat", 0, Decimal(0), Decimal(0)) == Figure(0, None, None, None, None)


scores = st.lists(st.integers(0, 10), min_size=1, max_size=60)


@given(scores=scores)
def test_nps_is_promoters_less_detractors_with_its_error(scores: list[int]) -> None:
    n = len(scores)
    promoters = Fraction(sum(score >= 9 for score in scores), n)
    detractors = Fraction(sum(score <= 6 for score in scores), n)
    found = counted([answer(score) for score in scores])
    assert found.value is not None
    assert found.standard_error is not None
    assert isclose(found.value, 100 * (promoters - detractors), abs_tol=1e-9)
    spread = (promoters + detractors - (promoters - detractors) ** 2) / n
    assert isclose(found.standard_error, 100 * sqrt(spread), abs_tol=1e-6)


@given(scores=scores, method=st.sampled_from([m for m in METHODS if m != "nps"]))
def test_csat_is_the_share_or_the_mean_with_its_error(scores: list[int], method: str) -> None:
    n = len(scores)
    reference = {
        "top-2-box": [Fraction(score >= 9) for score in scores],
        "top-box": [Fraction(score == 10) for score in scores],
        "mean": [Fraction(score, 10) for score in scores],
    }[method]
    mean = sum(reference, Fraction()) / n
    spread = sum(((one - mean) ** 2 for one in reference), Fraction()) / n / n
    found = counted([answer(score, method) for score in scores])
    assert found.value is not None
    assert found.standard_error is not None
    assert isclose(found.value, 100 * mean, abs_tol=1e-9)
    assert isclose(found.standard_error, 100 * sqrt(spread), abs_tol=1e-6)


@given(scores=scores, order=st.randoms())
def test_the_order_of_answers_does_not_matter(scores: list[int], order: object) -> None:
    shuffled = list(scores)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert counted([answer(s, "mean") for s in scores]) == counted([answer(s, "mean") for s in shuffled])


@given(good=st.integers(0, 200), n=st.integers(1, 200))
def test_wilsons_interval_solves_its_equation_and_holds_the_share(good: int, n: int) -> None:
    assume(good <= n)
    share = good / n
    low, high = wilson(share, n)
    assert -1e-9 <= low <= 100 * share + 1e-9
    assert 100 * share - 1e-9 <= high <= 100 + 1e-9
    for end in (low / 100, high / 100):
        assert isclose((share - end) ** 2, 1.959963984540054**2 * end * (1 - end) / n, abs_tol=1e-9)
