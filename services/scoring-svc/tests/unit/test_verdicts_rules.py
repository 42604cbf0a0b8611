"""The interval of Wilson against published numbers."""

import pytest

from scoring_svc.verdicts.rules import rate


def test_nothing_judged_says_nothing() -> None:
    assert rate(0, 0) == (0, None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_newcombe_1998(count: int, n: int, low: float, high: float) -> None:
    found = rate(count, n)
    assert (found.n, found.share) == (n, count / n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
