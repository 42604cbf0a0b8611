"""Whether an account's orders come to more or to less than they used to, looked at whenever a month begins. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.derivation.rules import Policy, RuleBook
from metrics_svc.evidence.rules import Evidence, Slot

YEAR = timedelta(days=365)
QUIET = 3
"""An episode is over, and can be said again, after this many month's beginnings without it."""
LISTED = 50
"""Evidence names at most this many of the orders it rests on."""

KINDS: Mapping[str, str] = {
    "scope-expanded": "the sum of `order` amounts grew, looked at when a month begins",
    "scope-reduced": "the sum of `order` amounts fell, looked at when a month begins",
}
"""What each kind comes from."""
_BY_SIGN = {1: "scope-expanded", -1: "scope-reduced"}


@dataclass(frozen=True, slots=True, order=True)
class OrderDay:
    """What the orders of one UTC day and currency come to, credit notes taken off; ``purchases`` are the others."""

    day: date
    currency: str
    amount: Decimal
    purchases: int
    last_order: UUID
    source: str


PolicyAt = Callable[[datetime], Policy]


def counts(activity: Activity) -> bool:
    """Whether an activity adds to what an account's orders come to; a credit note takes off."""
    return activity.type == "order" and activity.outcome != "cancelled" and activity.amount is not None


def day_of(activity: Activity) -> date:
    """The UTC day an order belongs to."""
    return activity.occurred_at.astimezone(UTC).date()


def touched(changes: Sequence[Change]) -> set[tuple[str, UUID, date]]:
    """The days of every account whose sums changed."""
    return {
        (order.tenant, order.account_id, day_of(order))
        for change in changes
        for order in change.versions()
        if order.account_id is not None and counts(order)
    }


def totals(orders: Iterable[tuple[Activity, str | None]]) -> list[OrderDay]:
    """The order days of one account's activities with their currencies, sorted."""
    groups: dict[tuple[date, str], list[Activity]] = defaultdict(list)
    for order, currency in orders:
        if counts(order) and currency is not None:
            groups[day_of(order), currency].append(order)
    found = []
    for (day, currency), of_day in groups.items():
        last = max(of_day, key=lambda order: (order.occurred_at, order.activity_id))
        amounts = [order.amount for order in of_day if order.amount is not None]
        purchases = sum(amount >= 0 for amount in amounts)
        found.append(OrderDay(day, currency, sum(amounts, Decimal()), purchases, last.activity_id, last.source))
    return sorted(found)


def deadline_id(account_id: UUID) -> UUID:
    """What an account's next look at its scope is filed under among its deadlines."""
    return uuid5(account_id, "scope")


def slot(tenant: str, account_id: UUID, checkpoint: date) -> Slot:
    """Where evidence that began to hold with a month stands."""
    return Slot(tenant, account_id, "scope", checkpoint.isoformat())


def moment(checkpoint: date) -> datetime:
    """The instant a day begins, UTC."""
    return datetime.combine(checkpoint, datetime.min.time(), UTC)


def following(day: date) -> date:
    """The first day of the month after a day's."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def checkpoints(after: date, until: date) -> Iterator[date]:
    """The first days of months after one day up to another."""
    checkpoint = following(after)
    while checkpoint <= until:
        yield checkpoint
        checkpoint = following(checkpoint)


def _earlier(checkpoint: date, months: int) -> date:
    index = checkpoint.year * 12 + checkpoint.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def span(book: RuleBook) -> timedelta:
    """How long after an order it can matter to a comparison."""
    return YEAR + timedelta(days=max(policy.scope_days for policy in book.every()))


def affected(day: date, book: RuleBook) -> tuple[date, date]:
    """The days after which and until which evidence depends on a day's orders."""
    until = day + span(book)
    for _ in range(QUIET):
        until = following(until)
    return day, until


def needed(checkpoint: date, book: RuleBook) -> date:
    """The first day whose orders matter to evidence of a checkpoint."""
    return _earlier(checkpoint, QUIET) - span(book)


def awaited(last: date | None, as_of: datetime, book: RuleBook) -> datetime | None:
    """When the account has to be looked at again if nothing is ordered; None when that can't change anything."""
    checkpoint = following(as_of.astimezone(UTC).date())
    return moment(checkpoint) if last is not None and checkpoint <= last + span(book) else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """By how much orders changed (a share; -1: none any more), and the days it rests on, at least one."""

    change: float
    days: Sequence[OrderDay]


def compare(days: Sequence[OrderDay], first: date, checkpoint: date, policy: Policy) -> Comparison | None:
    """The ``scope_days`` before a month's beginning against the same days a year before.

    Against the days just before them when the account, which first bought on ``first``, is younger; None when it is
    younger than that, or when there were fewer than ``scope_purchases`` purchases. Amounts are those of the currency
    of most purchases; what may just have moved from or to another currency is no change.
    """
    window = timedelta(days=policy.scope_days)
    start = checkpoint - window
    base = start - YEAR if first <= start - YEAR else start - window
    if base < first:
        return None
    before, now = _between(days, base, base + window), _between(days, start, checkpoint)
    currency = _main_currency(before)
    (before, more), (now, now_more) = _apart(before, currency), _apart(now, currency)
    total = sum((day.amount for day in before), Decimal())
    if sum(day.purchases for day in before) < policy.scope_purchases or total <= 0:
        return None
    change = float(sum((day.amount for day in now), Decimal()) / total - 1)
    return None if change * (now_more - more) < 0 else Comparison(change, now or before)


def _apart(days: Sequence[OrderDay], currency: str | None) -> tuple[list[OrderDay], int]:
    """The days of a currency, and how many purchases there were in others."""
    return [day for day in days if day.currency == currency], sum(d.purchases for d in days if d.currency != currency)


def _between(days: Sequence[OrderDay], start: date, end: date) -> list[OrderDay]:
    return [day for day in days if start <= day.day < end]


def _main_currency(days: Sequence[OrderDay]) -> str | None:
    purchases: Counter[str] = Counter()
    for day in days:
        purchases[day.currency] += day.purchases
    bought = sorted((-count, currency) for currency, count in purchases.items() if count)
    return bought[0][1] if bought else None


def judge(
    tenant: str, account_id: UUID, days: Sequence[OrderDay], first: date, wanted: Iterable[date], policy_at: PolicyAt
) -> list[Evidence]:
    """Evidence at checkpoints, of the order days that matter to them.

    A change by ``scope_threshold`` or more, once per episode; its magnitude is the change in thresholds, up to
    ``scope_limit``.
    """
    seen: dict[date, tuple[int, Comparison | None]] = {}

    def state(checkpoint: date) -> tuple[int, Comparison | None]:
        if checkpoint not in seen:
            policy = policy_at(moment(checkpoint))
            compared = compare(days, first, checkpoint, policy)
            change = compared.change if compared else 0.0
            seen[checkpoint] = (change >= policy.scope_threshold) - (change <= -policy.scope_threshold), compared
        return seen[checkpoint]

    found = []
    for checkpoint in wanted:
        sign, compared = state(checkpoint)
        if sign and compared and all(state(_earlier(checkpoint, n))[0] != sign for n in range(1, QUIET + 1)):
            policy = policy_at(moment(checkpoint))
            size = min(policy.scope_limit, abs(compared.change) / policy.scope_threshold)
            found.append(_piece(slot(tenant, account_id, checkpoint), _BY_SIGN[sign], checkpoint, size, compared.days))
    return found


def _piece(where: Slot, kind: str, checkpoint: date, size: float, days: Sequence[OrderDay]) -> Evidence:
    return Evidence(
        slot=where,
        kind=kind,
        observed_at=moment(checkpoint),
        source=days[-1].source,
        magnitude=round(size, 2),
        activity_ids=tuple(day.last_order for day in days[-LISTED:]),
    )
