"""Standing: what puts an account in jeopardy and why, and how sure a bet on a person is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.standing.rules import Facts, KindSum, interval, jeopardy, lifts, t_quantile

means = st.floats(-50, 50)


def reasons(**facts: Any) -> list[str]:
    return [reason.reason for reason in jeopardy(Facts(**{"balance": 0.0} | facts))]


def test_an_account_that_does_well_is_in_no_jeopardy() -> None:
    assert reasons(balance=8.0, earlier=9.0, silent_days=3.0, cadence_days=7.0) == []


def test_a_negative_balance_names_the_evidence_against_us_and_the_mean_of_all() -> None:
    kinds = [
        KindSum("meeting-held", 1, 1.0),
        KindSum("call-unreturned", 1, -1.25),
        KindSum("complaint-raised", 1, -2.0),
    ]
    [reason] = jeopardy(Facts(balance=-2.25, overall=1.5, kinds=kinds))
    assert (reason.reason, reason.value, reason.against) == ("negative-balance", -2.25, 1.5)
    assert reason.compared_with == "the mean of all accounts"
    assert [kind.kind for kind in reason.kinds] == ["complaint-raised", "call-unreturned"]


@pytest.mark.parametrize(("balance", "expected"), [(5.0, ["falling-balance"]), (7.0, []), (11.0, [])])
def test_a_balance_falls_when_it_is_well_below_what_it_was(balance: float, expected: list[str]) -> None:
    assert expected == reasons(balance=balance, earlier=12.0)


@pytest.mark.parametrize(
    ("days", "cadence", "tier", "expected"),
    [
        (11.0, 7.0, None, ["silent"]),
        (10.0, 7.0, None, []),
        (11.0, None, "A", ["silent"]),
        (11.0, None, "B", []),
        (46.0, None, None, ["silent"]),
        (None, 7.0, "A", []),
    ],
)
def test_silence_counts_beyond_the_cadence(
    days: float | None, cadence: float | None, tier: str | None, expected: list[str]
) -> None:
    assert expected == reasons(silent_days=days, cadence_days=cadence, tier=tier)


@pytest.mark.parametrize(("lost", "back", "expected"), [(1, 0, []), (2, 1, ["unreturned-asks"]), (2, 2, [])])
def test_asks_unreturned_count_against_those_returned(lost: int, back: int, expected: list[str]) -> None:
    kinds = [KindSum("call-unreturned", lost, -float(lost)), KindSum("email-returned", back, float(back))]
    assert expected == reasons(kinds=kinds)


@given(means, means, st.floats(0, 1_000), st.integers(0, 50), st.integers(0, 50))
def test_reasons_come_with_points_from_0_to_1_the_gravest_first(
    balance: float, earlier: float, silent: float, lost: int, back: int
) -> None:
    kinds = [KindSum("call-unreturned", lost, -float(lost)), KindSum("call-returned", back, float(back))]
    found = jeopardy(Facts(balance=balance, earlier=earlier, kinds=kinds, silent_days=silent, cadence_days=14.0))
    points = [reason.points for reason in found]
    assert points == sorted(points, reverse=True)
    assert all(0 <= each <= 1 for each in points)


# Quantiles from a table of Student's t.
@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706), (4, 2.776), (30, 2.042), (31, 2.040), (40, 2.021), (120, 1.980), (10**6, 1.960)],
)
def test_quantiles_are_those_of_the_table(freedom: int, expected: float) -> None:
    assert expected == pytest.approx(t_quantile(freedom), abs=6e-4)


def test_quantiles_fall_towards_the_normal_one() -> None:
    found = [t_quantile(freedom) for freedom in range(1, 400)]
    assert found == sorted(found, reverse=True)


def test_an_interval_by_a_worked_example() -> None:
    low, high = interval(4, 10.0, 2.0) or (0.0, 0.0)
    assert (low, high) == (pytest.approx(6.818), pytest.approx(13.182))
    assert interval(1, 10.0, None) is None


def test_the_kinds_that_lift_somebody_are_those_they_have_more_of_than_all() -> None:
    mine = [KindSum("advice-sought", 4, 4.0), KindSum("meeting-held", 2, 2.0), KindSum("call-unreturned", 9, -9.0)]
    every = [
        KindSum("advice-sought", 10, 10.0),
        KindSum("meeting-held", 100, 100.0),
        KindSum("call-unreturned", 1, -1.0),
    ]
    assert lifts(mine, 2, every, 100) == [("advice-sought", 2.0, 0.1)]
