"""The rhythm of an account's orders: when it slows down or speeds up against its own habit. Pure.

Orders of one UTC day count as one buying day, so that an invoice split in three is no burst.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from uuid import UUID

from metrics_svc.activities.rules import Change, is_purchase
from metrics_svc.derivation.rules import Policy
from metrics_svc.evidence.rules import Evidence, Findings, Slot

KINDS: Mapping[str, str] = {
    "order-placed": "each `order`, but for cancelled ones and credit notes",
    "buying-accelerated": "`faster_run` gaps between `order` days in a row far below the account's own",
    "buying-decelerated": "no `order` for far longer than the account's own gap",
}
"""What each kind comes from."""
GAPS_CONSIDERED = 12
"""The habit is the median of at most this many latest gaps: it may change over the years."""
LONGEST_RUN = 6
"""``faster_run`` may not exceed this."""
REACH = GAPS_CONSIDERED + LONGEST_RUN + 1
"""Evidence at a buying day depends on at most this many days before it, and on the next one."""


@dataclass(frozen=True, slots=True, order=True)
class BuyingDay:
    """A day with at least one purchase, and the last of them."""

    day: date
    last_at: datetime
    last_order: UUID
    source: str


PolicyAt = Callable[[datetime], Policy]


def slots(tenant: str, account_id: UUID, day: date) -> tuple[Slot, Slot]:
    """Where evidence anchored at a buying day stands: slower after it, faster up to it."""
    return (
        Slot(tenant, account_id, "buying-slower", day.isoformat()),
        Slot(tenant, account_id, "buying-faster", day.isoformat()),
    )


Account = tuple[str, UUID]
"""Tenant and account."""


def placed(changes: Sequence[Change]) -> tuple[Findings, set[tuple[str, UUID, date]]]:
    """Each purchase as evidence of its own, and the days (UTC) of every account whose purchases changed."""
    found, touched = Findings(), set()
    for change in changes:
        for order in change.versions():
            if order.account_id is None or not is_purchase(order):
                continue
            slot = Slot(order.tenant, order.account_id, "order", str(order.activity_id))
            found.decide([slot])
            touched.add((order.tenant, order.account_id, order.occurred_at.astimezone(UTC).date()))
            if order is change.after:
                piece = Evidence(
                    slot=slot,
                    kind="order-placed",
                    observed_at=order.occurred_at,
                    source=order.source,
                    contact_ids=order.contact_ids,
                    owner_id=order.owner_id,
                    activity_ids=(order.activity_id,),
                )
                found.add([piece])
    return found, touched


def slow_at(days: Sequence[BuyingDay], index: int, policy: Policy) -> datetime | None:
    """When buying counts as slower if nothing follows ``days[index]``; None while the habit is unknown."""
    gaps = _gaps(days, index)[-GAPS_CONSIDERED:]
    if len(gaps) < policy.gaps_known:
        return None
    return days[index].last_at + timedelta(days=policy.slower_factor * median(gaps))


def _gaps(days: Sequence[BuyingDay], index: int) -> list[int]:
    first = max(0, index - REACH)
    return [(days[i + 1].day - days[i].day).days for i in range(first, index)]


def _fast(days: Sequence[BuyingDay], index: int, policy: Policy) -> bool:
    gaps = _gaps(days, index)
    recent, habit = gaps[-policy.faster_run :], gaps[: -policy.faster_run][-GAPS_CONSIDERED:]
    return len(habit) >= policy.gaps_known and max(recent) < policy.faster_factor * median(habit)


def judge(
    tenant: str, account_id: UUID, days: Sequence[BuyingDay], first: int, policy_at: PolicyAt, as_of: datetime
) -> list[Evidence]:
    """Evidence anchored at ``days[first:]``; the days before are the habit.

    Slower: no purchase within ``slower_factor`` times the median gap after a day (of ``gaps_known`` gaps or
    more), once per episode. Faster: ``faster_run`` gaps in a row below ``faster_factor`` times the median of
    those before, said at the day on which that begins to hold.
    """
    found = []
    for index in range(first, len(days)):
        day = days[index]
        policy = policy_at(day.last_at)
        slower, faster = slots(tenant, account_id, day.day)
        deadline = slow_at(days, index, policy)
        in_time = index + 1 < len(days) and (deadline is None or days[index + 1].last_at <= deadline)
        if deadline is not None and not in_time and deadline <= as_of:
            found.append(_piece(slower, "buying-decelerated", deadline, days[index : index + 1]))
        if _fast(days, index, policy) and not _fast(days, index - 1, policy):
            run = days[index - policy.faster_run : index + 1]
            found.append(_piece(faster, "buying-accelerated", day.last_at, run))
    return found


def awaited(days: Sequence[BuyingDay], policy_at: PolicyAt, as_of: datetime) -> datetime | None:
    """When the account will count as slower if nothing is bought; None when unknown or already so."""
    if not days:
        return None
    deadline = slow_at(days, len(days) - 1, policy_at(days[-1].last_at))
    return deadline if deadline is not None and deadline > as_of else None


def _piece(slot: Slot, kind: str, observed_at: datetime, days: Sequence[BuyingDay]) -> Evidence:
    return Evidence(
        slot=slot,
        kind=kind,
        observed_at=observed_at,
        source=days[-1].source,
        activity_ids=tuple(day.last_order for day in days),
    )
