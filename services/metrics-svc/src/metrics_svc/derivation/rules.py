"""A tenant's derivation rules: reply windows, business days and thresholds, each from a moment on. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

LONGEST_BUSINESS_DAYS = 60
LONGEST_SECONDS = 90 * 86_400

WorkingDay = Callable[[str | None, date], bool]
"""Whether a date is a business day in a country (ISO 3166 alpha-2; None: Monday to Friday)."""


@dataclass(frozen=True, slots=True)
class Window:
    """How long a reply may take: business days, or plain seconds when ``business_days`` is None."""

    business_days: int | None = None
    seconds: int | None = None

    def __post_init__(self) -> None:
        if (self.business_days is None) == (self.seconds is None):
            raise ValueError("a window is either business days or seconds")
        if self.business_days is not None and not 1 <= self.business_days <= LONGEST_BUSINESS_DAYS:
            raise ValueError(f"business days lie between 1 and {LONGEST_BUSINESS_DAYS}")
        if self.seconds is not None and not 1 <= self.seconds <= LONGEST_SECONDS:
            raise ValueError(f"seconds lie between 1 and {LONGEST_SECONDS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every number derivation depends on; the defaults are the documented ones."""

    windows: Mapping[str, Window] = field(
        default_factory=lambda: {
            "call": Window(business_days=3),
            "email": Window(business_days=5),
            "message": Window(business_days=5),
        }
    )
    chase_step: float = 0.25
    chase_limit: float = 2.0
    late_notice_hours: float = 24.0
    late_cancellation_magnitude: float = 1.5
    moves_counted: int = 2
    moved_magnitude: float = 0.5
    slower_factor: float = 2.0
    faster_factor: float = 0.6
    faster_run: int = 3
    gaps_known: int = 4


@dataclass(frozen=True, slots=True)
class RuleBook:
    """A tenant's policies in the order they came into force; the default holds before the first."""

    policies: Sequence[tuple[datetime, Policy]] = ()
    default: Policy = field(default_factory=Policy)

    def at(self, moment: datetime) -> Policy:
        """The policy an activity of that moment is read under."""
        index = bisect_right(self.policies, moment, key=lambda entry: entry[0])
        return self.policies[index - 1][1] if index else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that derivation knows beside the activities: the moment, rule books, countries and calendars."""

    as_of: datetime
    books: Mapping[str, RuleBook]
    countries: Mapping[tuple[str, UUID], str | None]
    working_day: WorkingDay

    def policy(self, tenant: str, moment: datetime) -> Policy:
        """The tenant's policy at a moment."""
        book = self.books.get(tenant)
        return book.at(moment) if book else _DEFAULTS.at(moment)

    def deadline(self, tenant: str, account_id: UUID, channel: str, asked_at: datetime, times: int) -> datetime:
        """When the reply to something asked is due: ``times`` windows later, in the account's country."""
        window = self.policy(tenant, asked_at).windows[channel]
        if window.seconds is not None:
            return asked_at + timedelta(seconds=window.seconds * times)
        country = self.countries.get((tenant, account_id))
        days = (window.business_days or 0) * times
        return add_business_days(asked_at, days, lambda day: self.working_day(country, day))


_DEFAULTS = RuleBook()


def add_business_days(moment: datetime, days: int, working_day: Callable[[date], bool]) -> datetime:
    """The same time of day on the ``days``-th working day after ``moment`` (dates are UTC dates)."""
    day = moment.date()
    while days > 0:
        day += timedelta(days=1)
        days -= working_day(day)
    return moment + timedelta(days=(day - moment.date()).days)


def weekdays(_country: str | None, day: date) -> bool:
    """The calendar of nowhere in particular: Monday to Friday."""
    return day.weekday() < 5


@dataclass(frozen=True, slots=True)
class Deadline:
    """When time alone changes what something is evidence of; ``kind`` says whose business it is."""

    tenant: str
    account_id: UUID
    subject_id: UUID
    kind: str
    due_at: datetime | None


@dataclass(slots=True)
class Deadlines:
    """The deadlines a unit of work sets (or lifts: None), by what they are about."""

    by_subject: dict[tuple[str, UUID, UUID], Deadline] = field(default_factory=dict)

    def set(self, tenant: str, account_id: UUID, subject_id: UUID, kind: str, due_at: datetime | None) -> None:
        """Set or lift a deadline. A subject that moved to another account has one in each, one of them None."""
        self.by_subject[tenant, account_id, subject_id] = Deadline(tenant, account_id, subject_id, kind, due_at)
