"""The exact test against numbers worked out by hand, and the windows that it looks through."""

from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoring_svc.patterns.rules import Shares, chance, forget, recent_pieces, shares


def test_the_lady_who_tastes_tea() -> None:
    assert chance(Shares(3, 4, 1, 4)) == pytest.approx(17 / 70)
    assert chance(Shares(4, 4, 0, 4)) == pytest.approx(1 / 70)


@pytest.mark.parametrize("found", [Shares(4, 4, 0, 0), Shares(0, 0, 1, 9), Shares(0, 5, 3, 9)])
def test_without_a_past_or_a_refusal_nothing_is_broken(found: Shares) -> None:
    assert chance(found) == 1.0


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 60), st.integers(0, 60))
@example(300, 500, 1_200, 4_000)
@example(400, 400, 1_000, 5_000)
@example(5, 795, 2_000, 3_000)
@example(1, 0, 0, 3_000)
def test_the_chance_is_the_tail_of_the_hypergeometric_distribution(a: int, b: int, c: int, d: int) -> None:
    n, negatives, total = a + b, a + c, a + b + c + d
    exact = sum(comb(negatives, k) * comb(total - negatives, n - k) for k in range(a, min(n, negatives) + 1))
    expected = exact / comb(total, n) if c + d else 1.0
    assert chance(Shares(a, n, c, c + d)) == pytest.approx(expected, rel=1e-9)


def test_windows_are_thirty_days_and_the_180_before() -> None:
    tally = {1000: [1, 2], 971: [1, 1], 970: [0, 5], 791: [1, 1], 790: [9, 9], 1001: [9, 9]}
    assert shares(tally, 1000, 30) == Shares(2, 3, 1, 6)
    assert recent_pieces(tally, 1000, 30) == 3


def test_days_that_no_window_reaches_are_forgotten() -> None:
    tally = {760: [1, 1], 761: [1, 1], 1000: [0, 1]}
    forget(tally, 1000)
    assert tally == {761: [1, 1], 1000: [0, 1]}
