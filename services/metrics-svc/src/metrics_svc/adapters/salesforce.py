"""Salesforce: Task, Event and EventRelation, as records a flow or Apex posts and as Change Data Capture events.

A completed task is a call or an e-mail, an event a meeting and each invitee's relation an answer of the same thread. An
event entered after its start is a meeting that was held; one that asks nobody is, like an open task, told as a note, so
that it takes back what the record said before. A change event counts when it carries what the record needs: at creation
it does, at an update or deletion the channel has to be enriched with the fields of ``ENRICHED``. Salesforce signs
nothing: whoever posts shows an ingest key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, convert

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.invitations import warmest
from metrics_svc.adapters.records import Untold, companies, each, moment, of_seconds, records, silent
from metrics_svc.inbound.rules import Adapter, Options, Reading
from metrics_svc.intake.rules import Told

ENRICHED: Mapping[str, tuple[str, ...]] = {
    "Task": ("Status", "TaskSubtype"),
    "Event": ("ActivityDateTime", "CreatedDate"),
    "EventRelation": ("EventId", "Status"),
}
"""The fields without which an update does not tell enough; ``AccountId`` and ``WhoId`` besides."""

_PREFIXES = {"00T": "Task", "00U": "Event", "0RE": "EventRelation"}
_ANSWERS = {"Accepted": "accepted", "Declined": "declined", "Maybe": "tentative", "New": "invited"}
_DISPOSITIONS = (
    ("voicemail", ("voicemail", "voice mail", "left message", "left a message")),
    ("busy", ("busy",)),
    ("no-answer", ("no answer", "no-answer", "not answer", "n't answer", "unanswered", "not connect", "no connect")),
    ("connected", ("connect", "answered", "spoke", "talked", "conversation", "reached")),
)
"""What the free text of a disposition means, the first that fits."""

_Time = str | int | None


class _Address(Struct, rename="pascal"):
    email: str | None = None


class _Record(Struct, kw_only=True, rename="pascal"):
    """What all three have."""

    id: str
    created_date: _Time = None
    last_modified_date: _Time = None
    account_id: str | None = None
    what_id: str | None = None
    who_id: str | None = None
    who: _Address | None = None
    owner: _Address | None = None
    is_deleted: bool | None = False


class _Task(_Record, kw_only=True, rename="pascal"):
    subject: str | None = None
    status: str | None = None
    is_closed: bool | None = None
    task_subtype: str | None = None
    type: str | None = None
    call_type: str | None = None
    call_disposition: str | None = None
    call_duration_in_seconds: int | None = None
    activity_date: _Time = None
    completed_date_time: _Time = None


class _Event(_Record, kw_only=True, rename="pascal"):
    subject: str | None = None
    start_date_time: _Time = None
    activity_date_time: _Time = None
    activity_date: _Time = None
    is_child: bool | None = False
    is_private: bool | None = False
    is_recurrence: bool | None = False
    accepted_event_invitee_ids: list[str] | None = None
    declined_event_invitee_ids: list[str] | None = None
    undecided_event_invitee_ids: list[str] | None = None


class _Start(Struct, rename="pascal"):
    start_date_time: _Time = None


class _EventRelation(_Record, kw_only=True, rename="pascal"):
    relation_id: str
    event_id: str
    event: _Start | None = None
    status: str | None = None
    responded_date: _Time = None
    is_invitee: bool | None = True


class _Header(Struct, rename="camel"):
    entity_name: str
    record_ids: list[str]
    change_type: str
    commit_timestamp: int


def read(body: bytes, options: Options) -> Reading:
    """The activities of posted records: one, a list or ``records``, or change events in any of their wrappings."""
    return each(records(body, "records"), dict[str, Any], lambda record: _told(record, options))


def _told(record: dict[str, Any], options: Options) -> Iterator[Told]:
    for wrapping in ("detail", "data", "payload"):
        if isinstance(record.get(wrapping), dict):
            record = record[wrapping]
    if "ChangeEventHeader" in record:
        for changed in _changed(record):
            yield _read(changed, options)
    else:
        yield _read(record, options)


def _changed(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The records of a change event, as far as it tells them whole."""
    header = convert(record["ChangeEventHeader"], _Header)
    needed = ENRICHED.get(header.entity_name, ()) if header.change_type in {"UPDATE", "DELETE"} else ()
    if header.change_type.startswith("GAP_"):
        raise Untold("needs-fetch", "A gap event says that something changed, and not what.", "/ChangeEventHeader")
    if any(name not in record for name in needed):
        raise Untold("needs-fetch", f"Enrich the channel's change events with {', '.join(needed)} and AccountId.")
    for id_ in header.record_ids:
        yield record | {
            "Id": id_,
            "attributes": {"type": header.entity_name},
            "LastModifiedDate": header.commit_timestamp,
            "IsDeleted": header.change_type == "DELETE",
        }


def _read(record: dict[str, Any], options: Options) -> Told:
    attributes = record.get("attributes")
    named = attributes.get("type") if isinstance(attributes, dict) else None
    match named or _PREFIXES.get(str(record.get("Id"))[:3]):
        case "Task":
            return _task(convert(record, _Task), options)
        case "Event":
            return _event(convert(record, _Event), options)
        case "EventRelation":
            return _relation(convert(record, _EventRelation), options)
    raise Untold("no-activity", "Only Task, Event and EventRelation are told.", "/attributes/type")


def _task(task: _Task, options: Options) -> Told:
    type_ = _type(task)
    completed_at = _time(task.completed_date_time) or _time(task.last_modified_date) or _time(task.created_date)
    if completed_at is None:
        raise Untold("malformed-record", "The task says neither when it was completed nor when it was changed.")
    told = replace(
        _about(task, options, completed_at),
        type=type_,
        direction="inbound" if task.call_type == "Inbound" else "outbound",
        outcome=_call_outcome(task) if type_ == "call" else "sent",
        occurred_at=_happened_at(task, completed_at),
        subject=task.subject,
    )
    closed = task.status == "Completed" if task.is_closed is None else task.is_closed
    return told if closed and not task.is_deleted else silent(told)


def _type(task: _Task) -> str:
    if task.call_type == "Internal":
        raise Untold("without-client", "The call was among ourselves.", "/CallType")
    kinds = {task.task_subtype, task.type}
    if task.call_type or "Call" in kinds:
        return "call"
    if kinds & {"Email", "ListEmail"}:
        return "email"
    raise Untold("no-contact", "A task counts when it is a call or an e-mail.", "/TaskSubtype")


def _call_outcome(task: _Task) -> str | None:
    said = (task.call_disposition or "").lower()
    for outcome, words in _DISPOSITIONS:
        if any(word in said for word in words):
            return outcome
    return "connected" if task.call_duration_in_seconds and not said else None


def _happened_at(task: _Task, completed_at: datetime) -> datetime:
    """When it took place: a call logged afterwards names the day only, and noon stands for it."""
    created_at, day = _time(task.created_date), _time(task.activity_date)
    logged = created_at is not None and completed_at - created_at < timedelta(minutes=1)
    return day + timedelta(hours=12) if day and logged and day.date() < completed_at.date() else completed_at


def _event(event: _Event, options: Options) -> Told:
    starts_at = _time(event.start_date_time) or _time(event.activity_date_time) or _time(event.activity_date)
    if event.is_child or event.is_recurrence:
        raise Untold("copy-or-series", "An invitee's copy and the definition of a series are no meetings themselves.")
    if starts_at is None:
        raise Untold("needs-fetch", "The event comes without its start.", "/StartDateTime")
    created_at, updated_at = _time(event.created_date), _time(event.last_modified_date)
    outcome, people = _answer(event)
    if created_at is not None and created_at >= starts_at:
        outcome = "held"
    if event.is_deleted:
        outcome = "cancelled-by-us"
    said_at = created_at if outcome == "invited" else updated_at
    told = replace(
        _about(event, options, said_at or updated_at or starts_at),
        type="meeting",
        outcome=outcome,
        starts_at=starts_at,
        thread=event.id,
        subject=None if event.is_private else event.subject,
    )
    told = replace(told, contacts=tuple(_person(id_, options) for id_ in people) or told.contacts)
    return told if outcome else silent(told)


def _answer(event: _Event) -> tuple[str | None, list[str]]:
    """The warmest answer of invited people, and who gave it; None when only colleagues are invited."""
    given = {
        "accepted": event.accepted_event_invitee_ids,
        "declined": event.declined_event_invitee_ids,
        "invited": event.undecided_event_invitee_ids,
    }
    clients = {outcome: [id_ for id_ in ids or () if id_.startswith("003")] for outcome, ids in given.items()}
    outcome = warmest(outcome for outcome, ids in clients.items() if ids)
    return outcome, clients[outcome] if outcome else []


def _relation(relation: _EventRelation, options: Options) -> Told:
    starts_at = _time(relation.event.start_date_time) if relation.event else None
    outcome = _ANSWERS.get(relation.status or "")
    updated_at = _time(relation.last_modified_date)
    said_at = _time(relation.responded_date) or _time(relation.created_date) or updated_at
    if not relation.is_invitee or not relation.relation_id.startswith("003"):
        raise Untold("without-client", "The relation is no invitation of a contact.", "/RelationId")
    if said_at is None or (outcome == "invited" and starts_at is None):
        raise Untold("needs-fetch", "An invitation counts with the meeting's start: add Event.StartDateTime.")
    told = replace(
        _about(relation, options, said_at),
        type="meeting",
        outcome=outcome,
        starts_at=starts_at,
        thread=relation.event_id,
        contacts=(_person(relation.relation_id, options),),
    )
    return told if outcome and not relation.is_deleted else silent(told)


def _about(record: _Record, options: Options, occurred_at: datetime) -> Told:
    """What all records say in the same way; the account is the record's, or the one it is about."""
    account = record.account_id or (record.what_id if (record.what_id or "").startswith("001") else None)
    known = companies([record.who.email or ""] if record.who else [], options.own_domains)
    if account:
        reference = Reference(kind="external", source=options.source, value=account)
    elif known:
        reference = Reference(kind="domain", value=next(iter(known)))
    else:
        raise Untold("without-client", "The record belongs to no account.", "/AccountId")
    return Told(
        source=options.source,
        external_id=record.id,
        type="note",
        occurred_at=occurred_at,
        updated_at=_time(record.last_modified_date),
        account=reference,
        contacts=(_person(record.who_id, options),) if record.who_id else (),
        owner=record.owner.email if record.owner else None,
    )


def _person(id_: str, options: Options) -> Reference:
    return Reference(kind="external", source=options.source, value=id_)


def _time(value: _Time) -> datetime | None:
    """A moment as REST writes it, or in the milliseconds of a change event."""
    return of_seconds(value / 1000) if isinstance(value, int) else moment(value)


ADAPTER = Adapter(name="salesforce", title="Salesforce", prove=None, read=read)
