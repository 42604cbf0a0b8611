"""Which way a plan may go, and until when it runs. Pure: values in, values out."""

from datetime import date
from enum import StrEnum

MIN_YEARS = 1
MAX_YEARS = 3


class PlanStatus(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    CLOSED = "closed"


_NEXT = {
    PlanStatus.DRAFT: {PlanStatus.DRAFT, PlanStatus.ACTIVE, PlanStatus.CLOSED},
    PlanStatus.ACTIVE: {PlanStatus.ACTIVE, PlanStatus.CLOSED},
    PlanStatus.CLOSED: {PlanStatus.CLOSED},
}


def reachable(now: PlanStatus, then: PlanStatus) -> bool:
    """Whether a plan may go from one status to the other; never backwards."""
    return then in _NEXT[now]


def ends_on(starts_on: date, years: int) -> date:
    """The first day after a plan of 1 to 3 ``years``: the same day years later, 1 March for 29 February."""
    later = starts_on.year + years
    try:
        return starts_on.replace(year=later)
    except ValueError:
        return date(later, 3, 1)
