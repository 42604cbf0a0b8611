"""Pipedrive: activity webhooks, version 1 (``current``) and 2 (``data``). A call, e-mail or meeting is told when done.

Pipedrive keeps one record of a meeting: done it was held; before that its guests' answers count. What is planned,
undone or deleted is told as a note, so that it takes back what the record said before. Whether a call was answered
Pipedrive does not say: it counts as our reaching out. The proof is the webhook's HTTP basic authentication.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, convert

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.invitations import warmest
from metrics_svc.adapters.records import Untold, by_token, companies, each, moment, of_seconds, person, records, silent
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading
from metrics_svc.intake.rules import Told

_TYPES = {"call": "call", "email": "email", "meeting": "meeting", "lunch": "meeting"}
_ANSWERS = {"accepted": "accepted", "declined": "declined", "tentative": "tentative", "noreply": "invited"}


class _Meta(Struct):
    action: str = ""
    object: str = ""
    entity: str = ""
    timestamp: int | str | None = None
    timestamp_micro: int | None = None


class _Webhook(Struct):
    meta: _Meta
    current: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None


class _Guest(Struct):
    email_address: str | None = None
    email: str | None = None
    status: str | None = None
    user_id: int | None = None
    is_organizer: bool | int | None = False


class _Person(Struct):
    person_id: int


class _Activity(Struct, kw_only=True):
    id: int
    type: str
    done: bool | int = False
    due_date: str | None = None
    due_time: str | None = None
    add_time: str | None = None
    update_time: str | None = None
    marked_as_done_time: str | None = None
    org_id: int | None = None
    person_id: int | None = None
    participants: list[_Person] | None = None
    attendees: list[_Guest] | None = None
    subject: str | None = None
    active_flag: bool | None = True
    is_deleted: bool | None = False


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether the webhook's user and password are one of ``secrets``, each written ``user:password``."""
    scheme, _, given = delivery.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return Forgery.MISSING
    try:
        return by_token(b64decode(given, validate=True).decode(), secrets, delivery.body)
    except ValueError:
        return Forgery.WRONG


def read(body: bytes, options: Options) -> Reading:
    """The activity that a webhook tells of."""
    return each(records(body), _Webhook, lambda webhook: _told(webhook, options))


def _told(webhook: _Webhook, options: Options) -> Iterator[Told]:
    if "activity" not in {webhook.meta.object, webhook.meta.entity}:
        raise Untold("no-activity", "Only activities are told; leave other objects out of the webhook.", "/meta")
    record = webhook.current or webhook.data or webhook.previous
    if record is None:
        raise Untold("needs-fetch", "The webhook carries no record.")
    activity = convert(record, _Activity)
    type_ = _TYPES.get(activity.type)
    if type_ is None:
        raise Untold("no-contact", f"Nobody is contacted by an activity of type {activity.type[:60]}.", "/type")
    updated_at = _updated_at(webhook.meta)
    deleted = webhook.meta.action.startswith("delete") or bool(activity.is_deleted) or activity.active_flag is False
    outcome = _outcome(activity, type_)
    told = _record(activity, type_, outcome, updated_at, options)
    yield silent(told) if deleted or not (activity.done or outcome) else told


def _updated_at(meta: _Meta) -> datetime:
    """When it happened that the webhook tells of; version 1 says it in numbers, version 2 in text."""
    if isinstance(meta.timestamp, str):
        at = moment(meta.timestamp, pointer="/meta/timestamp")
    else:
        seconds = meta.timestamp if meta.timestamp_micro is None else meta.timestamp_micro / 1e6
        at = of_seconds(seconds, pointer="/meta/timestamp")
    if at is None:
        raise Untold("malformed-record", "The webhook does not say when it happened.", "/meta/timestamp")
    return at


def _outcome(activity: _Activity, type_: str) -> str | None:
    if type_ == "meeting":
        return (
            "held"
            if activity.done
            else warmest(_ANSWERS.get(guest.status or "", "invited") for guest in _guests(activity))
        )
    return "sent" if type_ == "email" and activity.done else None


def _guests(activity: _Activity) -> list[_Guest]:
    return [guest for guest in activity.attendees or () if guest.user_id is None and not guest.is_organizer]


def _record(activity: _Activity, type_: str, outcome: str | None, updated_at: datetime, options: Options) -> Told:
    due = moment(
        f"{activity.due_date}T{activity.due_time or '00:00'}" if activity.due_date else None, pointer="/due_date"
    )
    done_at = moment(activity.marked_as_done_time, pointer="/marked_as_done_time") or updated_at
    logged = activity.add_time is not None and activity.add_time == activity.marked_as_done_time
    account, contacts = _client(activity, options)
    return Told(
        source=options.source,
        external_id=str(activity.id),
        type=type_,
        direction=None if type_ == "meeting" else "outbound",
        outcome=outcome,
        occurred_at=min(due, done_at) if due and (logged or type_ == "meeting") else done_at,
        starts_at=due if type_ == "meeting" else None,
        updated_at=updated_at,
        account=account,
        contacts=contacts,
        thread=str(activity.id) if type_ == "meeting" else None,
        subject=activity.subject,
    )


def _client(activity: _Activity, options: Options) -> tuple[Reference, tuple[Reference, ...]]:
    """The organization, else the company of the first guest; and its people as Pipedrive numbers them."""
    numbers = [activity.person_id, *(participant.person_id for participant in activity.participants or ())]
    addresses = [guest.email_address or guest.email or "" for guest in _guests(activity)]
    known = companies(addresses, options.own_domains)
    people = [Reference(kind="external", source=options.source, value=str(n)) for n in numbers if n is not None]
    if activity.org_id is not None:
        account = Reference(kind="external", source=options.source, value=str(activity.org_id))
    elif known:
        account = Reference(kind="domain", value=next(iter(known)))
    else:
        raise Untold("without-client", "The activity belongs to no organization.", "/org_id")
    return account, tuple(dict.fromkeys(people)) or tuple(person(a) for found in known.values() for a in found)


ADAPTER = Adapter(name="pipedrive", title="Pipedrive", prove=prove, read=read, greeting=Greeting(200))
