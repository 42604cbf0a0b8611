"""How often a source is usually heard from, and when its silence stands out. Pure.

Time is counted in weekdays (UTC), so that a weekend is no silence; nights are part of the usual gap.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

SHORTEST_GAP = timedelta(minutes=1)
"""What comes closer together is one arrival."""
GAPS_KEPT = 200
GAPS_KNOWN = 10
"""So many gaps make a habit."""
FACTOR = 3
FLOOR = timedelta(hours=1)
"""No shorter silence stands out, however busy the source is."""
LOOK_AGAIN = timedelta(hours=1)
"""How long a source without a habit yet is let alone."""

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_DAY, _WEEKDAYS = 86_400.0, 5


def usual_gap(arrivals: Sequence[datetime]) -> timedelta | None:
    """The gap in which half of the time between ``arrivals`` passes; None while too few are known.

    That is the median weighted by length: of a source that is heard every minute by day, the night. Over the latest
    200 gaps of a minute or more, on weekdays.
    """
    gaps = sorted(gap for gap in map(_between, pairwise(arrivals[-GAPS_KEPT - 1 :])) if gap >= SHORTEST_GAP)
    if len(gaps) < GAPS_KNOWN:
        return None
    half = sum(gaps, timedelta()) / 2
    passed = timedelta()
    for gap in gaps:
        passed += gap
        if passed >= half:
            return gap
    raise AssertionError("all gaps together are more than half of them")


def silent_at(arrivals: Sequence[datetime]) -> datetime | None:
    """When the source counts as silent unless it is heard before: three usual gaps after the last arrival.

    At least an hour; None while no gap is usual.
    """
    usual = usual_gap(arrivals)
    return None if usual is None else _later(arrivals[-1], max(FACTOR * usual, FLOOR))


def _between(pair: tuple[datetime, datetime]) -> timedelta:
    return timedelta(seconds=_weekday_seconds(pair[1]) - _weekday_seconds(pair[0]))


def _weekday_seconds(moment: datetime) -> float:
    """The seconds of weekdays since a Monday long ago."""
    days, seconds = divmod((moment - _MONDAY).total_seconds(), _DAY)
    weeks, day = divmod(days, 7)
    return (weeks * _WEEKDAYS + min(day, _WEEKDAYS)) * _DAY + (seconds if day < _WEEKDAYS else 0)


def _later(moment: datetime, span: timedelta) -> datetime:
    """When ``span`` has passed on weekdays after ``moment``."""
    weeks, seconds = divmod(_weekday_seconds(moment) + span.total_seconds(), _WEEKDAYS * _DAY)
    return _MONDAY + timedelta(weeks=weeks, seconds=seconds)
