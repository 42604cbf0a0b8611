"""Meetings: the last answer counts, notice matters, and arrival does not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import OUTCOMES, Activity
from metrics_svc.derivation.rules import Policy
from metrics_svc.meetings.rules import awaited, judge

START = datetime(2026, 3, 10, 14, tzinfo=UTC)
DAY = timedelta(days=1)
ANSWERS = sorted(OUTCOMES["meeting"])


def word(number: int, outcome: str | None, days_before: float = 3.0, *, start: datetime = START) -> Activity:
    """One answer as an activity of its own."""
    return Activity(
        tenant="acme",
        activity_id=UUID(int=number),
        source="calendar",
        type="meeting",
        occurred_at=START - days_before * DAY,
        recorded_at=START,
        starts_at=start,
        account_id=UUID(int=7),
        outcome=outcome,
        meeting_id=UUID(int=9),
    )


def record(
    outcome: str, *, recorded: timedelta = timedelta(), updated: timedelta | None = None, revision: int = 1
) -> Activity:
    """The one record a CRM keeps of a meeting; ``occurred_at`` is its start."""
    return Activity(
        tenant="acme",
        activity_id=UUID(int=1),
        source="crm",
        type="meeting",
        occurred_at=START,
        recorded_at=START + recorded,
        updated_at=None if updated is None else START + updated,
        account_id=UUID(int=7),
        outcome=outcome,
        meeting_id=UUID(int=9),
        revision=revision,
    )


def said(*activities: Activity, as_of: datetime = START + DAY) -> list[tuple[str, float, float]]:
    found = judge(activities, Policy(), as_of)
    return [(p.kind, (p.observed_at - START) / DAY, p.magnitude) for p in found]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("accepted", [("meeting-accepted", -3, 1.0)]),
        ("declined", [("meeting-declined", -3, 1.0)]),
        ("held", [("meeting-held", 0, 1.0)]),
        ("no-show", [("meeting-no-show", 0, 1.0)]),
        ("cancelled-by-client", [("meeting-cancelled-by-client", -3, 1.0)]),
        ("invited", [("meeting-unanswered", 0, 1.0)]),
        ("no-response", [("meeting-unanswered", 0, 1.0)]),
        ("tentative", []),
        ("cancelled-by-us", []),
        ("rescheduled-by-client", []),
        ("rescheduled-by-us", []),
    ],
)
def test_each_answer_says_what_the_catalogue_has_for_it(outcome: str, expected: list[tuple[str, float, float]]) -> None:
    assert expected == said(word(1, outcome))


def test_an_invitation_is_awaited_until_the_start() -> None:
    before = START - DAY
    assert awaited([word(1, "invited")], before) == START
    assert said(word(1, "invited"), as_of=before) == []
    assert awaited([word(1, "invited")], START) is None
    assert awaited([word(1, "invited"), word(2, "accepted", 2)], before) is None


def test_a_later_answer_revises_the_earlier_in_the_same_place() -> None:
    first, second = word(1, "accepted", 5), word(2, "declined", 2)
    (before,), (after,) = judge([first], Policy(), START), judge([first, second], Policy(), START)
    assert (before.kind, after.kind) == ("meeting-accepted", "meeting-declined")
    assert before.slot == after.slot


def test_cancelled_by_the_client_on_short_notice_weighs_more() -> None:
    assert said(word(1, "cancelled-by-client", 0.5)) == [("meeting-cancelled-by-client", -0.5, 1.5)]
    assert said(word(1, "cancelled-by-client", 1)) == [("meeting-cancelled-by-client", -1, 1.0)]
    assert said(record("cancelled-by-client", recorded=-0.5 * DAY)) == [("meeting-cancelled-by-client", -0.5, 1.5)]
    assert said(record("cancelled-by-client", recorded=9 * DAY, updated=-0.5 * DAY)) == [
        ("meeting-cancelled-by-client", -0.5, 1.5)
    ]


def test_a_cancellation_we_only_hear_of_afterwards_is_not_called_short_notice() -> None:
    assert said(record("cancelled-by-client", recorded=9 * DAY)) == [("meeting-cancelled-by-client", 0, 1.0)]


def test_a_declined_meeting_of_next_week_is_observed_when_we_learn_of_it() -> None:
    assert said(record("declined", recorded=-7 * DAY), as_of=START - 7 * DAY) == [("meeting-declined", -7, 1.0)]


def test_moved_twice_by_the_client_counts_half_a_cancellation() -> None:
    once, twice = word(1, "rescheduled-by-client", 9), word(2, "rescheduled-by-client", 5, start=START + DAY)
    held = word(3, "held", 0)
    assert said(once) == []
    assert said(once, twice) == [("meeting-cancelled-by-client", -5, 0.5)]
    assert [(kind, at + 1 if kind == "meeting-held" else at, size) for kind, at, size in said(once, twice, held)] == [
        ("meeting-held", 1, 1.0),
        ("meeting-cancelled-by-client", -5, 0.5),
    ]


@given(
    answers=st.lists(st.tuples(st.sampled_from(ANSWERS), st.integers(0, 9)), min_size=1, max_size=6),
    order=st.randoms(),
)
def test_the_order_of_arrival_never_changes_what_a_meeting_says(answers: list[tuple[str, int]], order: object) -> None:
    made = [word(number, outcome, days) for number, (outcome, days) in enumerate(answers, 1)]
    shuffled = list(made)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(made, Policy(), START) == judge(shuffled, Policy(), START)
