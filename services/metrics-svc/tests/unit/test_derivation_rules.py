"""Rules in force, business days and deadlines."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.derivation.rules import (
    Policy,
    Refusal,
    RuleBook,
    Signal,
    Terms,
    Window,
    add_business_days,
    changed,
    refusal,
    weekdays,
)
from metrics_svc.evidence.rules import CATALOGUE, Kind

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
    due = terms.deadline("acme", UUID(int=1), "call", FRIDAY)
    assert (FRIDAY + timedelta(seconds=5), FRIDAY + timedelta(seconds=10)) == due


def test_the_calendar_asked_is_that_of_the_accounts_country() -> None:
    asked = []

    def working(country: str | None, day: date) -> bool:
        asked.append(country)
        return True

    terms = Terms(as_of=FRIDAY, books={}, countries={("acme", UUID(int=1)): "DE"}, working_day=working)
    due = terms.deadline("acme", UUID(int=1), "call", FRIDAY)
    assert (FRIDAY + timedelta(days=3), FRIDAY + timedelta(days=6)) == due
    assert {"DE"} == set(asked)


def test_a_country_has_windows_of_its_own_per_channel() -> None:
    policy = Policy(country_windows={"DE": {"call": Window(business_days=1)}})
    assert Window(business_days=1) == policy.window("call", "DE")
    assert Window(business_days=5) == policy.window("email", "DE")
    assert Window(business_days=3) == policy.window("call", None)


@pytest.mark.parametrize(("forgiveness", "days"), [(1.0, 3), (1.5, 5), (2.0, 6), (4.0, 12)])
def test_forgiveness_is_a_number_of_windows_rounded_up_to_whole_days(forgiveness: float, days: int) -> None:
    book = RuleBook(default=Policy(forgiveness=forgiveness))
    terms = Terms(as_of=FRIDAY, books={"acme": book}, countries={}, working_day=lambda _country, _day: True)
    due = terms.deadline("acme", UUID(int=1), "call", FRIDAY)
    assert (FRIDAY + timedelta(days=3), FRIDAY + timedelta(days=days)) == due


GIFT = Kind("gift-refused", "advice", -1)


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        (Policy(kinds=(GIFT,)), None),
        (Policy(kinds=(GIFT, Kind("gift-taken", "service", 1))), None),
        (Policy(kinds=(Kind("gift-refused", "advice", -1, retired=True),)), None),
        (Policy(kinds=(GIFT,), signals=(Signal(type="note", kind="gift-refused"),)), None),
        (Policy(), (Refusal.KIND_GONE, "/kinds")),
        (Policy(kinds=(GIFT, GIFT)), (Refusal.KIND_REDEFINED, "/kinds/1")),
        (Policy(kinds=(Kind("gift-refused", "advice", 1),)), (Refusal.KIND_REDEFINED, "/kinds/0")),
        (Policy(kinds=(Kind("gift-refused", "service", -1),)), (Refusal.KIND_REDEFINED, "/kinds/0")),
        (Policy(kinds=(GIFT, CATALOGUE["order-placed"])), (Refusal.KIND_REDEFINED, "/kinds/1")),
        (
            Policy(kinds=(GIFT,), signals=(Signal(type="fax", kind="gift-refused"),)),
            (Refusal.UNKNOWN_TYPE, "/signals/0/type"),
        ),
        (
            Policy(kinds=(GIFT,), signals=(Signal(type="call", outcome="won", kind="gift-refused"),)),
            (Refusal.OUTCOME_MISMATCH, "/signals/0/outcome"),
        ),
        (Policy(kinds=(GIFT,), signals=(Signal(type="note", kind="gift"),)), (Refusal.UNKNOWN_KIND, "/signals/0/kind")),
        (
            Policy(
                kinds=(Kind("gift-refused", "advice", -1, retired=True),),
                signals=(Signal(type="note", kind="gift-refused"),),
            ),
            (Refusal.RETIRED_KIND, "/signals/0/kind"),
        ),
    ],
)
def test_a_policy_follows_another_unless_it_redefines_what_evidence_may_be_of(
    policy: Policy, pointer: tuple[Refusal, str] | None
) -> None:
    assert pointer == refusal(policy, Policy(kinds=(GIFT,)))


def test_what_differs_between_two_policies_is_named_with_both_values() -> None:
    assert changed(Policy(), Policy(chase_step=0.5)) == {"chase_step": (0.25, 0.5)}
    assert changed(Policy(), Policy()) == {}


def test_a_kind_is_found_whatever_version_named_it() -> None:
    book = RuleBook(versions=(Policy(kinds=(GIFT,)), Policy(kinds=(replace(GIFT, retired=True),))))
    assert book.kind("gift-refused").retired
    assert book.kind("order-placed").dimension == "wallet"
