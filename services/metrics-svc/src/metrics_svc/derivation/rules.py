"""A tenant's derivation rules: reply windows, business days and thresholds, each from a moment on. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any
from uuid import UUID

from metrics_svc.activities.rules import OUTCOMES
from metrics_svc.evidence.rules import CATALOGUE, Kind

LONGEST_BUSINESS_DAYS = 60
LONGEST_SECONDS = 90 * 86_400
LONGEST_SCOPE_DAYS = 180

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


Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """An activity that is evidence by itself: it is of ``type`` and has everything else that is named here."""

    type: str
    kind: str
    outcome: str | None = None
    direction: str | None = None
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    magnitude: float = 1.0


_WINDOWS = {"call": Window(business_days=3), "email": Window(business_days=5), "message": Window(business_days=5)}
_SIGNALS = (
    Signal(type="ticket", outcome="opened", kind="complaint-raised"),
    Signal(type="ticket", outcome="reopened", kind="complaint-raised"),
    Signal(type="ticket", outcome="escalated", kind="complaint-escalated"),
    Signal(type="ticket", outcome="resolved", kind="complaint-resolved"),
    Signal(type="proposal", outcome="accepted", attributes={"renewal": True}, kind="renewal-signed"),
    Signal(type="proposal", outcome="declined", attributes={"renewal": True}, kind="renewal-declined"),
    Signal(type="payment", outcome="late", kind="payment-late"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every number derivation depends on; the defaults are the documented ones.

    Windows are by channel, those of a country (ISO 3166 alpha-2) go before. ``kinds`` are the tenant's own.
    """

    windows: Mapping[str, Window] = field(default_factory=_WINDOWS.copy)
    country_windows: Mapping[str, Mapping[str, Window]] = field(default_factory=dict)
    forgiveness: float = 2.0
    chase_step: float = 0.25
    chase_limit: float = 2.0
    acceptance_counts: bool = True
    unanswered_counts: bool = True
    late_notice_hours: float = 24.0
    late_cancellation_magnitude: float = 1.5
    moves_counted: int = 2
    moved_magnitude: float = 0.5
    slower_factor: float = 2.0
    faster_factor: float = 0.6
    faster_run: int = 3
    gaps_known: int = 4
    scope_days: int = 90
    scope_threshold: float = 0.3
    scope_limit: float = 3.0
    scope_purchases: int = 2
    signals: tuple[Signal, ...] = _SIGNALS
    kinds: tuple[Kind, ...] = ()

    def window(self, channel: str, country: str | None) -> Window:
        """How long a reply on a channel may take in a country."""
        return self.country_windows.get(country or "", {}).get(channel) or self.windows[channel]


def changed(before: Policy, after: Policy) -> dict[str, tuple[Any, Any]]:
    """What differs between two policies: name → before, after."""
    both = ((each.name, getattr(before, each.name), getattr(after, each.name)) for each in fields(Policy))
    return {name: (was, is_now) for name, was, is_now in both if was != is_now}


class Refusal(StrEnum):
    """Why a policy can't follow another."""

    KIND_REDEFINED = "kind-redefined"
    KIND_GONE = "kind-gone"
    UNKNOWN_TYPE = "unknown-type"
    OUTCOME_MISMATCH = "outcome-mismatch"
    UNKNOWN_KIND = "unknown-kind"
    RETIRED_KIND = "retired-kind"


def refusal(policy: Policy, before: Policy) -> tuple[Refusal, str] | None:
    """The first rule that a policy breaks when it follows ``before``, and the JSON pointer to where; or None."""
    kept = {kind.code: kind for kind in before.kinds}
    own: dict[str, Kind] = {}
    for index, kind in enumerate(policy.kinds):
        known = kept.get(kind.code, kind)
        if kind.code in CATALOGUE or kind.code in own or (known.family, known.polarity) != (kind.family, kind.polarity):
            return Refusal.KIND_REDEFINED, f"/kinds/{index}"
        own[kind.code] = kind
    if kept.keys() - own.keys():
        return Refusal.KIND_GONE, "/kinds"
    refused = ((_refused_signal(signal, own), index) for index, signal in enumerate(policy.signals))
    return next(((why[0], f"/signals/{index}/{why[1]}") for why, index in refused if why), None)


def _refused_signal(signal: Signal, own: Mapping[str, Kind]) -> tuple[Refusal, str] | None:
    kind = CATALOGUE.get(signal.kind) or own.get(signal.kind)
    if signal.type not in OUTCOMES:
        return Refusal.UNKNOWN_TYPE, "type"
    if signal.outcome is not None and signal.outcome not in OUTCOMES[signal.type]:
        return Refusal.OUTCOME_MISMATCH, "outcome"
    if kind is None or kind.retired:
        return Refusal.RETIRED_KIND if kind else Refusal.UNKNOWN_KIND, "kind"
    return None


@dataclass(frozen=True, slots=True)
class RuleBook:
    """A tenant's policies in the order they came into force; the default holds before the first.

    ``versions`` are all that were ever set, the oldest first, also those that later ones replaced from a moment
    before theirs on: what they made has to be taken back.
    """

    policies: Sequence[tuple[datetime, Policy]] = ()
    default: Policy = field(default_factory=Policy)
    versions: Sequence[Policy] = ()

    def at(self, moment: datetime) -> Policy:
        """The policy an activity of that moment is read under."""
        index = bisect_right(self.policies, moment, key=lambda entry: entry[0])
        return self.policies[index - 1][1] if index else self.default

    def every(self) -> Iterator[Policy]:
        """Every policy that something may have been read under."""
        yield from (self.default, *self.versions, *(policy for _, policy in self.policies))

    def steady(self) -> bool:
        """Whether replies were always awaited and forgiven as long as now."""
        first, *others = ((p.windows, p.country_windows, p.forgiveness) for p in self.every())
        return all(other == first for other in others)

    def kind(self, code: str) -> Kind:
        """The kind of a code: ours, or the tenant's as last said. Raises KeyError for what nobody ever named."""
        return CATALOGUE.get(code) or {kind.code: kind for policy in self.every() for kind in policy.kinds}[code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that derivation knows beside the activities: the moment, rule books, countries and calendars."""

    as_of: datetime
    books: Mapping[str, RuleBook]
    countries: Mapping[tuple[str, UUID], str | None]
    working_day: WorkingDay

    def book(self, tenant: str) -> RuleBook:
        """The tenant's rule book."""
        return self.books.get(tenant, _DEFAULTS)

    def policy(self, tenant: str, moment: datetime) -> Policy:
        """The tenant's policy at a moment."""
        return self.book(tenant).at(moment)

    def kind(self, tenant: str, code: str) -> Kind:
        """The kind a code stands for at a tenant."""
        return self.book(tenant).kind(code)

    def deadline(self, tenant: str, account_id: UUID, channel: str, asked_at: datetime) -> tuple[datetime, datetime]:
        """When the reply to something asked is due, and until when a later one is forgiven.

        By the window of the account's country at that moment; forgiveness is rounded up to whole business days.
        """
        country, policy = self.countries.get((tenant, account_id)), self.policy(tenant, asked_at)
        window = policy.window(channel, country)
        if window.seconds is not None:
            once = timedelta(seconds=window.seconds)
            return asked_at + once, asked_at + once * policy.forgiveness
        days = window.business_days or 0
        due = add_business_days(asked_at, days, lambda day: self.working_day(country, day))
        more = ceil(days * policy.forgiveness) - days
        return due, add_business_days(due, more, lambda day: self.working_day(country, day))


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
