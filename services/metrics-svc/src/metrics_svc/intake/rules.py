"""How an item that came in is read: a source's own words, and the number of its revision. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from metrics_svc.activities.rules import Reference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One activity or observation as its source tells it, whatever the way it came in by.

    People are references of kind ``id``, ``external`` or ``email``; ``owner`` is our user's e-mail address.
    """

    source: str
    external_id: str
    type: str
    occurred_at: datetime
    account: Reference
    revision: int | None = None
    updated_at: datetime | None = None
    direction: str | None = None
    outcome: str | None = None
    starts_at: datetime | None = None
    contacts: tuple[Reference, ...] = ()
    owner: str | None = None
    asks_reply: bool | None = None
    thread: str | None = None
    in_reply_to: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    subject: str | None = None
    attributes: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    kind: str | None = None
    magnitude: float | None = None
    note: str | None = None


def revision_of(revision: int | None, updated_at: datetime | None) -> int:
    """The number that orders the revisions of one record.

    The source's own number, else its update time in microseconds since 1970, else 1. A source keeps to one.
    """
    if revision is not None:
        return revision
    return 1 if updated_at is None else max(0, (updated_at - _EPOCH) // timedelta(microseconds=1))
