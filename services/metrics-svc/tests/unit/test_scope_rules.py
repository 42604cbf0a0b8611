"""Scope: a quarter's orders against the same days a year before, looked at when a month begins."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import Activity
from metrics_svc.derivation.rules import Policy, RuleBook
from metrics_svc.scope.rules import (
    OrderDay,
    affected,
    awaited,
    checkpoints,
    compare,
    following,
    judge,
    moment,
    needed,
    span,
    totals,
)

ACCOUNT = UUID(int=7)
FIRST = date(2024, 1, 10)
UNTIL = date(2027, 1, 1)


def ordered(day: date, amount: float, currency: str = "EUR") -> OrderDay:
    number = day.toordinal()
    return OrderDay(day, currency, Decimal(str(amount)), int(amount >= 0), UUID(int=number), "erp")


def monthly(amounts: Sequence[float], currency: str = "EUR") -> list[OrderDay]:
    """An order on the tenth of each month from January 2024 on."""
    return [ordered(date(2024 + i // 12, i % 12 + 1, 10), amount, currency) for i, amount in enumerate(amounts)]


def said(days: Sequence[OrderDay], policy: Policy | None = None) -> list[tuple[str, str, float]]:
    first = min(day.day for day in days if day.purchases)
    found = judge("acme", ACCOUNT, days, first, checkpoints(first, UNTIL), lambda _: policy or Policy())
    return [(piece.kind, piece.observed_at.date().isoformat(), piece.magnitude) for piece in found]


def test_the_same_as_a_year_before_says_nothing() -> None:
    assert said(monthly([10] * 36)) == []


def test_a_third_less_than_a_year_before_is_less_once_as_long_as_it_lasts() -> None:
    assert said(monthly([10] * 24 + [6] * 12)) == [("scope-reduced", "2026-04-01", 1.33)]


def test_more_than_a_year_before_is_weighed_by_its_size_up_to_a_limit() -> None:
    assert said(monthly([10] * 24 + [16] * 12)) == [("scope-expanded", "2026-03-01", 1.33)]
    assert said(monthly([10] * 24 + [90] * 12)) == [("scope-expanded", "2026-02-01", 3.0)]


def test_a_younger_account_is_compared_with_the_days_just_before() -> None:
    assert said(monthly([10, 10, 10, 10, 10, 10, 20, 20, 20])[:9])[:1] == [("scope-expanded", "2024-08-01", 1.11)]


def test_silence_makes_it_fall_when_the_month_has_gone_by() -> None:
    found = said(monthly([10] * 24))
    assert found[0] == ("scope-reduced", "2026-02-01", 1.11)
    assert len(found) == 1


def test_credit_notes_take_off() -> None:
    credited = sorted([*monthly([10] * 27), ordered(date(2026, 3, 20), -20)])
    assert said(credited)[0] == ("scope-reduced", "2026-04-01", 2.22)


def test_one_purchase_before_is_nothing_to_compare_with() -> None:
    lone = [ordered(FIRST, 5), ordered(date(2025, 6, 10), 1), ordered(date(2026, 6, 10), 900)]
    assert said(lone) == []
    assert said(lone, Policy(scope_purchases=1)) != []


def test_what_moved_to_another_currency_is_no_less() -> None:
    switched = [*monthly([10] * 24), *monthly([0] * 24 + [900] * 12, "USD")[24:]]
    assert said(switched) == []


def test_orders_of_another_currency_as_many_as_before_are_left_out() -> None:
    dollars = [ordered(date(2025, 2, 1), 5, "USD"), ordered(date(2026, 2, 1), 900, "USD")]
    assert said(sorted([*monthly([10] * 24 + [6] * 12), *dollars])) == [("scope-reduced", "2026-04-01", 1.33)]


def test_an_account_younger_than_two_windows_is_not_compared() -> None:
    assert compare(monthly([10, 90, 900]), FIRST, date(2024, 4, 1), Policy()) is None


def test_months_begin_after_one_day_up_to_another() -> None:
    assert list(checkpoints(date(2024, 11, 30), date(2025, 1, 1))) == [date(2024, 12, 1), date(2025, 1, 1)]
    assert list(checkpoints(date(2024, 12, 1), date(2025, 1, 31))) == [date(2025, 1, 1)]
    assert following(date(2024, 12, 31)) == date(2025, 1, 1)


def test_the_next_month_is_awaited_as_long_as_orders_matter() -> None:
    as_of = datetime(2026, 3, 15, tzinfo=UTC)
    assert moment(date(2026, 4, 1)) == awaited(date(2026, 3, 2), as_of, RuleBook())
    assert awaited(date(2024, 3, 2), as_of, RuleBook()) is None
    assert awaited(None, as_of, RuleBook()) is None


def order(number: int, hours: int, amount: str, outcome: str = "placed") -> Activity:
    at = datetime(2024, 1, 10, tzinfo=UTC) + timedelta(hours=hours)
    made = {"activity_id": UUID(int=number), "occurred_at": at, "amount": Decimal(amount), "outcome": outcome}
    return Activity(tenant="acme", source="erp", type="order", recorded_at=at, account_id=ACCOUNT, **made)


def test_orders_are_summed_by_day_and_currency_and_cancelled_ones_left_out() -> None:
    orders = [
        order(1, 0, "10"),
        order(2, 23, "-4"),
        order(3, 23, "5"),
        order(4, 24, "7"),
        order(5, 1, "99", "cancelled"),
    ]
    assert totals([(one, "EUR") for one in orders] + [(order(6, 2, "1"), "USD")]) == [
        OrderDay(FIRST, "EUR", Decimal(11), 2, UUID(int=3), "erp"),
        OrderDay(FIRST, "USD", Decimal(1), 1, UUID(int=6), "erp"),
        OrderDay(FIRST + timedelta(days=1), "EUR", Decimal(7), 1, UUID(int=4), "erp"),
    ]


purchases = st.lists(
    st.builds(
        ordered, st.dates(date(2023, 1, 1), date(2026, 12, 1)), st.integers(-20, 200), st.sampled_from(["EUR", "USD"])
    ),
    min_size=2,
    max_size=60,
    unique_by=lambda day: (day.day, day.currency),
).filter(lambda days: any(day.purchases for day in days))


@given(days=purchases)
def test_a_slice_says_of_a_month_what_the_whole_history_says(days: list[OrderDay]) -> None:
    days, first = sorted(days), min(day.day for day in days if day.purchases)
    whole = judge("acme", ACCOUNT, days, first, checkpoints(first, UNTIL), lambda _: Policy())
    for checkpoint in checkpoints(first, UNTIL):
        part = [day for day in days if needed(checkpoint, RuleBook()) <= day.day < checkpoint]
        alone = judge("acme", ACCOUNT, part, first, [checkpoint], lambda _: Policy())
        assert alone == [piece for piece in whole if piece.observed_at.date() == checkpoint]


@given(days=purchases, data=st.data())
def test_a_day_matters_to_the_months_it_affects_and_no_others(days: list[OrderDay], data: st.DataObject) -> None:
    days, first = sorted(days), min(day.day for day in days if day.purchases)
    gone = data.draw(st.sampled_from(days))
    without = [day for day in days if day is not gone]
    found = [
        judge("acme", ACCOUNT, part, first, checkpoints(first, UNTIL), lambda _: Policy()) for part in (days, without)
    ]
    after, until = affected(gone.day, RuleBook())
    apart = [[piece for piece in part if not after < piece.observed_at.date() <= until] for part in found]
    assert apart[0] == apart[1]


@pytest.mark.parametrize("days", [90, 180])
def test_an_order_matters_for_a_year_and_a_window(days: int) -> None:
    assert span(RuleBook(versions=(Policy(scope_days=days),))) == timedelta(days=365 + max(days, 90))
