"""What figures are counted for which days, and how a period is cut into the buckets that are kept. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

from metrics_svc.activities.rules import Change
from metrics_svc.evidence.rules import Revision

Scope = Literal["all", "owner", "territory", "tier", "account"]
SCOPES: tuple[str, ...] = ("all", "owner", "territory", "tier")
"""The scopes of groups, in the order in which an account's groups are kept."""

Interval = Literal["day", "week", "month", "quarter"]

Grain = Literal["day", "month", "quarter"]
GRAINS: tuple[Grain, ...] = ("day", "month", "quarter")
"""The buckets that figures of groups are kept in, the finest first."""

Part = Literal["figures", "standing", "bets"]
"""What of a tenant's figures is read together, and so has a version: figures with targets, accounts, people."""

Mark = tuple[str, UUID, date | None]
"""Tenant, account and the UTC day whose figures may have changed; None: the account's groups may have."""

DAY = timedelta(days=1)
MONTH_DAYS = 365.25 / 12
"""A month where something is said per month."""


def day_of(moment: datetime) -> date:
    """The UTC day of a moment."""
    return moment.astimezone(UTC).date()


def marks(revisions: Iterable[Revision], changes: Iterable[Change]) -> set[Mark]:
    """The days whose figures may differ after evidence was revised and activities changed, before and after."""
    found: set[Mark] = set()
    for revision in revisions:
        for piece in (revision.before, revision.evidence):
            if piece is not None:
                found.add((piece.slot.tenant, piece.slot.account_id, day_of(piece.observed_at)))
    for change in changes:
        for activity in change.versions():
            assert activity.account_id is not None
            found.add((activity.tenant, activity.account_id, day_of(activity.occurred_at)))
    return found


def counted(day: date) -> set[date]:
    """The days on which something stands that a day's events matter to.

    That is the day itself, the first of its month (what is counted once a month), and the first of its quarter and
    of the next (what is counted once a quarter, and against the quarter before).
    """
    quarter = start_of("quarter", day)
    return {day, start_of("month", day), quarter, after("quarter", quarter)}


def start_of(interval: Interval, day: date) -> date:
    """The first day of the interval that a day lies in; weeks begin on Monday."""
    match interval:
        case "day":
            return day
        case "week":
            return day - day.weekday() * DAY
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def after(interval: Interval, start: date) -> date:
    """The first day of the interval after the one that begins at ``start``."""
    match interval:
        case "day" | "week":
            return start + (1 if interval == "day" else 7) * DAY
        case "month" | "quarter":
            return months_later(start, 1 if interval == "month" else 3)


def months_later(first: date, months: int) -> date:
    """The first of a month, so many months after (or before) another first."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days from ``start`` up to and without ``end``."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.end - self.start).days

    @property
    def previous(self) -> "Period":
        """The period of the same length before; whole months are preceded by as many whole months."""
        if self.start.day == self.end.day == 1:
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
            return Period(months_later(self.start, -months), self.start)
        return Period(self.start - (self.end - self.start), self.start)

    def points(self, interval: Interval) -> Iterator["Period"]:
        """The intervals it is made of, the first and last cut to fit."""
        start = self.start
        while start < self.end:
            end = min(after(interval, start_of(interval, start)), self.end)
            yield Period(start, end)
            start = end


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a period that is read from buckets of one grain: whole quarters, whole months, or days.

    ``earlier`` says that it belongs to the period before the one asked for.
    """

    grain: Grain
    start: date
    end: date
    earlier: bool = False


def spans(period: Period, *, coarsest: Grain, earlier: bool = False) -> list[Span]:
    """The stretches that together are a period, each read from the coarsest buckets that fit."""
    if period.start >= period.end:
        return []
    if coarsest == "day":
        return [Span("day", period.start, period.end, earlier)]
    finer = GRAINS[GRAINS.index(coarsest) - 1]
    first = start_of(coarsest, period.start)
    if first < period.start:
        first = after(coarsest, first)
    last = start_of(coarsest, period.end)
    if first >= last:
        return spans(period, coarsest=finer, earlier=earlier)
    return [
        *spans(Period(period.start, first), coarsest=finer, earlier=earlier),
        Span(coarsest, first, last, earlier),
        *spans(Period(last, period.end), coarsest=finer, earlier=earlier),
    ]
