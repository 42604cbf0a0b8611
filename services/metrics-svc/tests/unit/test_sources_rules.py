"""What a usual gap is, and when a silence stands out."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.sources.rules import FLOOR, GAPS_KNOWN, silent_at, usual_gap

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
ARRIVALS = st.lists(st.integers(0, 60 * 24 * 90), min_size=2, max_size=300).map(
    lambda minutes: [MONDAY + timedelta(minutes=m) for m in sorted(set(minutes))]
)


def every(minutes: int, *, times: int, start: datetime = MONDAY) -> list[datetime]:
    return [start + n * timedelta(minutes=minutes) for n in range(times)]


def test_too_few_gaps_make_no_habit() -> None:
    assert usual_gap(every(30, times=GAPS_KNOWN)) is None
    assert usual_gap(every(30, times=GAPS_KNOWN + 1)) == timedelta(minutes=30)


def test_what_comes_within_a_minute_is_one_arrival() -> None:
    bursts = [at + timedelta(seconds=s) for at in every(60, times=12) for s in (0, 20)]
    assert usual_gap(bursts) == timedelta(minutes=59, seconds=40)


def test_of_a_source_busy_by_day_the_night_is_usual() -> None:
    days = [at for day in range(4) for at in every(10, times=48, start=MONDAY + timedelta(days=day, hours=9))]
    assert usual_gap(days) == timedelta(hours=16, minutes=10)


def test_a_weekend_takes_no_time() -> None:
    friday = MONDAY + timedelta(days=4, hours=12)
    arrivals = [*every(60, times=12, start=friday), MONDAY + timedelta(days=7)]
    assert usual_gap(arrivals) == timedelta(hours=1)
    assert silent_at(arrivals[:-1]) == MONDAY + timedelta(days=7, hours=2)


def test_a_busy_source_is_silent_after_an_hour() -> None:
    arrivals = every(1, times=50)
    assert silent_at(arrivals) == arrivals[-1] + FLOOR


def test_a_source_heard_on_a_sunday_is_awaited_from_monday_on() -> None:
    arrivals = every(60, times=12, start=MONDAY + timedelta(days=3))
    sunday = MONDAY + timedelta(days=6, hours=10)
    assert silent_at([*arrivals, sunday]) > MONDAY + timedelta(days=7)


@given(ARRIVALS)
def test_silence_lies_after_the_last_arrival_and_at_least_an_hour(arrivals: list[datetime]) -> None:
    expected = silent_at(arrivals)
    assert (expected is None) == (usual_gap(arrivals) is None)
    assert expected is None or expected - arrivals[-1] >= FLOOR
