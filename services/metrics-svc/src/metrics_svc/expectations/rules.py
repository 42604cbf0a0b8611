"""Replies we asked for: how asks form one expectation and what its outcome is evidence of.

Pure. One *lane* is an account, a contact and a channel; lanes do not depend on each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from metrics_svc.activities.rules import NOBODY
from metrics_svc.derivation.rules import Policy
from metrics_svc.evidence.rules import Evidence, Slot

CHANNELS = ("call", "email", "message")

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
        """Whether the client came back before the deadline or within twice the window."""
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


Deadline = Callable[[datetime, int], datetime]
"""When a reply is due: (asked at, number of windows) → moment."""


def expectations(lane: Lane, asks: Sequence[Ask], deadline: Deadline) -> list[Expectation]:
    """Group a lane's asks (any order) into expectations, oldest first.

    An ask made while one is open is a chase; the first ask after a reply or a deadline opens the next. What
    follows an opening ask never depends on what came before it, so any suffix that begins with one may be
    grouped alone.
    """
    grouped: list[list[Ask]] = []
    due = None
    for ask in sorted(asks, key=lambda a: (a.at, a.activity_id)):
        opener = grouped[-1][0] if grouped else None
        chases = (
            opener is not None
            and due is not None
            and ask.at <= due
            and (opener.reply is None or ask.at < opener.reply.at)
        )
        if chases:
            grouped[-1].append(ask)
        else:
            grouped.append([ask])
            due = deadline(ask.at, 1)
    nexts = [group[0].at for group in grouped[1:]] + [None]
    return [
        Expectation(lane, tuple(group), deadline(group[0].at, 1), deadline(group[0].at, 2), following)
        for group, following in zip(grouped, nexts, strict=True)
    ]


def slots(lane: Lane, activity_id: UUID) -> tuple[Slot, Slot]:
    """Where the evidence of an expectation opened by this activity would stand: unreturned, returned."""
    return (
        Slot(lane.tenant, lane.account_id, "unreturned", str(activity_id)),
        Slot(lane.tenant, lane.account_id, "returned", str(activity_id)),
    )


def judge(expectation: Expectation, policy: Policy, as_of: datetime) -> list[Evidence]:
    """What an expectation is evidence of at a moment: nothing yet, unreturned, returned, or both.

    Both when the reply came later than twice the window. Chasing adds ``chase_step`` each to the magnitude of
    the unreturned piece, up to ``chase_limit``.
    """
    lane, word = expectation.lane, _WORD[expectation.lane.channel]
    unreturned, returned = slots(lane, expectation.opened_by)
    contacts = () if lane.contact_id == NOBODY else (lane.contact_id,)
    opener, closing, stated = expectation.asks[0], expectation.closing, expectation.stated
    ids = tuple(ask.activity_id for ask in expectation.asks)
    found = []
    if not (expectation.forgiven or stated) and expectation.due_at <= as_of:
        size = min(policy.chase_limit, 1.0 + policy.chase_step * (len(ids) - 1))
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
