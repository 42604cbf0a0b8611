"""What is said of people and plans, and what it means."""

from datetime import UTC, date, datetime

import pytest

from scoring_svc.situation.rules import MOST_OVERDUE, Situation, late_since, overdue_days, thread_share


@pytest.mark.parametrize(("lost", "left", "expected"), [(1, 0, True), (1, 1, False), (0, 0, False)])
def test_a_champion_is_gone_until_another_one_is_there(lost: int, left: int, expected: bool) -> None:
    assert Situation(champions=left, champions_lost=lost).champion_gone == expected


@pytest.mark.parametrize(
    ("said", "people", "expected"), [(90.0, 3, 90.0), (None, 1, 100.0), (None, 4, 25.0), (None, 0, None)]
)
def test_influence_that_nobody_measured_is_shared_evenly(
    said: float | None, people: int, expected: float | None
) -> None:
    assert thread_share(said, people) == expected


def test_late_actions_are_as_late_as_is_said_or_as_the_count_can_mean() -> None:
    day = date(2026, 3, 2)
    assert overdue_days([day, date(2026, 3, 1)], 2, day) == [date(2026, 3, 1), day]
    assert overdue_days(None, 2, day) == [date(2026, 3, 1)] * 2
    assert (
        overdue_days(None, 2**31, day)
        == [date(2026, 3, 1)] * MOST_OVERDUE
        == overdue_days([date(2026, 3, 1)] * 101, 0, day)
    )


def test_an_action_is_late_when_its_day_has_ended() -> None:
    assert late_since(date(2026, 3, 1)) == datetime(2026, 3, 2, tzinfo=UTC).timestamp()
