"""Measures, weighted mean, confidence, bands and trend."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_svc.health.rules import (
    NEUTRAL,
    Balances,
    Day,
    Reported,
    Standing,
    band_of,
    change_over,
    confidence,
    dimension_score,
    engagement,
    measure_values,
    note_score,
    peak,
    responsiveness,
    weigh,
    weighted_score,
)
from scoring_svc.ledger.rules import Piece
from scoring_svc.scorecards.rules import DAY, DEFAULT, cadence_days

NOW = 1_770_000_000.0
values = st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=8, max_size=8)


def test_a_dimension_is_neutral_at_zero_and_the_worked_example_of_the_method() -> None:
    assert dimension_score(0.0, 6.0) == 50.0
    assert pytest.approx(dimension_score(-9.0, 6.0), abs=0.01) == 18.24


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_dimension_rises_with_its_balance_and_stays_between_0_and_100(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= dimension_score(low, 6.0) <= dimension_score(high, 6.0) <= 100.0


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_responsiveness_is_missing_up_to_one_piece_and_then_between_0_and_100(returned: float, missing: float) -> None:
    found = responsiveness(returned, missing)
    if returned + missing <= 1.0:
        assert found is None
    elif returned + missing > 1.001:
        assert found is not None
        assert 0.0 < found < 100.0


def test_three_calls_without_an_answer_are_worth_their_formula() -> None:
    assert pytest.approx(responsiveness(0.0, 3.0)) == 100 * 2 / 7


@pytest.mark.parametrize(
    ("silence", "expected"), [(0, 75.0), (7, 75.0), (14, 37.5), (21, 0.0), (400, 0.0)], ids=lambda value: f"{value}"
)
def test_engagement_is_as_expected_within_the_cadence_and_gone_at_three_times(silence: int, expected: float) -> None:
    assert expected == pytest.approx(engagement(Reported(7.0, last_two_way=NOW - silence * DAY), NOW))


def test_engagement_without_any_contact_is_missing_until_the_account_is_known_for_longer_than_its_cadence() -> None:
    known = Reported(7.0, known_since=NOW)
    assert engagement(known, NOW + 7 * DAY) is None
    assert pytest.approx(engagement(known, NOW + 14 * DAY)) == 37.5
    assert engagement(Reported(7.0), NOW) is None


def test_the_cadence_is_the_accounts_own_or_its_tiers() -> None:
    assert tuple(cadence_days(tier, None) for tier in "ABC") == (7.0, 14.0, 30.0)
    assert (cadence_days("A", 5.0), cadence_days(None, None)) == (5.0, 30.0)


@given(values)
def test_the_score_is_the_weighted_mean_of_what_is_present(present: list[float | None]) -> None:
    known = [(w, v) for w, v in zip(DEFAULT.measure_weights, present, strict=True) if v is not None]
    expected = math.fsum(w * v for w, v in known) / sum(w for w, _ in known) if known else NEUTRAL
    assert expected == pytest.approx(weighted_score(DEFAULT, present), abs=1e-9)


def test_a_measure_past_its_validity_is_missing_and_its_weight_goes_to_the_rest() -> None:
    reported = Reported(coverage=20.0, coverage_at=NOW - 90 * DAY, plan=80.0, plan_at=NOW - 61 * DAY)
    found = measure_values(DEFAULT, Standing(Balances(NOW), reported=reported), NOW)
    assert found == [None, None, None, None, 20.0, None, None, None]
    assert weighted_score(DEFAULT, found) == 20.0


def test_confidence_counts_a_dimension_fully_from_three_recent_pieces() -> None:
    heart: list[float | None] = [30.0, None, None, None, None, None, None, None]
    _, present = weigh(DEFAULT, heart)
    recent, old = NOW - DAY, NOW - 121 * DAY
    assert pytest.approx(confidence(DEFAULT, heart, present, ([recent] * 3, [], []), NOW)) == 0.2
    assert pytest.approx(confidence(DEFAULT, heart, present, ([recent, old, old], [], []), NOW)) == 0.2 / 3
    assert confidence(DEFAULT, heart, present, ([old] * 3, [], []), NOW) == 0.0


@pytest.mark.parametrize(
    ("score", "previous", "expected"),
    [
        (70.0, None, "healthy"),
        (69.9, None, "watch"),
        (39.9, None, "at-risk"),
        (67.0, "healthy", "healthy"),
        (66.9, "healthy", "watch"),
        (72.9, "watch", "watch"),
        (73.0, "watch", "healthy"),
        (37.0, "watch", "watch"),
        (36.9, "watch", "at-risk"),
        (42.9, "at-risk", "at-risk"),
        (43.0, "at-risk", "watch"),
        (10.0, "healthy", "at-risk"),
        (42.0, "unknown", "watch"),
    ],
)
def test_a_band_is_left_only_when_its_edge_is_passed_by_three_points(
    score: float, previous: str | None, expected: str
) -> None:
    assert expected == band_of(DEFAULT, score, 0.5, previous)
    assert band_of(DEFAULT, score, 0.149, previous) == "unknown"


@given(st.lists(st.floats(37.0, 43.0, exclude_max=True), min_size=2, max_size=30))
def test_a_score_that_trembles_around_an_edge_never_flaps(scores: list[float]) -> None:
    band, bands = None, []
    for score in scores:
        band = band_of(DEFAULT, score, 0.5, band)
        bands.append(band)
    changes = sum(one != other for one, other in pairwise(bands))
    assert changes == 0


def test_trend_keeps_fifteen_days_with_their_best_and_last() -> None:
    days: list[Day] = []
    for day in range(40):
        note_score(days, 80.0 - day, NOW + day * DAY)
        note_score(days, 79.5 - day, NOW + day * DAY)
    now = NOW + 39 * DAY
    assert len(days) == 15
    assert peak(days, now, 14.0) == 80.0 - 26
    assert pytest.approx(change_over(days, 79.5 - 39, now)) == -7.0
    assert peak([], now, 14.0) is None


def test_evidence_that_was_all_taken_back_leaves_its_dimension_missing() -> None:
    balances, piece = Balances(NOW), Piece("0" * 32, "call-returned", 0, 1.0, NOW)
    balances.add(piece, DEFAULT.half_lives)
    balances.add(piece, DEFAULT.half_lives, -1)
    assert measure_values(DEFAULT, Standing(balances), NOW) == [None] * 8
