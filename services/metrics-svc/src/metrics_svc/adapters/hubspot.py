"""HubSpot: CRM v3 records (calls, e-mails, meetings, communications, notes), engagements v1, webhook events.

A record is told under ``<type>-<id>``, the same id in both forms; HubSpot's update time orders its revisions. Webhook
events name a record, which has to be fetched and posted. Who cancelled or moved a meeting HubSpot does not say, so that
neither counts against the client. The proof is signature v3 with the app's client secret.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

from msgspec import Struct, convert, field

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.records import Untold, companies, each, is_ours, moment, of_seconds, person, records, silent
from metrics_svc.inbound.rules import TOLERANCE, Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading
from metrics_svc.intake.rules import Told

_TYPES = {"0-48": "call", "0-49": "email", "0-47": "meeting", "0-18": "message", "0-46": "note"}
"""By HubSpot's object type id; a record without one is known by its properties."""
_TYPICAL = {
    "hs_call_": "call",
    "hs_email_": "email",
    "hs_meeting_": "meeting",
    "hs_communication_": "message",
    "hs_note_": "note",
}
_CALLS = {
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "connected",
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "voicemail",
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "voicemail",
    "73a0d17f-1163-4015-bdd5-ec830791da20": "no-answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "no-answer",
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "busy",
    "BUSY": "busy",
    "NO_ANSWER": "no-answer",
    "MISSED": "no-answer",
    "COMPLETED": "connected",
}
"""HubSpot's default dispositions, which say more, then its statuses. A live message was left with somebody else."""
_MEETINGS = {
    "SCHEDULED": "invited",
    "COMPLETED": "held",
    "NO_SHOW": "no-show",
    "CANCELED": "cancelled-by-us",
    "RESCHEDULED": "rescheduled-by-us",
}
_ENGAGEMENTS = {
    "CALL": "call",
    "EMAIL": "email",
    "INCOMING_EMAIL": "email",
    "FORWARDED_EMAIL": "email",
    "MEETING": "meeting",
    "NOTE": "note",
}
_ADDRESS = re.compile(r"[^\s<>,;\"]+@[^\s<>,;\"]+")
_SIGNED = {"3A": ":", "2F": "/", "3F": "?", "40": "@", "21": "!", "24": "$", "27": "'", "28": "(", "29": ")", "2A": "*"}
_SIGNED |= {"2C": ",", "3B": ";"}
_ESCAPE = re.compile("%(" + "|".join(_SIGNED) + ")", re.IGNORECASE)
"""What HubSpot signs unescaped."""


class _Linked(Struct):
    id: int | str


class _Links(Struct):
    results: list[_Linked] = field(default_factory=list)


class _Object(Struct, rename="camel", kw_only=True):
    id: int | str
    properties: dict[str, str | int | float | bool | None]
    object_type_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    archived: bool | None = False
    associations: dict[str, _Links] = field(default_factory=dict)


class _Engagement(Struct, rename="camel", kw_only=True):
    id: int
    type: str
    timestamp: int | None = None
    created_at: int | None = None
    last_updated: int | None = None
    active: bool | None = True


class _Associations(Struct, rename="camel"):
    contact_ids: list[int] = field(default_factory=list)
    company_ids: list[int] = field(default_factory=list)


class _Mailbox(Struct):
    email: str | None = None


class _Metadata(Struct, rename="camel"):
    status: str | None = None
    disposition: str | None = None
    direction: str | None = None
    title: str | None = None
    subject: str | None = None
    thread_id: str | None = None
    start_time: int | None = None
    meeting_outcome: str | None = None
    from_: _Mailbox | None = field(default=None, name="from")
    to: list[_Mailbox] = field(default_factory=list)


class _V1(Struct):
    engagement: _Engagement
    associations: _Associations = field(default_factory=_Associations)
    metadata: _Metadata = field(default_factory=_Metadata)


class _Facts(Struct, kw_only=True):
    """What both forms of a record say."""

    id: str
    type: str
    at: datetime | None
    updated_at: datetime | None
    deleted: bool
    companies: Sequence[str]
    contacts: Sequence[str]
    words: Mapping[str, str]
    senders: Sequence[str] = ()
    receivers: Sequence[str] = ()


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether one of ``secrets`` made ``X-HubSpot-Signature-v3`` over method, address, body and a time close to now."""
    signature = delivery.headers.get("x-hubspot-signature-v3", "")
    timestamp = delivery.headers.get("x-hubspot-request-timestamp", "")
    if not (signature and timestamp):
        return Forgery.MISSING
    address = _ESCAPE.sub(lambda found: _SIGNED[found[1].upper()], delivery.url)
    signed = f"{delivery.method}{address}".encode() + delivery.body + timestamp.encode(errors="replace")
    made = [b64encode(digest(secret.encode(), signed, "sha256")) for secret in secrets]
    if not any(compare_digest(one, signature.encode(errors="replace")) for one in made):
        return Forgery.WRONG
    sent_at = _sent_at(timestamp)
    if sent_at is None or abs(delivery.received_at - sent_at) > TOLERANCE:
        return Forgery.OLD
    return Proof(sha256(f"{timestamp} {signature}".encode()).hexdigest())


def _sent_at(timestamp: str) -> datetime | None:
    try:
        return of_seconds(int(timestamp) / 1_000)
    except (ValueError, OverflowError, Untold):
        return None


def read(body: bytes, options: Options) -> Reading:
    """The activities in one record, a list of them or ``{"results": […]}``; raises ValueError for what is no JSON."""
    return each(records(body, "results"), dict[str, Any], lambda record: _told(record, options))


def _told(record: Mapping[str, Any], options: Options) -> Iterator[Told]:
    if "subscriptionType" in record:
        name = f"{record['subscriptionType']} of {record.get('objectId')}"[:100]
        raise Untold("needs-fetch", f"The event {name} names a record and says nothing of it: fetch and post it.")
    facts = _of_engagement(convert(record, _V1)) if "engagement" in record else _of_object(convert(record, _Object))
    if facts.at is None:
        raise Untold("malformed-record", "The record has no time.", "/properties/hs_timestamp")
    clients = companies([*facts.senders, *facts.receivers], options.own_domains)
    if facts.companies:
        account = Reference(kind="external", source=options.source, value=facts.companies[0])
    elif clients:
        account = Reference(kind="domain", value=next(iter(clients)))
    else:
        raise Untold("no-account", "The record belongs to no company and names no address of a client.")
    owner = next((one.lower() for one in facts.senders if is_ours(one, options.own_domains)), None)
    told = Told(
        source=options.source,
        external_id=f"{facts.type}-{facts.id}",
        type=facts.type,
        occurred_at=facts.at,
        updated_at=facts.updated_at,
        account=account,
        contacts=_contacts(facts, clients, options),
        owner=owner,
        subject=facts.words.get("subject"),
        thread=facts.words.get("thread"),
    )
    yield silent(told) if facts.deleted else _shaped(told, facts)


def _contacts(facts: _Facts, clients: Mapping[str, Sequence[str]], options: Options) -> tuple[Reference, ...]:
    if facts.contacts:
        return tuple(Reference(kind="external", source=options.source, value=id_) for id_ in facts.contacts[:50])
    return tuple(person(address) for addresses in clients.values() for address in addresses)[:50]


def _shaped(told: Told, facts: _Facts) -> Told:
    """The activity with direction and outcome, each as its type has them."""
    words = facts.words
    match facts.type:
        case "call":
            outcome = _CALLS.get(words.get("disposition", "")) or _CALLS.get(words.get("status", ""))
            return replace(told, direction=_direction(words, "INBOUND"), outcome=outcome)
        case "email":
            outcome = "bounced" if words.get("status") in {"BOUNCED", "FAILED"} else "sent"
            return replace(told, direction=_direction(words, "INCOMING_EMAIL"), outcome=outcome)
        case "message":
            return replace(told, direction="outbound", outcome="sent")
        case "meeting":
            starts_at = _moment(words.get("starts_at")) or told.occurred_at
            outcome = _MEETINGS.get(words.get("meeting", ""), "invited")
            at = starts_at if outcome in {"held", "no-show"} else told.updated_at or told.occurred_at
            return replace(told, outcome=outcome, starts_at=starts_at, occurred_at=at)
        case _:
            return told


def _direction(words: Mapping[str, str], inbound: str) -> str:
    return "inbound" if words.get("direction") == inbound else "outbound"


def _moment(value: str | None) -> datetime | None:
    """A time as HubSpot writes them: ISO 8601, or milliseconds since 1970. Raises Untold for anything else."""
    return of_seconds(int(value) / 1_000) if value and value.isascii() and value.isdecimal() else moment(value)


def _of_object(record: _Object) -> _Facts:
    said = {name: str(value) for name, value in record.properties.items() if value not in {None, ""}}
    known = (type_ for start, type_ in _TYPICAL.items() if any(name.startswith(start) for name in said))
    type_ = _TYPES.get(record.object_type_id or "") or next(known, None)
    if type_ is None:
        raise Untold("no-activity", "The record is no call, e-mail, meeting, message or note.")
    named = {
        "direction": f"hs_{type_}_direction",
        "status": f"hs_{type_}_status",
        "disposition": "hs_call_disposition",
        "meeting": "hs_meeting_outcome",
        "starts_at": "hs_meeting_start_time",
        "thread": "hs_email_thread_id",
        "subject": "hs_email_subject" if type_ == "email" else f"hs_{type_}_title",
    }
    return _Facts(
        id=str(record.id),
        type=type_,
        at=_moment(said.get("hs_timestamp")) or moment(record.created_at),
        updated_at=_moment(said.get("hs_lastmodifieddate")) or moment(record.updated_at),
        deleted=bool(record.archived),
        companies=_linked(record, "companies"),
        contacts=_linked(record, "contacts"),
        words={name: said[property_] for name, property_ in named.items() if property_ in said},
        senders=_ADDRESS.findall(said.get("hs_email_from_email", "")),
        receivers=_ADDRESS.findall(said.get("hs_email_to_email", "")),
    )


def _linked(record: _Object, what: str) -> list[str]:
    links = record.associations.get(what)
    return list(dict.fromkeys(str(link.id) for link in links.results)) if links else []


def _of_engagement(record: _V1) -> _Facts:
    one, said = record.engagement, record.metadata
    type_ = _ENGAGEMENTS.get(one.type)
    if type_ is None:
        raise Untold("no-activity", "The engagement is no call, e-mail, meeting or note.", "/engagement/type")
    words = {
        "direction": one.type if type_ == "email" else said.direction,
        "status": said.status,
        "disposition": said.disposition,
        "meeting": said.meeting_outcome,
        "starts_at": None if said.start_time is None else str(said.start_time),
        "thread": said.thread_id,
        "subject": said.subject or said.title,
    }
    return _Facts(
        id=str(one.id),
        type=type_,
        at=_milliseconds(one.timestamp or one.created_at),
        updated_at=_milliseconds(one.last_updated),
        deleted=one.active is False,
        companies=[str(id_) for id_ in record.associations.company_ids],
        contacts=[str(id_) for id_ in record.associations.contact_ids],
        words={name: value for name, value in words.items() if value},
        senders=_ADDRESS.findall((said.from_ and said.from_.email) or ""),
        receivers=[found for to in said.to for found in _ADDRESS.findall(to.email or "")],
    )


def _milliseconds(value: int | None) -> datetime | None:
    return None if value is None else of_seconds(value / 1_000)


ADAPTER = Adapter(name="hubspot", title="HubSpot", prove=prove, read=read, greeting=Greeting(status=200))
