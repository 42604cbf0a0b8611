"""KPI colours against a straight reference with fractions, and which terms and actuals are taken."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.kpis.rules import (
    Direction,
    Rag,
    Refusal,
    Terms,
    colour,
    refused_actual,
    refused_terms,
    shortfall,
    standing,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
UPTIME = Terms(direction="higher", target=Decimal("99.5"), tolerance=Decimal("0.3"), valid_from=date(2026, 1, 1))
RANGE = replace(UPTIME, direction="range", target=Decimal(18), target_high=Decimal(22), tolerance=Decimal(1))


@pytest.mark.parametrize(
    ("terms", "value", "expected"),
    [
        (UPTIME, "99.5", Rag.GREEN),
        (UPTIME, "99.2", Rag.AMBER),
        (UPTIME, "99.19", Rag.RED),
        (replace(UPTIME, direction="lower"), "99.8", Rag.AMBER),
        (replace(UPTIME, direction="lower"), "99.81", Rag.RED),
        (replace(UPTIME, direction="lower"), "1", Rag.GREEN),
        (replace(UPTIME, tolerance=Decimal(0)), "99.49", Rag.RED),
        (RANGE, "18", Rag.GREEN),
        (RANGE, "22", Rag.GREEN),
        (RANGE, "23", Rag.AMBER),
        (RANGE, "17", Rag.AMBER),
        (RANGE, "16.9", Rag.RED),
        (RANGE, "23.1", Rag.RED),
    ],
)
def test_a_value_is_green_as_agreed_amber_within_the_tolerance_and_red_beyond(
    terms: Terms, value: str, expected: Rag
) -> None:
    assert colour(terms, Decimal(value)) is expected


numbers = st.decimals(-1000, 1000, places=3)


@given(
    direction=st.sampled_from(["higher", "lower", "range"]),
    target=numbers,
    width=st.decimals(0, 50, places=3),
    tolerance=st.decimals(0, 50, places=3),
    value=numbers,
)
def test_the_shortfall_is_the_exact_distance_to_what_was_agreed(
    direction: Direction, target: Decimal, width: Decimal, tolerance: Decimal, value: Decimal
) -> None:
    high = target + width if direction == "range" else None
    terms = replace(UPTIME, direction=direction, target=target, target_high=high, tolerance=tolerance)
    low = Fraction(target) if direction != "lower" else Fraction(-(10**6))
    top = Fraction(target) + Fraction(width) if direction == "range" else Fraction(target)
    top = Fraction(10**6) if direction == "higher" else top
    distance = max(low - Fraction(value), Fraction(value) - top, Fraction(0))
    expected = Rag.GREEN if distance == 0 else Rag.AMBER if distance <= Fraction(tolerance) else Rag.RED
    assert (Fraction(shortfall(terms, value)), colour(terms, value)) == (distance, expected)


def test_without_an_actual_or_with_a_stale_one_nobody_knows() -> None:
    day = date(2026, 1, 10)
    assert standing(UPTIME, None, day) is Rag.GREY
    assert standing(UPTIME, (day, Decimal(100)), day + timedelta(days=45)) is Rag.GREEN
    assert standing(UPTIME, (day, Decimal(100)), day + timedelta(days=46)) is Rag.GREY


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({"direction": "range"}, (Refusal.RANGE_MISMATCH, "/target_high")),
        ({"target_high": Decimal(100)}, (Refusal.RANGE_MISMATCH, "/target_high")),
        ({"direction": "range", "target_high": Decimal(99)}, (Refusal.RANGE_MISMATCH, "/target_high")),
        ({"valid_from": date(1989, 12, 31)}, (Refusal.TOO_EARLY, "/valid_from")),
        ({"valid_to": date(2025, 12, 31)}, (Refusal.OUT_OF_ORDER, "/valid_to")),
    ],
)
def test_terms_that_make_no_sense_are_refused(changed: dict[str, Any], expected: tuple[Refusal, str] | None) -> None:
    assert refused_terms(replace(UPTIME, **changed)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 2), None),
        (date(2026, 1, 1), None),
        (date(2026, 3, 3), (Refusal.IN_FUTURE, "/date")),
        (date(2025, 12, 31), (Refusal.OUTSIDE_VALIDITY, "/date")),
        (date(2026, 2, 21), (Refusal.OUTSIDE_VALIDITY, "/date")),
        (date(1989, 12, 31), (Refusal.TOO_EARLY, "/date")),
    ],
)
def test_an_actual_of_a_day_that_was_not_agreed_is_refused(day: date, expected: tuple[Refusal, str] | None) -> None:
    ends = date(2026, 2, 20) if day == date(2026, 2, 21) else None
    assert refused_actual(replace(UPTIME, valid_to=ends), day, NOW) == expected
