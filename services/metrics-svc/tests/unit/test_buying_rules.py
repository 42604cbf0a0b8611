"""Buying: slower and faster than the account's own habit, from a slice as from the whole."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.buying.rules import REACH, BuyingDay, awaited, judge
from metrics_svc.derivation.rules import Policy

FIRST = datetime(2025, 1, 6, 10, tzinfo=UTC)
ACCOUNT = UUID(int=7)
LONG_AFTER = FIRST + timedelta(days=5000)


def days(*gaps: int) -> list[BuyingDay]:
    at, found = FIRST, [BuyingDay(FIRST.date(), FIRST, UUID(int=0), "erp")]
    for number, gap in enumerate(gaps, 1):
        at += timedelta(days=gap)
        found.append(BuyingDay(at.date(), at, UUID(int=number), "erp"))
    return found


def said(bought: list[BuyingDay], as_of: datetime = LONG_AFTER) -> list[tuple[str, int]]:
    found = judge("acme", ACCOUNT, bought, 0, lambda _: Policy(), as_of)
    return [(piece.kind, (piece.observed_at - FIRST).days) for piece in found]


def test_without_four_known_gaps_there_is_no_habit_and_nothing_is_said() -> None:
    assert said(days(10, 10, 10)) == []
    assert awaited(days(10, 10, 10), lambda _: Policy(), FIRST) is None


def test_twice_the_usual_gap_without_an_order_is_slower_at_that_moment() -> None:
    bought = days(10, 10, 10, 10)
    assert FIRST + timedelta(days=60) == awaited(bought, lambda _: Policy(), FIRST + timedelta(days=59))
    assert said(bought, FIRST + timedelta(days=59)) == []
    assert said(bought, FIRST + timedelta(days=60)) == [("buying-decelerated", 60)]


def test_one_silence_is_said_once_and_an_order_in_time_says_nothing() -> None:
    assert said(days(10, 10, 10, 10, 50), FIRST + timedelta(days=95)) == [("buying-decelerated", 60)]
    assert said(days(10, 10, 10, 10, 20), FIRST + timedelta(days=70)) == []


def test_three_short_gaps_in_a_row_are_faster_once() -> None:
    bought = days(10, 10, 10, 10, 5, 5, 5, 5)
    assert said(bought, FIRST + timedelta(days=61)) == [("buying-accelerated", 55)]
    assert said(days(10, 10, 10, 10, 5, 5, 6), FIRST + timedelta(days=57)) == []


gaps = st.lists(st.integers(1, 60), max_size=60)


@given(gaps=gaps, first=st.integers(0, 60))
def test_a_slice_with_enough_days_before_it_says_what_the_whole_says(gaps: list[int], first: int) -> None:
    bought = days(*gaps)
    first = min(first, len(bought) - 1)
    start = max(0, first - REACH)
    whole = judge("acme", ACCOUNT, bought, first, lambda _: Policy(), LONG_AFTER)
    assert whole == judge("acme", ACCOUNT, bought[start:], first - start, lambda _: Policy(), LONG_AFTER)


@given(gaps=gaps, now=st.integers(0, 900), later=st.integers(0, 900))
def test_time_alone_only_adds_evidence(gaps: list[int], now: int, later: int) -> None:
    bought = days(*gaps)
    before = said(bought, bought[-1].last_at + timedelta(days=now))
    after = said(bought, bought[-1].last_at + timedelta(days=now + later))
    assert set(before) <= set(after)
