"""How an item that came in is read: a source's own words, what of them is kept, the number of its revision. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain

from metrics_svc.activities.rules import Reference

LONGEST = {
    "source": 63,
    "external_id": 200,
    "type": 40,
    "outcome": 40,
    "owner": 254,
    "thread": 200,
    "in_reply_to": 200,
    "kind": 60,
    "currency": 3,
}
"""Characters of what names something; free text is cut instead."""
MANY = 50
"""Contacts and attributes of one activity, at most."""
_NAME, _SUBJECT, _NOTE, _ATTRIBUTE = 200, 500, 4_000, 1_000
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNKEPT = re.compile("[\0\ud800-\udfff]")
"""What no database stores: NUL, and halves of characters."""
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


def fitted(told: Told) -> Told | tuple[str, str]:
    """What a foreign system tells, free text cut to what is kept; or the JSON pointer and words of what can't be."""
    wrong = next(chain(_unfit_words(told), _unfit_names(told), _unfit_values(told)), None)
    if wrong is not None:
        return wrong
    return replace(
        told,
        occurred_at=told.occurred_at.astimezone(UTC),
        starts_at=told.starts_at and told.starts_at.astimezone(UTC),
        updated_at=told.updated_at and told.updated_at.astimezone(UTC),
        subject=told.subject and _UNKEPT.sub("", told.subject)[:_SUBJECT],
        note=told.note and _UNKEPT.sub("", told.note)[:_NOTE],
        attributes={
            name: _UNKEPT.sub("", value)[:_ATTRIBUTE] if isinstance(value, str) else value
            for name, value in told.attributes.items()
        },
    )


def _unfit_words(told: Told) -> Iterator[tuple[str, str]]:
    for name, longest in LONGEST.items():
        value = getattr(told, name)
        if value is not None and (len(value) > longest or _UNKEPT.search(value)):
            yield f"/{name}", f"It has {longest} characters at most, all of them real."
    if any(not 0 < len(name) <= _NAME or _UNKEPT.search(name) for name in told.attributes):
        yield "/attributes", f"The name of an attribute has 1 to {_NAME} characters."


def _unfit_names(told: Told) -> Iterator[tuple[str, str]]:
    named = [("/account", told.account), *((f"/contacts/{n}", contact) for n, contact in enumerate(told.contacts))]
    for place, reference in named:
        if not _is_name(reference):
            yield place, "It names nobody: give a UUID, a source with its id, a domain or an e-mail address."
    for place, things in (("/contacts", told.contacts), ("/attributes", told.attributes)):
        if len(things) > MANY:
            yield place, f"There are {MANY} at most."


def _unfit_values(told: Told) -> Iterator[tuple[str, str]]:
    if told.revision is not None and not 0 <= told.revision < 2**63:
        yield "/revision", "A revision is a whole number from 0 on that fits 64 bits."
    for name in ("occurred_at", "starts_at", "updated_at"):
        moment = getattr(told, name)
        if moment is not None and (moment.tzinfo is None or not 1900 <= moment.year <= 2200):
            yield f"/{name}", "A time needs its zone and lies between the years 1900 and 2200."
    if told.amount is not None and not (told.amount.is_finite() and abs(told.amount) < 10**15):
        yield "/amount", "An amount is a decimal number of at most 15 digits before the point."


def _is_name(reference: Reference) -> bool:
    if reference.kind == "id":
        return bool(_UUID.fullmatch(reference.value))
    if not 0 < len(reference.value) <= LONGEST["owner"] or _UNKEPT.search(reference.value + reference.source):
        return False
    return reference.kind != "external" or 0 < len(reference.source) <= _NAME
