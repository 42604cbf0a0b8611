"""Google Calendar: events as a relay such as Apps Script posts them, and push notifications.

One activity for each event and client company, see ``invitations``. A series is told by its occurrences, which a relay
lists with ``singleEvents=true``. A push notification says only that something changed: it is kept as unread. The proof
is the channel's token, which a relay shows in the same header.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from metrics_svc.adapters.invitations import Answer, Invitation, told_of
from metrics_svc.adapters.records import Untold, by_token, each, moment, records
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading, Unread
from metrics_svc.intake.rules import Told

_ANSWERS = {"accepted": "accepted", "declined": "declined", "tentative": "tentative"}


class _When(Struct):
    date_time: str | None = field(name="dateTime", default=None)
    date: str | None = None
    time_zone: str | None = field(name="timeZone", default=None)


class _Person(Struct, frozen=True):
    email: str = ""


class _Attendee(Struct):
    email: str = ""
    response: str = field(name="responseStatus", default="needsAction")
    resource: bool = False


class _Event(Struct, kw_only=True, rename="camel"):
    id: str
    status: str = "confirmed"
    i_cal_uid: str | None = field(name="iCalUID", default=None)
    recurrence: list[str] | None = None
    start: _When | None = None
    original_start_time: _When | None = None
    created: str | None = None
    updated: str | None = None
    organizer: _Person = _Person()
    attendees: list[_Attendee] = []
    summary: str | None = None
    visibility: str = "default"


def hello(delivery: Delivery) -> Greeting | None:
    """The answer to the message that Google opens a channel with."""
    opening = delivery.headers.get("x-goog-resource-state") == "sync" and not delivery.body
    return Greeting() if opening else None


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether the channel's token is one of ``secrets``; notifications of a channel are told apart by their number."""
    proof = by_token(delivery.headers.get("x-goog-channel-token"), secrets, delivery.body)
    number = delivery.headers.get("x-goog-message-number")
    if number and isinstance(proof, Proof):
        return Proof(f"{delivery.headers.get('x-goog-channel-id', '')}/{number}", repeatable=True)
    return proof


def read(body: bytes, options: Options) -> Reading:
    """The meetings of posted events: one event, a list, or a list response with ``items``."""
    if not body:
        return Reading(unread=[Unread("needs-fetch", "A calendar changed; the notification does not say what.")])
    return each(records(body, "items"), _Event, lambda event: _told(event, options))


def _told(event: _Event, options: Options) -> Iterator[Told]:
    if event.recurrence:
        raise Untold("series", "A series is told by its occurrences; list events with singleEvents=true.")
    start = _moment(event.start, "/start") or _moment(event.original_start_time, "/originalStartTime")
    updated = moment(event.updated, pointer="/updated")
    guests = [guest for guest in event.attendees if not guest.resource]
    if start is None or updated is None or not guests:
        raise Untold("needs-fetch", "The event comes without its start, update or guests, so nobody is concerned.")
    invitation = Invitation(
        uid=_uid(event),
        starts_at=start,
        created_at=moment(event.created, pointer="/created"),
        updated_at=updated,
        organizer=event.organizer.email,
        answers=[Answer(guest.email, _ANSWERS.get(guest.response, "invited")) for guest in guests],
        cancelled=event.status == "cancelled",
        subject=None if event.visibility in {"private", "confidential"} else event.summary,
    )
    yield from told_of(invitation, options)


def _uid(event: _Event) -> str:
    """Occurrences of a series share their iCalendar id: an occurrence is known by when it was to be at first."""
    uid, first = event.i_cal_uid or event.id, event.original_start_time
    return f"{uid}/{first.date_time or first.date}" if first else uid


def _moment(when: _When | None, pointer: str) -> datetime | None:
    if when is None or not (when.date_time or when.date):
        return None
    try:
        zone = ZoneInfo(when.time_zone or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise Untold("unknown-time-zone", "There is no such time zone.", f"{pointer}/timeZone") from error
    return moment(when.date_time or when.date, zone, pointer=pointer)


ADAPTER = Adapter(name="google-calendar", title="Google Calendar", prove=prove, read=read, hello=hello)
