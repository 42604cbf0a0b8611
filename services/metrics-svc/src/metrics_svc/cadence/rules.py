"""An account's own rhythm of two-way contact, the expected one, and whether it is silent for too long. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from uuid import UUID

from metrics_svc.activities.rules import Activity
from metrics_svc.touch.rules import contact

HABIT = timedelta(days=365)
"""An account's own rhythm is that of this span."""

BY_TIER: Mapping[str, float] = {"A": 7.0, "B": 14.0, "C": 30.0}
"""Days between contacts expected of a tier, where an account has no cadence of its own."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cadence:
    """Days between two-way contacts: as they are (the median of ``n`` gaps), and as expected.

    ``overdue`` says whether the silence is longer than expected; None when nothing is expected, or nobody ever
    heard from the client.
    """

    own_days: float | None
    n: int
    expected_days: float | None
    silence_days: float | None
    overdue: bool | None


def cadence(
    days: Iterable[date], expected_days: float | None, last_two_way_at: datetime | None, as_of: datetime
) -> Cadence:
    """The cadence of an account with two-way contact on ``days``, in any order."""
    gaps = [(later - earlier).days for earlier, later in pairwise(sorted(set(days)))]
    silence = None if last_two_way_at is None else max(0.0, (as_of - last_two_way_at) / _DAY)
    overdue = None if silence is None or expected_days is None else silence > expected_days
    return Cadence(float(median(gaps)) if gaps else None, len(gaps), expected_days, silence, overdue)


def expected(cadence_days: float | None, tier: str | None) -> float | None:
    """Days between contacts expected of an account: its own cadence, else its tier's."""
    return cadence_days if cadence_days is not None else BY_TIER.get(tier or "")


def met(activities: Sequence[Activity]) -> dict[UUID, tuple[int, int]]:
    """How often each person was in contact, and how often they took part."""
    found: dict[UUID, tuple[int, int]] = {}
    for activity in activities:
        how = contact(activity)
        for person in set(activity.contact_ids) if how is not None else ():
            contacts, two_way = found.get(person, (0, 0))
            found[person] = (contacts + 1, two_way + (how is not None and how.two_way))
    return found
