"""Everything that one account's whole history is evidence of, from scratch: no slices, no order, no record. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from functools import partial
from typing import Literal
from uuid import UUID

from metrics_svc.activities.rules import NOBODY, Activity, Change, answers, asked_contact, is_purchase
from metrics_svc.buying import rules as buying
from metrics_svc.derivation.rules import Terms
from metrics_svc.evidence.rules import Evidence, Findings, Recorded, Slot, observed
from metrics_svc.expectations import rules as expectations
from metrics_svc.expectations.rules import Ask, Lane, Reply
from metrics_svc.meetings import rules as meetings
from metrics_svc.scope import rules as scope
from metrics_svc.signals.rules import Attributes, signalled


@dataclass(frozen=True, slots=True)
class Kept:
    """One activity of an account, with what only scope and signals look at."""

    activity: Activity
    currency: str | None = None
    attributes: Attributes = field(default_factory=dict)


def history(kept: Sequence[Kept], terms: Terms) -> Findings:
    """All evidence of the whole history of one account (any order, each activity in its latest revision)."""
    activities = [item.activity for item in kept]
    found = observed([Change(None, activity) for activity in activities])
    found.add(signalled(activities, {item.activity.activity_id: item.attributes for item in kept}, terms))
    found.add(_conversations(activities, terms))
    found.add(_meetings(activities, terms))
    found.add(_buying(activities, terms))
    found.add(_scope(kept, terms))
    return found


def _conversations(activities: Sequence[Activity], terms: Terms) -> list[Evidence]:
    lanes, found, closing = _lanes(activities), list[Evidence](), set[UUID]()
    for lane, asks in lanes.items():
        deadline = partial(terms.deadline, lane.tenant, lane.account_id, lane.channel)
        for one in expectations.expectations(lane, asks, deadline):
            found += expectations.judge(one, terms.policy(lane.tenant, one.opened_at), terms.as_of)
            closing |= {one.closing.activity_id} if one.closing else set()
    contacts = (expectations.contacted(a, closes=a.activity_id in closing)[1] for a in activities)
    return found + [piece for piece in contacts if piece is not None]


def _lanes(activities: Sequence[Activity]) -> Mapping[Lane, Sequence[Ask]]:
    replies: dict[UUID, list[Reply]] = defaultdict(list)
    for activity in sorted(activities, key=lambda a: (a.occurred_at, a.activity_id)):
        if answers(activity):
            for contact in {*activity.contact_ids, NOBODY}:
                replies[contact].append(Reply(activity.activity_id, activity.occurred_at))
    lanes: dict[Lane, list[Ask]] = defaultdict(list)
    for activity in activities:
        asked = asked_contact(activity)
        if asked is not None:
            lane = Lane(activity.tenant, activity.account_id or NOBODY, asked, activity.type)
            lanes[lane].append(_ask(activity, replies[asked]))
    return lanes


def _ask(activity: Activity, replies: Sequence[Reply]) -> Ask:
    following = bisect_right(replies, activity.occurred_at, key=lambda reply: reply.at)
    return Ask(
        activity_id=activity.activity_id,
        at=activity.occurred_at,
        source=activity.source,
        owner_id=activity.owner_id,
        stated=activity.outcome == "replied",
        reply=replies[following] if following < len(replies) else None,
    )


def _meetings(activities: Sequence[Activity], terms: Terms) -> Iterable[Evidence]:
    told: dict[UUID, list[Activity]] = defaultdict(list)
    for activity in activities:
        if activity.meeting_id is not None:
            told[activity.meeting_id].append(activity)
    for meeting in told.values():
        policy = terms.policy(meeting[0].tenant, meetings.read_at(meeting))
        yield from meetings.judge(meeting, policy, terms.as_of)


def _buying(activities: Sequence[Activity], terms: Terms) -> Iterable[Evidence]:
    yield from buying.placed([Change(None, activity) for activity in activities])[0].evidence.values()
    days: dict[date, buying.BuyingDay] = {}
    purchases = [activity for activity in activities if is_purchase(activity)]
    for order in sorted(purchases, key=lambda a: (a.occurred_at, a.activity_id)):
        day = order.occurred_at.astimezone(UTC).date()
        days[day] = buying.BuyingDay(day, order.occurred_at, order.activity_id, order.source)
    if purchases:
        tenant, account_id = purchases[0].tenant, purchases[0].account_id or NOBODY
        bought = [days[day] for day in sorted(days)]
        yield from buying.judge(tenant, account_id, bought, 0, partial(terms.policy, tenant), terms.as_of)


def _scope(kept: Sequence[Kept], terms: Terms) -> list[Evidence]:
    days = scope.totals((item.activity, item.currency) for item in kept)
    first = min((day.day for day in days if day.purchases), default=None)
    if first is None:
        return []
    tenant, account_id = kept[0].activity.tenant, kept[0].activity.account_id or NOBODY
    until = min(terms.as_of.astimezone(UTC).date(), days[-1].day + scope.span(terms.book(tenant)))
    wanted = scope.checkpoints(first, until)
    return scope.judge(tenant, account_id, days, first, wanted, partial(terms.policy, tenant))


@dataclass(frozen=True, slots=True)
class Difference:
    """Evidence that rules would have added, changed or removed; what stands now when it is removed."""

    change: Literal["added", "changed", "removed"]
    evidence: Evidence


def differences(recorded: Mapping[Slot, Recorded], found: Findings) -> list[Difference]:
    """What is found beside what is on record, by time; what a person took back is no difference."""
    standing = {slot: known.evidence for slot, known in recorded.items() if known.live}
    gone = {slot for slot, known in recorded.items() if known.withdrawn}
    different = [
        Difference("changed" if slot in standing else "added", piece)
        for slot, piece in found.evidence.items()
        if slot not in gone and standing.get(slot) != piece
    ]
    different += [Difference("removed", piece) for slot, piece in standing.items() if slot not in found.evidence]
    return sorted(different, key=lambda d: (d.evidence.observed_at, d.evidence.slot))
