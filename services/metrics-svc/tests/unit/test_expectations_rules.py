"""Expectations: grouping, deadlines, late replies, and that arrival never matters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.derivation.rules import Policy
from metrics_svc.expectations.rules import Ask, Expectation, Lane, Reply, expectations, judge

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LANE = Lane("acme", UUID(int=1), UUID(int=2), "call")
WINDOW = timedelta(hours=10)
LONG_AFTER = NOON + timedelta(days=365)


def deadline(asked_at: datetime) -> tuple[datetime, datetime]:
    return asked_at + WINDOW, asked_at + 2 * WINDOW


def ask(number: int, hours: float, *, replies: Sequence[float] = (), stated: bool = False) -> Ask:
    at = NOON + hours * HOUR
    later = [r for r in sorted(replies) if NOON + r * HOUR > at]
    reply = Reply(UUID(int=1000 + int(later[0] * 100)), NOON + later[0] * HOUR) if later else None
    return Ask(activity_id=UUID(int=number), at=at, source="crm", stated=stated, reply=reply)


def lane(hours: Sequence[float], replies: Sequence[float] = ()) -> list[Expectation]:
    asks = [ask(number, at, replies=replies) for number, at in enumerate(hours, 1)]
    return expectations(LANE, asks, deadline)


def said(found: Sequence[Expectation], as_of: datetime = LONG_AFTER) -> list[tuple[str, float, float]]:
    pieces = [piece for one in found for piece in judge(one, Policy(), as_of)]
    return [(p.kind, (p.observed_at - NOON) / HOUR, p.magnitude) for p in pieces]


def test_nothing_is_said_before_the_deadline() -> None:
    found = lane([0])
    assert said(found, NOON + 9 * HOUR) == []
    assert found[0].awaited(NOON + 9 * HOUR) == NOON + 10 * HOUR


def test_no_reply_by_the_deadline_is_unreturned_at_the_deadline() -> None:
    found = lane([0])
    assert said(found, NOON + 10 * HOUR) == [("call-unreturned", 10, 1.0)]
    assert found[0].awaited(NOON + 10 * HOUR) is None


def test_chasing_five_times_is_one_piece_of_evidence_with_at_most_twice_the_size() -> None:
    assert said(lane([0, 1, 2])) == [("call-unreturned", 10, 1.5)]
    assert said(lane([0, 1, 2, 3, 4, 5])) == [("call-unreturned", 10, 2.0)]


def test_an_ask_after_the_deadline_opens_the_next_expectation() -> None:
    assert said(lane([0, 11])) == [("call-unreturned", 10, 1.0), ("call-unreturned", 21, 1.0)]


def test_a_reply_in_time_is_returned_and_an_ask_after_it_is_a_new_one() -> None:
    assert said(lane([0, 5], replies=[3])) == [("call-returned", 3, 1.0), ("call-unreturned", 15, 1.0)]


def test_a_reply_within_twice_the_window_takes_the_negative_back() -> None:
    assert said(lane([0], replies=[20])) == [("call-returned", 20, 1.0)]


def test_a_later_reply_lets_both_stand() -> None:
    assert said(lane([0], replies=[20.01])) == [("call-unreturned", 10, 1.0), ("call-returned", 20.01, 1.0)]


def test_a_late_reply_forgives_the_earlier_expectation_and_answers_the_later() -> None:
    assert said(lane([0, 12], replies=[15])) == [("call-returned", 15, 1.0)]


def test_a_reply_the_source_only_states_is_a_return_and_never_unreturned() -> None:
    found = expectations(LANE, [ask(1, 0), ask(2, 1, stated=True)], deadline)
    assert said(found) == [("call-returned", 1, 1.0)]


def test_a_message_counts_with_the_written_word() -> None:
    written = Lane("acme", UUID(int=1), UUID(int=2), "message")
    assert said(expectations(written, [ask(1, 0)], deadline)) == [("email-unreturned", 10, 1.0)]


moments = st.lists(st.integers(0, 120).map(float), max_size=12)


@given(asks=moments, replies=moments, order=st.randoms())
def test_order_of_arrival_and_repeats_never_change_the_expectations(
    asks: list[float], replies: list[float], order: object
) -> None:
    made = [ask(number, at, replies=replies) for number, at in enumerate(asks, 1)]
    shuffled = list(made)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert expectations(LANE, made, deadline) == expectations(LANE, shuffled, deadline)


@given(asks=moments, replies=moments, cut=st.integers(0, 12))
def test_a_suffix_that_begins_with_an_opening_ask_groups_as_in_the_whole(
    asks: list[float], replies: list[float], cut: int
) -> None:
    whole = lane(asks, replies)
    if cut >= len(whole):
        return
    opener = whole[cut].asks[0]
    rest = [a for one in whole for a in one.asks if (a.at, a.activity_id) >= (opener.at, opener.activity_id)]
    assert whole[cut:] == expectations(LANE, rest, deadline)


@given(asks=moments, replies=moments)
def test_a_reply_answers_at_most_one_expectation_of_a_lane(asks: list[float], replies: list[float]) -> None:
    closing = [one.closing.activity_id for one in lane(asks, replies) if one.closing]
    assert len(closing) == len(set(closing))


@given(asks=moments, replies=moments, now=st.integers(0, 200), later=st.integers(0, 200))
def test_time_alone_only_adds_evidence(asks: list[float], replies: list[float], now: int, later: int) -> None:
    found = lane(asks, replies)
    before = said(found, NOON + now * HOUR)
    after = said(found, NOON + (now + later) * HOUR)
    assert set(before) <= set(after)


@given(asks=moments, replies=moments, now=st.integers(0, 200))
def test_every_expectation_is_settled_or_awaited(asks: list[float], replies: list[float], now: int) -> None:
    as_of = NOON + now * HOUR
    for one in lane(asks, replies):
        settled = bool(judge(one, Policy(), as_of)) or one.forgiven
        assert settled != (one.awaited(as_of) is not None)
