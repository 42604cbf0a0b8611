"""Microsoft Graph: change notifications, and events and messages as a flow posts them (one, or ``{"value": […]}``).

An event is one activity for each client company, see ``invitations``; a message one for each as well, its conversation
being the thread. A notification without the resource's own fields is unread. The proof is ``clientState``: every
notification of a batch carries it, and a flow puts it beside ``value`` or into the resource.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, convert, field
from tzlocal.windows_tz import win_tz

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.invitations import MOST, Answer, Invitation, told_of
from metrics_svc.adapters.records import Untold, companies, each, is_ours, matches, moment, person, records
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading
from metrics_svc.intake.rules import Told

_ANSWERS = {"accepted": "accepted", "declined": "declined", "tentativelyAccepted": "tentative"}


class _When(Struct, rename="camel"):
    date_time: str
    time_zone: str = "UTC"


class _Address(Struct, frozen=True):
    address: str = ""


class _Recipient(Struct, rename="camel", frozen=True):
    email_address: _Address = _Address()


class _Status(Struct, frozen=True):
    response: str | None = None
    time: str | None = None


class _Attendee(Struct, rename="camel"):
    email_address: _Address = _Address()
    status: _Status = _Status()
    type: str | None = None


class _Event(Struct, kw_only=True, rename="camel"):
    i_cal_uid: str = field(name="iCalUId")
    start: _When
    last_modified_date_time: str
    created_date_time: str | None = None
    organizer: _Recipient
    attendees: list[_Attendee] = []
    is_cancelled: bool = False
    is_organizer: bool = False
    response_requested: bool | None = None
    type: str | None = None
    subject: str | None = None
    sensitivity: str | None = None


class _Shown(Struct, rename="camel"):
    client_state: str | None = None


class _Header(Struct):
    name: str
    value: str


class _Flag(Struct, rename="camel", frozen=True):
    flag_status: str | None = None


class _Message(Struct, kw_only=True, rename="camel"):
    internet_message_id: str
    sent_date_time: str
    last_modified_date_time: str | None = None
    conversation_id: str | None = None
    sender: _Recipient = field(name="from", default=_Recipient())
    to_recipients: list[_Recipient] = []
    cc_recipients: list[_Recipient] = []
    is_draft: bool = False
    flag: _Flag = _Flag()
    subject: str | None = None
    sensitivity: str | None = None
    internet_message_headers: list[_Header] = []


def hello(delivery: Delivery) -> Greeting | None:
    """The validation token in plain text, as Graph wants it when a subscription is made; HTML in it is escaped."""
    token = delivery.query.get("validationToken")
    return Greeting(200, escape(token).encode(), "text/plain") if token else None


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether every notification's ``clientState`` is one of ``secrets``."""
    try:
        whole, parts = records(delivery.body), records(delivery.body, "value")
        around = convert(whole[0][1], _Shown).client_state if len(whole) == 1 else None
        states = [convert(part, _Shown).client_state or around for _, part in parts] or [around]
    except ValueError:
        return Forgery.MISSING
    if not all(states):
        return Forgery.MISSING
    if not all(matches(state or "", secrets) for state in states):
        return Forgery.WRONG
    return Proof(sha256(delivery.body).hexdigest(), repeatable=True)


def read(body: bytes, options: Options) -> Reading:
    """The meetings and messages that notifications carry or a flow posts."""
    return each(records(body, "value"), dict[str, Any], lambda record: _told(record, options))


def _told(record: dict[str, Any], options: Options) -> Iterator[Told]:
    resource = record.get("resourceData", record)
    if "lifecycleEvent" in record:
        raise Untold("needs-renewal", "The subscription has to be renewed or authorized again.")
    if isinstance(resource, dict) and "iCalUId" in resource and "start" in resource:
        yield from _meetings(convert(resource, _Event), options)
    elif isinstance(resource, dict) and "internetMessageId" in resource:
        yield from _messages(convert(resource, _Message), options)
    else:
        raise Untold("needs-fetch", "The notification says what changed, and not what it is now.")


def _meetings(event: _Event, options: Options) -> Iterator[Told]:
    organizer = event.organizer.email_address.address
    if event.type == "seriesMaster":
        raise Untold("series", "A series is told by its occurrences; ask for a calendar view.")
    if is_ours(organizer, options.own_domains) and not event.is_organizer:
        raise Untold("guest-copy", "Only the organizer's calendar knows how the guests answered.")
    updated = moment(event.last_modified_date_time, pointer="/lastModifiedDateTime")
    start = moment(event.start.date_time, _zone(event.start.time_zone), pointer="/start/dateTime")
    if updated is None or start is None:
        raise Untold("needs-fetch", "The event comes without its start or update.")
    people = [guest for guest in event.attendees if guest.type != "resource"]
    if not event.is_organizer:
        people = [guest for guest in people if is_ours(guest.email_address.address, options.own_domains)]
    invitation = Invitation(
        uid=event.i_cal_uid,
        starts_at=start,
        created_at=moment(event.created_date_time, pointer="/createdDateTime"),
        updated_at=updated,
        organizer=organizer,
        answers=[_answer(attendee) for attendee in people],
        cancelled=event.is_cancelled,
        asks=event.response_requested is not False,
        subject=_subject(event),
    )
    yield from told_of(invitation, options)


def _answer(attendee: _Attendee) -> Answer:
    """What a guest said; the year 1 stands for never."""
    at = moment(attendee.status.time, pointer="/attendees")
    outcome = _ANSWERS.get(attendee.status.response or "", "invited")
    return Answer(attendee.email_address.address, outcome, at if at and at.year > 1 else None)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(win_tz.get(name, name))
    except (KeyError, ValueError, OSError) as error:
        raise Untold("unknown-time-zone", "There is no such time zone.", "/start/timeZone") from error


def _messages(message: _Message, options: Options) -> Iterator[Told]:
    """The message as each company got or sent it. A flag on what we sent says that we wait for an answer."""
    sent_at = moment(message.sent_date_time, pointer="/sentDateTime")
    if message.is_draft or sent_at is None:
        raise Untold("not-sent", "The message is a draft.")
    outbound = is_ours(message.sender.email_address.address, options.own_domains)
    owner, clients = _parties(message, options.own_domains)
    headers = {header.name.lower(): header.value.strip() for header in message.internet_message_headers}
    replied_to = headers.get("in-reply-to")
    for domain, people in clients.items():
        yield Told(
            source=options.source,
            external_id=f"{message.internet_message_id}/{domain}",
            type="email",
            direction="outbound" if outbound else "inbound",
            outcome="sent" if outbound else None,
            occurred_at=sent_at,
            updated_at=moment(message.last_modified_date_time, pointer="/lastModifiedDateTime"),
            account=Reference(kind="domain", value=domain),
            contacts=tuple(person(address) for address in people[:MOST]),
            owner=owner,
            asks_reply=True if outbound and message.flag.flag_status == "flagged" else None,
            thread=message.conversation_id,
            in_reply_to=f"{replied_to}/{domain}" if replied_to else None,
            subject=_subject(message),
        )


def _parties(message: _Message, own_domains: frozenset[str]) -> tuple[str, dict[str, list[str]]]:
    """Who of us sent or got the message, and the client's people by company."""
    sender = message.sender.email_address.address
    recipients = [to.email_address.address for to in [*message.to_recipients, *message.cc_recipients]]
    ours = [address.strip().lower() for address in [sender, *recipients] if is_ours(address, own_domains)]
    clients = companies(recipients if is_ours(sender, own_domains) else [sender], own_domains)
    if not ours:
        raise Untold("without-us", "Neither sender nor recipients have one of the connection's own e-mail domains.")
    if not clients:
        raise Untold("without-client", "The message is sent to or by no client company.")
    return ours[0], clients


def _subject(item: _Event | _Message) -> str | None:
    return None if item.sensitivity in {"private", "confidential", "personal"} else item.subject


ADAPTER = Adapter(name="msgraph", title="Microsoft Graph", prove=prove, read=read, hello=hello)
