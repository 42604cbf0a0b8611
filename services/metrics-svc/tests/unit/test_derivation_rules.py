"""Rules in force, business days and deadlines."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.derivation.rules import Policy, RuleBook, Terms, Window, add_business_days, weekdays

FRIDAY = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


def monday_to_friday(day: date) -> bool:
    return weekdays(None, day)


def test_three_business_days_after_a_friday_is_wednesday_at_the_same_time() -> None:
    assert datetime(2026, 3, 11, 15, 30, tzinfo=UTC) == add_business_days(FRIDAY, 3, monday_to_friday)


def test_a_holiday_does_not_count() -> None:
    def working(day: date) -> bool:
        return weekdays(None, day) and day != date(2026, 3, 9)

    assert datetime(2026, 3, 12, 15, 30, tzinfo=UTC) == add_business_days(FRIDAY, 3, working)


@given(hours=st.integers(0, 20_000), days=st.integers(1, 20))
def test_a_window_and_another_are_twice_the_window(hours: int, days: int) -> None:
    moment = FRIDAY + timedelta(hours=hours)
    once = add_business_days(moment, days, monday_to_friday)
    assert add_business_days(once, days, monday_to_friday) == add_business_days(moment, 2 * days, monday_to_friday)


@pytest.mark.parametrize(
    "window",
    [{}, {"business_days": 3, "seconds": 5}, {"business_days": 0}, {"seconds": 0}, {"business_days": 61}],
)
def test_a_window_is_one_measure_within_its_limits(window: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"window|between"):
        Window(**window)


def test_an_activity_is_read_under_the_policy_of_its_moment() -> None:
    early, late = Policy(chase_step=0.5), Policy(chase_step=0.75)
    book = RuleBook(((FRIDAY, early), (FRIDAY + timedelta(days=1), late)))
    assert Policy() == book.at(FRIDAY - timedelta(seconds=1))
    assert early == book.at(FRIDAY)
    assert late == book.at(FRIDAY + timedelta(days=2))


def test_a_window_of_seconds_knows_no_calendar() -> None:
    policy = Policy(windows={"call": Window(seconds=5)})
    terms = Terms(as_of=FRIDAY, books={"acme": RuleBook(((FRIDAY, policy),))}, countries={}, working_day=weekdays)
    assert FRIDAY + timedelta(seconds=10) == terms.deadline("acme", UUID(int=1), "call", FRIDAY, 2)


def test_the_calendar_asked_is_that_of_the_accounts_country() -> None:
    asked = []

    def working(country: str | None, day: date) -> bool:
        asked.append(country)
        return True

    terms = Terms(as_of=FRIDAY, books={}, countries={("acme", UUID(int=1)): "DE"}, working_day=working)
    assert FRIDAY + timedelta(days=3) == terms.deadline("acme", UUID(int=1), "call", FRIDAY, 1)
    assert {"DE"} == set(asked)
