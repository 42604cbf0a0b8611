"""What an activity is, which ones are refused, and how the other features read one.

Pure: no storage, no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

NOBODY = UUID(int=0)
"""Stands for "contact unknown" in keys; no real contact has it."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)
"""How far a source's clock may run ahead of ours."""
HORIZON = timedelta(days=3 * 366)
"""How far ahead a meeting may be planned."""

OUTCOMES: Mapping[str, frozenset[str]] = {
    "call": frozenset({"connected", "no-answer", "voicemail", "busy"}),
    "email": frozenset({"sent", "delivered", "bounced", "replied"}),
    "message": frozenset({"sent", "delivered", "bounced", "replied"}),
    "meeting": frozenset(
        {
            "invited",
            "accepted",
            "tentative",
            "declined",
            "no-response",
            "held",
            "no-show",
            "cancelled-by-client",
            "cancelled-by-us",
            "rescheduled-by-client",
            "rescheduled-by-us",
        }
    ),
    "order": frozenset({"placed", "cancelled"}),
    "payment": frozenset({"received", "late"}),
    "ticket": frozenset({"opened", "reopened", "escalated", "resolved"}),
    "survey": frozenset({"sent", "answered"}),
    "proposal": frozenset({"sent", "accepted", "declined"}),
    "note": frozenset(),
}
"""Every type a source may post, with the outcomes that make sense for it; no outcome is always allowed."""

OBSERVATION = "observation"
"""The type under which evidence seen by a person is kept; it comes in by its own route."""

CONVERSATION = frozenset({"call", "email", "message"})
"""Types that have a direction and may ask for a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity in its latest revision, as far as evidence depends on it.

    ``recorded_at`` is when this revision reached us; ``starts_at`` is a meeting's start when
    ``occurred_at`` says when it was answered, moved or cancelled.
    """

    tenant: str
    activity_id: UUID
    source: str
    type: str
    occurred_at: datetime
    recorded_at: datetime
    revision: int = 1
    account_id: UUID | None = None
    direction: str | None = None
    outcome: str | None = None
    contact_ids: tuple[UUID, ...] = ()
    owner_id: UUID | None = None
    asks_reply: bool | None = None
    meeting_id: UUID | None = None
    starts_at: datetime | None = None
    updated_at: datetime | None = None
    amount: Decimal | None = None
    kind: str | None = None
    magnitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """How a source names an account: ``kind`` is id, external (with ``source``) or domain."""

    kind: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An activity as it came in, with what is kept and not derived from."""

    activity: Activity
    external_id: str
    reference: Reference
    thread: str | None = None
    in_reply_to: str | None = None
    currency: str | None = None
    subject: str | None = None
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    note: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one unit of work did to one activity; ``before`` is None when it was not there."""

    before: Activity | None
    after: Activity | None

    def versions(self) -> tuple[Activity, ...]:
        """Both sides that belong to an account: derivation has to look at each."""
        return tuple(a for a in (self.before, self.after) if a is not None and a.account_id is not None)


class Status(StrEnum):
    """What became of one posted item."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CORRECTED = "corrected"
    STALE = "stale"
    UNMATCHED = "unmatched"
    REJECTED = "rejected"


def statuses(posted: Sequence[tuple[UUID, int]], known: Mapping[UUID, int]) -> list[Status]:
    """What becomes of items (identity, revision) posted one after the other, given the revisions on record.

    Accepted or corrected items are to be stored; of several with one identity the last of these wins.
    """
    latest, found = dict(known), []
    for id_, revision in posted:
        before = latest.get(id_)
        if before is None:
            status = Status.ACCEPTED
        elif revision > before:
            status = Status.CORRECTED
        else:
            status = Status.DUPLICATE if revision == before else Status.STALE
        if status in {Status.ACCEPTED, Status.CORRECTED}:
            latest[id_] = revision
        found.append(status)
    return found


class Refusal(StrEnum):
    """Why an item is rejected; the values are stable codes."""

    MISSING_IDENTITY = "missing-identity"
    UNKNOWN_TYPE = "unknown-activity-type"
    OUTCOME_MISMATCH = "outcome-mismatch"
    MISSING_DIRECTION = "missing-direction"
    IN_FUTURE = "occurred-in-future"
    TOO_EARLY = "occurred-too-early"
    REPLY_TO_ITSELF = "reply-to-itself"
    AMOUNT_WITHOUT_CURRENCY = "amount-without-currency"


def refusal(
    posted: Posted, as_of: datetime, outcomes: Mapping[str, frozenset[str]] = OUTCOMES
) -> tuple[Refusal, str] | None:
    """The first rule that something posted breaks and the JSON pointer to the field that breaks it, or None.

    ``outcomes`` are the types that may come in this way, each with its outcomes.
    """
    return _refused_words(posted, outcomes) or _refused_time(posted.activity, as_of)


def _refused_words(posted: Posted, outcomes: Mapping[str, frozenset[str]]) -> tuple[Refusal, str] | None:
    activity = posted.activity
    if not activity.source.strip() or not posted.external_id.strip():
        return Refusal.MISSING_IDENTITY, "/external_id" if activity.source.strip() else "/source"
    if activity.type not in outcomes:
        return Refusal.UNKNOWN_TYPE, "/type"
    if activity.outcome is not None and activity.outcome not in outcomes[activity.type]:
        return Refusal.OUTCOME_MISMATCH, "/outcome"
    if activity.direction is None and activity.type in CONVERSATION:
        return Refusal.MISSING_DIRECTION, "/direction"
    if posted.in_reply_to is not None and posted.in_reply_to == posted.external_id:
        return Refusal.REPLY_TO_ITSELF, "/in_reply_to"
    if (activity.amount is None) != (posted.currency is None):
        return Refusal.AMOUNT_WITHOUT_CURRENCY, "/amount" if activity.amount is None else "/currency"
    return None


def _refused_time(activity: Activity, as_of: datetime) -> tuple[Refusal, str] | None:
    latest = as_of + (HORIZON if activity.type == "meeting" else TOLERANCE)
    for pointer, moment in (("/occurred_at", activity.occurred_at), ("/starts_at", activity.starts_at)):
        if moment is not None and moment < EARLIEST:
            return Refusal.TOO_EARLY, pointer
        if moment is not None and moment > latest:
            return Refusal.IN_FUTURE, pointer
    return None


def asked_contact(activity: Activity) -> UUID | None:
    """Whom an activity asks for a reply: its first contact, NOBODY when unknown, None when it asks nobody.

    A call asks when it did not connect, unless flagged otherwise; an e-mail or message only when flagged.
    """
    if activity.direction != "outbound" or activity.type not in CONVERSATION:
        return None
    if activity.type == "call":
        asks = activity.outcome in {"no-answer", "voicemail", "busy"} and activity.asks_reply is not False
    else:
        asks = activity.outcome != "bounced" and activity.asks_reply is True
    if not asks:
        return None
    return activity.contact_ids[0] if activity.contact_ids else NOBODY


def is_unasked_contact(activity: Activity) -> bool:
    """Whether the client called or wrote; it counts as ``client-contacted`` unless it answers something."""
    return activity.direction == "inbound" and activity.type in CONVERSATION and activity.outcome != "bounced"


def answers(activity: Activity) -> bool:
    """Whether the activity settles an open expectation of its contacts."""
    return (
        is_unasked_contact(activity)
        or (activity.type == "call" and activity.outcome == "connected")
        or (activity.type == "meeting" and activity.outcome == "held")
    )


def is_purchase(activity: Activity) -> bool:
    """Whether an order counts as bought: not cancelled, not a credit note."""
    return (
        activity.type == "order"
        and activity.outcome != "cancelled"
        and (activity.amount is None or activity.amount >= 0)
    )
