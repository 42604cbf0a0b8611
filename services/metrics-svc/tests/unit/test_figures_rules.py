"""Days, intervals and periods: how a period is cut, and what a day's events matter to."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.evidence.rules import Evidence, Revision, Slot
from metrics_svc.figures.rules import DAY, GRAINS, Grain, Interval, Period, after, counted, marks, spans, start_of

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
periods = st.tuples(days, st.integers(1, 1_500)).map(lambda made: Period(made[0], made[0] + made[1] * DAY))
intervals = st.sampled_from(["day", "week", "month", "quarter"])


def piece(observed_at: datetime, account_id: UUID = ACCOUNT) -> Evidence:
    return Evidence(
        slot=Slot("acme", account_id, "held", "x"), kind="meeting-held", observed_at=observed_at, source="crm"
    )


def activity(occurred_at: datetime, account_id: UUID | None) -> Activity:
    return Activity(
        tenant="acme",
        activity_id=UUID(int=9),
        source="crm",
        type="call",
        occurred_at=occurred_at,
        recorded_at=NOON,
        account_id=account_id,
    )


def test_evidence_that_moves_marks_the_day_it_leaves_and_the_one_it_comes_to() -> None:
    moved = Revision(piece(NOON), 2, before=piece(NOON - timedelta(days=3)))
    assert marks([moved], []) == {("acme", ACCOUNT, date(2026, 3, 2)), ("acme", ACCOUNT, date(2026, 2, 27))}


def test_an_activity_that_changes_its_account_marks_both() -> None:
    change = Change(activity(NOON, ACCOUNT), activity(NOON, OTHER))
    assert {("acme", ACCOUNT, date(2026, 3, 2)), ("acme", OTHER, date(2026, 3, 2))} == marks([], [change])


def test_what_has_no_account_marks_nothing() -> None:
    assert marks([], [Change(None, activity(NOON, None))]) == set()


def test_days_are_those_of_utc() -> None:
    late = datetime.fromisoformat("2026-03-02T23:30:00-05:00")
    assert marks([Revision(piece(late), 1)], []) == {("acme", ACCOUNT, date(2026, 3, 3))}


def test_a_day_matters_to_its_month_its_quarter_and_the_next_one() -> None:
    assert counted(date(2026, 11, 24)) == {date(2026, 11, 24), date(2026, 11, 1), date(2026, 10, 1), date(2027, 1, 1)}


@pytest.mark.parametrize(
    ("interval", "start", "following"),
    [
        ("day", date(2026, 11, 24), date(2026, 11, 25)),
        ("week", date(2026, 11, 23), date(2026, 11, 30)),
        ("month", date(2026, 11, 1), date(2026, 12, 1)),
        ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
    ],
)
def test_intervals_are_those_of_the_calendar(interval: Interval, start: date, following: date) -> None:
    assert start == start_of(interval, date(2026, 11, 24))
    assert following == after(interval, start)


def test_whole_months_are_preceded_by_as_many_whole_months() -> None:
    assert Period(date(2026, 1, 1), date(2026, 3, 1)).previous == Period(date(2025, 11, 1), date(2026, 1, 1))
    assert Period(date(2026, 3, 2), date(2026, 3, 9)).previous == Period(date(2026, 2, 23), date(2026, 3, 2))


@given(periods, intervals)
def test_the_points_of_a_period_are_the_period_without_gaps(period: Period, interval: Interval) -> None:
    points = list(period.points(interval))
    assert (points[0].start, points[-1].end) == (period.start, period.end)
    assert all(one.end == next_.start for one, next_ in itertools.pairwise(points))
    assert all(start_of(interval, point.start) == start_of(interval, point.end - DAY) for point in points)


@given(periods, st.sampled_from(GRAINS))
def test_the_spans_of_a_period_are_the_period_and_its_buckets_are_whole(period: Period, coarsest: Grain) -> None:
    cut = spans(period, coarsest=coarsest)
    assert (cut[0].start, cut[-1].end) == (period.start, period.end)
    assert all(one.end == next_.start for one, next_ in itertools.pairwise(cut))
    assert all(start_of(span.grain, at) == at for span in cut for at in (span.start, span.end))
    days = Counter[Grain]()
    for span in cut:
        days[span.grain] += (span.end - span.start).days
    assert days["day"] <= (1_500 if coarsest == "day" else 60)
    assert days["month"] <= (1_500 if coarsest == "month" else 124)
