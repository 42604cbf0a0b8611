"""What an activity is, which ones are refused, and how the other features read one.

Pure: no storage, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    "ticket": frozenset({"opened", "escalated", "resolved"}),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The checkable part of a posted activity."""

    source: str
    external_id: str
    type: str
    direction: str | None
    outcome: str | None
    occurred_at: datetime
    starts_at: datetime | None
    in_reply_to: str | None
    has_amount: bool
    has_currency: bool


def refusal(claim: Claim, as_of: datetime) -> tuple[Refusal, str] | None:
    """The first rule the claim breaks and the JSON pointer to the field that breaks it, or None."""
    return _refused_words(claim) or _refused_time(claim, as_of)


def _refused_words(claim: Claim) -> tuple[Refusal, str] | None:
    if not claim.source.strip() or not claim.external_id.strip():
        return Refusal.MISSING_IDENTITY, "/external_id" if claim.source.strip() else "/source"
    if claim.type not in OUTCOMES:
        return Refusal.UNKNOWN_TYPE, "/type"
    if claim.outcome is not None and claim.outcome not in OUTCOMES[claim.type]:
        return Refusal.OUTCOME_MISMATCH, "/outcome"
    if claim.direction is None and claim.type in CONVERSATION:
        return Refusal.MISSING_DIRECTION, "/direction"
    if claim.in_reply_to is not None and claim.in_reply_to == claim.external_id:
        return Refusal.REPLY_TO_ITSELF, "/in_reply_to"
    if claim.has_amount != claim.has_currency:
        return Refusal.AMOUNT_WITHOUT_CURRENCY, "/currency" if claim.has_amount else "/amount"
    return None


def _refused_time(claim: Claim, as_of: datetime) -> tuple[Refusal, str] | None:
    planned = claim.type == "meeting"
    for pointer, moment in (("/occurred_at", claim.occurred_at), ("/starts_at", claim.starts_at)):
        if moment is None:
            continue
        if moment < EARLIEST:
            return Refusal.TOO_EARLY, pointer
        if moment > as_of + (HORIZON if planned else TOLERANCE):
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
