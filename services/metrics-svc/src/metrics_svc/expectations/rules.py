"""Replies we asked for: how asks form one expectation and what its outcome is evidence of.

Pure. One *lane* is an account, a contact and a channel; lanes do not depend on each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from metrics_svc.activities.rules import (
    NOBODY,
    Activity,
    Change,
    answers,
    asked_contact,
    is_unasked_contact,
)
from metrics_svc.derivation.rules import Policy
from metrics_svc.evidence.rules import Evidence, Slot

LISTED = 50
"""Evidence names at most this many of the activities it rests on."""

KINDS: Mapping[str, str] = {
    "call-returned": "a reply to an outbound `call` that did not connect",
    "call-unreturned": "no reply to one within its window",
    "email-returned": "a reply to an outbound `email` or `message` that asks for one, or its outcome `replied`",
    "email-unreturned": "no reply to one within its window",
    "client-contacted": "an inbound `call`, `email` or `message` that answers nothing",
}
"""What each kind comes from."""

_WORD = {"call": "call", "email": "email", "message": "email"}
"""The catalogue speaks of calls and e-mails; a message counts with the written word."""


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """Whose replies are awaited on which channel; ``contact_id`` is NOBODY when the contact is unknown."""

    tenant: str
    account_id: UUID
    contact_id: UUID
    channel: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The first answer strictly after an ask."""

    activity_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One outbound activity that asks for a reply. ``stated`` says the source itself marks it as replied."""

    activity_id: UUID
    at: datetime
    source: str
    owner_id: UUID | None = None
    stated: bool = False
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: the ask that opened it, its chases, its deadline and what followed.

    ``next_at`` is when the next expectation of the lane opened, or None.
    """

    lane: Lane
    asks: tuple[Ask, ...]
    due_at: datetime
    forgiven_until: datetime
    next_at: datetime | None

    @property
    def opened_by(self) -> UUID:
        """The activity whose identity the expectation and its evidence carry."""
        return self.asks[0].activity_id

    @property
    def opened_at(self) -> datetime:
        """When the first ask was made."""
        return self.asks[0].at

    @property
    def closing(self) -> Reply | None:
        """The reply that settles it: a reply answers the latest expectation opened before it."""
        reply = self.asks[0].reply
        return reply if reply and (self.next_at is None or reply.at <= self.next_at) else None

    @property
    def forgiven(self) -> bool:
        """Whether the client came back before the deadline or not much later, as the rules have it."""
        reply = self.asks[0].reply
        return reply is not None and reply.at <= self.forgiven_until

    @property
    def stated(self) -> Ask | None:
        """The first ask that its source marks as replied, whether or not the reply itself reached us."""
        return next((ask for ask in self.asks if ask.stated), None)

    def awaited(self, as_of: datetime) -> datetime | None:
        """The deadline while it can still turn out either way, else None."""
        settled = self.closing or self.forgiven or self.stated or self.due_at <= as_of
        return None if settled else self.due_at


Deadline = Callable[[datetime], tuple[datetime, datetime]]
"""When a reply to what was asked at a moment is due, and until when a later one is forgiven."""


def expectations(lane: Lane, asks: Sequence[Ask], deadline: Deadline) -> list[Expectation]:
    """Group a lane's asks (any order) into expectations, oldest first.

    An ask made while one is open is a chase; the first ask after a reply or a deadline opens the next. What
    follows an opening ask never depends on what came before it, so any suffix that begins with one may be
    grouped alone.
    """
    grouped: list[list[Ask]] = []
    deadlines: list[tuple[datetime, datetime]] = []
    for ask in sorted(asks, key=lambda a: (a.at, a.activity_id)):
        opener = grouped[-1][0] if grouped else None
        chases = (
            opener is not None and ask.at <= deadlines[-1][0] and (opener.reply is None or ask.at < opener.reply.at)
        )
        if chases:
            grouped[-1].append(ask)
        else:
            grouped.append([ask])
            deadlines.append(deadline(ask.at))
    nexts = [*(group[0].at for group in grouped[1:]), None]
    return [
        Expectation(lane, tuple(group), due_at, forgiven_until, following)
        for group, (due_at, forgiven_until), following in zip(grouped, deadlines, nexts, strict=False)
    ]


def slots(lane: Lane, activity_id: UUID) -> tuple[Slot, Slot]:
    """Where the evidence of an expectation opened by this activity would stand: unreturned, returned."""
    return (
        Slot(lane.tenant, lane.account_id, "unreturned", str(activity_id)),
        Slot(lane.tenant, lane.account_id, "returned", str(activity_id)),
    )


def judge(expectation: Expectation, policy: Policy, as_of: datetime) -> list[Evidence]:
    """What an expectation is evidence of at a moment: nothing yet, unreturned, returned, or both.

    Both when the reply came too late to be forgiven. Chasing adds ``chase_step`` each to the magnitude of
    the unreturned piece, up to ``chase_limit``.
    """
    lane, word = expectation.lane, _WORD[expectation.lane.channel]
    unreturned, returned = slots(lane, expectation.opened_by)
    contacts = () if lane.contact_id == NOBODY else (lane.contact_id,)
    opener, closing, stated = expectation.asks[0], expectation.closing, expectation.stated
    ids = tuple(ask.activity_id for ask in expectation.asks[:LISTED])
    found = []
    if not (expectation.forgiven or stated) and expectation.due_at <= as_of:
        size = min(policy.chase_limit, 1.0 + policy.chase_step * (len(expectation.asks) - 1))
        found.append(
            Evidence(
                slot=unreturned,
                kind=f"{word}-unreturned",
                observed_at=expectation.due_at,
                source=opener.source,
                magnitude=size,
                contact_ids=contacts,
                owner_id=opener.owner_id,
                activity_ids=ids,
            )
        )
    if closing or stated:
        found.append(
            Evidence(
                slot=returned,
                kind=f"{word}-returned",
                observed_at=closing.at if closing else (stated or opener).at,
                source=opener.source,
                contact_ids=contacts,
                owner_id=opener.owner_id,
                activity_ids=(*ids, closing.activity_id) if closing else ids,
            )
        )
    return found


def contacted(activity: Activity, *, closes: bool) -> tuple[Slot, Evidence | None]:
    """The place of ``client-contacted`` for what a client did, and the piece unless it answers something."""
    assert activity.account_id is not None
    slot = Slot(activity.tenant, activity.account_id, "contacted", str(activity.activity_id))
    if closes or not is_unasked_contact(activity):
        return slot, None
    return slot, Evidence(
        slot=slot,
        kind="client-contacted",
        observed_at=activity.occurred_at,
        source=activity.source,
        contact_ids=activity.contact_ids,
        owner_id=activity.owner_id,
        activity_ids=(activity.activity_id,),
    )


Party = tuple[str, UUID, UUID]
"""Tenant, account and contact: the lanes of a party share their replies."""


@dataclass(slots=True)
class Touched:
    """Which conversations a unit of work touched, from when to when, and by which activities.

    ``asks`` are those (tenant, account, activity) that are no longer what they were; ``contacts`` what the client
    did (tenant, activity).
    """

    spans: dict[Party, tuple[datetime, datetime]] = field(default_factory=dict)
    asks: set[tuple[str, UUID, UUID]] = field(default_factory=set)
    contacts: set[tuple[str, UUID]] = field(default_factory=set)
    slots: set[Slot] = field(default_factory=set)

    def span(self, party: Party, at: datetime) -> None:
        """Widen a party's span to a moment."""
        first, last = self.spans.get(party, (at, at))
        self.spans[party] = (min(first, at), max(last, at))

    def merge(self, other: "Touched") -> None:
        """Take all that something else touched."""
        for party, (first, last) in other.spans.items():
            self.span(party, first)
            self.span(party, last)
        self.asks |= other.asks
        self.contacts |= other.contacts
        self.slots |= other.slots


def touched(changes: Sequence[Change]) -> Touched:
    """What has to be looked at again: both where an activity was and where it is now."""
    found = Touched()
    for was, activity in ((change.before, version) for change in changes for version in change.versions()):
        tenant, account_id, id_ = activity.tenant, activity.account_id, activity.activity_id
        assert account_id is not None
        asked = asked_contact(activity)
        if asked is not None:
            found.span((tenant, account_id, asked), activity.occurred_at)
            if activity is was:
                found.asks.add((tenant, account_id, id_))
            found.slots.update(slots(Lane(tenant, account_id, asked, activity.type), id_))
        if answers(activity):
            for contact in {*activity.contact_ids, NOBODY}:
                found.span((tenant, account_id, contact), activity.occurred_at)
        if is_unasked_contact(activity):
            found.contacts.add((tenant, id_))
            found.slots.add(contacted(activity, closes=True)[0])
    return found
