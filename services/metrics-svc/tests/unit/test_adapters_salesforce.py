"""Salesforce's records and change events."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.salesforce import ADAPTER
from metrics_svc.inbound.rules import Options
from metrics_svc.intake.rules import Told, revision_of

OPTIONS = Options(source="salesforce", own_domains=frozenset({"ours.example"}))


def numbered(value: str) -> Reference:
    return Reference(kind="external", source="salesforce", value=value)


ACCOUNT, CONTACT = numbered("001ZM000003QwErYAK"), numbered("003ZM000005LkJhYAM")
CALL = Told(
    source="salesforce",
    external_id="00TZM000001AbCdEAF",
    type="call",
    direction="outbound",
    outcome="voicemail",
    occurred_at=datetime(2026, 3, 10, 8, 30, tzinfo=UTC),
    updated_at=datetime(2026, 3, 10, 8, 30, 1, tzinfo=UTC),
    account=ACCOUNT,
    contacts=(CONTACT,),
    owner="ines.duarte@ours.example",
    subject="Call",
)
EMAIL = Told(
    source="salesforce",
    external_id="00TZM000001AbCfEAF",
    type="email",
    direction="outbound",
    outcome="sent",
    occurred_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
    updated_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
    account=Reference(kind="domain", value="norrland.example"),
    contacts=(numbered("00QZM000004NmBvYAN"),),
    subject="Email: Your order",
)
ANSWER = Told(
    source="salesforce",
    external_id="0REZM000000005o4AA",
    type="meeting",
    outcome="accepted",
    occurred_at=datetime(2026, 3, 5, 10, tzinfo=UTC),
    starts_at=datetime(2026, 3, 12, 9, tzinfo=UTC),
    updated_at=datetime(2026, 3, 5, 10, tzinfo=UTC),
    account=ACCOUNT,
    contacts=(CONTACT,),
    thread="00UZM00000165Qd2AI",
)


@pytest.fixture
def changed(payload: Callable[[str], bytes]) -> Callable[..., bytes]:
    """The first golden record of a file, or the one at ``number``, with some fields replaced."""

    def build(name: str, number: int = 0, **fields: Any) -> bytes:
        content = json.loads(payload(f"salesforce/{name}.json"))
        record = content[number] if isinstance(content, list) else content
        return json.dumps(record | fields).encode()

    return build


def only(body: bytes) -> Told:
    [told] = ADAPTER.read(body, OPTIONS).told
    return told


def codes(body: bytes) -> list[tuple[str, str]]:
    reading = ADAPTER.read(body, OPTIONS)
    assert not reading.told
    return [(unread.code, unread.pointer) for unread in reading.unread]


def test_a_completed_call_is_told(payload: Callable[[str], bytes]) -> None:
    assert only(payload("salesforce/task_call.json")) == CALL


def test_of_a_query_calls_and_emails_are_told_open_tasks_are_notes_and_the_rest_is_unread(
    payload: Callable[[str], bytes],
) -> None:
    reading = ADAPTER.read(payload("salesforce/tasks.json"), OPTIONS)
    logged = Told(
        source="salesforce",
        external_id="00TZM000001AbCeEAF",
        type="call",
        direction="inbound",
        outcome="connected",
        occurred_at=datetime(2026, 3, 8, 12, tzinfo=UTC),
        updated_at=datetime(2026, 3, 10, 8, 30, tzinfo=UTC),
        account=ACCOUNT,
        subject="Call",
    )
    planned = Told(
        source="salesforce",
        external_id="00TZM000001AbCgEAF",
        type="note",
        occurred_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
        updated_at=datetime(2026, 3, 10, 9, tzinfo=UTC),
        account=ACCOUNT,
    )
    assert list(reading.told) == [logged, EMAIL, planned]
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("no-contact", "/records/3/TaskSubtype"),
        ("without-client", "/records/4/AccountId"),
        ("no-activity", "/records/5/attributes/type"),
    ]


@pytest.mark.parametrize(
    ("disposition", "seconds", "expected"),
    [
        ("Connected - positive", None, "connected"),
        ("Spoke with assistant", 0, "connected"),
        ("No Answer", 12, "no-answer"),
        ("Did not connect", 12, "no-answer"),
        ("Left a message", 12, "voicemail"),
        ("Line busy", None, "busy"),
        ("Wrong number", 12, None),
        (None, 12, "connected"),
        (None, 0, None),
        ("", None, None),
    ],
)
def test_a_disposition_is_read_by_its_words(
    changed: Callable[..., bytes], disposition: str | None, seconds: int | None, expected: str | None
) -> None:
    body = changed("task_call", CallDisposition=disposition, CallDurationInSeconds=seconds)
    assert only(body).outcome == expected


def test_a_task_reopened_or_deleted_takes_back_what_it_said(changed: Callable[..., bytes]) -> None:
    note = replace(CALL, type="note", direction=None, outcome=None, occurred_at=CALL.updated_at, subject=None)
    assert only(changed("task_call", IsDeleted=True)) == note
    assert only(changed("task_call", IsClosed=False)) == note


def test_a_call_among_ourselves_is_unread(changed: Callable[..., bytes]) -> None:
    assert codes(changed("task_call", CallType="Internal")) == [("without-client", "/CallType")]


def test_an_event_is_a_meeting_with_the_warmest_answer_of_its_contacts(payload: Callable[[str], bytes]) -> None:
    answered, logged, planned, answer = ADAPTER.read(payload("salesforce/events.json"), OPTIONS).told
    assert answered == Told(
        source="salesforce",
        external_id="00UZM00000165Qa2AI",
        type="meeting",
        outcome="declined",
        occurred_at=datetime(2026, 3, 4, 9, tzinfo=UTC),
        starts_at=datetime(2026, 3, 12, 9, tzinfo=UTC),
        updated_at=datetime(2026, 3, 4, 9, tzinfo=UTC),
        account=ACCOUNT,
        contacts=(CONTACT,),
        thread="00UZM00000165Qa2AI",
        subject="Quarterly review",
    )
    assert (logged.outcome, logged.starts_at, logged.subject) == ("held", datetime(2026, 3, 1, 11, tzinfo=UTC), None)
    assert (planned.type, planned.outcome) == ("note", None)
    assert answer == ANSWER


def test_an_event_that_is_deleted_is_cancelled_by_us_whatever_was_answered(changed: Callable[..., bytes]) -> None:
    told = only(changed("events", 0, IsDeleted=True, LastModifiedDate="2026-03-06T09:00:00.000+0000"))
    assert (told.type, told.outcome, told.occurred_at) == (
        "meeting",
        "cancelled-by-us",
        datetime(2026, 3, 6, 9, tzinfo=UTC),
    )


def test_guests_who_have_not_answered_are_awaited_from_the_invitation_on(changed: Callable[..., bytes]) -> None:
    told = only(changed("events", 0, DeclinedEventInviteeIds=None))
    assert (told.outcome, told.occurred_at) == ("invited", datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert told.contacts == (numbered("003ZM000005LkJiYAM"),)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"IsChild": True}, "copy-or-series"),
        ({"IsRecurrence": True}, "copy-or-series"),
        ({"StartDateTime": None}, "needs-fetch"),
        ({"StartDateTime": "soon"}, "malformed-record"),
        ({"AccountId": None}, "without-client"),
    ],
)
def test_an_event_that_can_not_be_told_is_unread(
    changed: Callable[..., bytes], fields: dict[str, Any], expected: str
) -> None:
    assert [code for code, _ in codes(changed("events", 0, **fields))] == [expected]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"RelationId": "005ZM000000M6o1YAC"}, "without-client"),
        ({"IsInvitee": False}, "without-client"),
        ({"Status": "New", "Event": None}, "needs-fetch"),
    ],
)
def test_a_relation_that_is_no_answer_of_a_contact_is_unread(
    changed: Callable[..., bytes], fields: dict[str, Any], expected: str
) -> None:
    assert [code for code, _ in codes(changed("events", 3, **fields))] == [expected]


def test_an_invitation_is_told_with_the_start_and_an_answer_without_it(changed: Callable[..., bytes]) -> None:
    invited = only(changed("events", 3, Status="New", RespondedDate=None))
    assert (invited.outcome, invited.occurred_at) == ("invited", datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert only(changed("events", 3, Event=None)) == replace(ANSWER, starts_at=None)
    assert only(changed("events", 3, IsDeleted=True)).type == "note"


def test_a_change_event_of_a_creation_is_read_in_any_wrapping(payload: Callable[[str], bytes]) -> None:
    content = json.loads(payload("salesforce/cdc_event_created.json"))
    wrapped = (
        content,
        content["data"],
        content["data"]["payload"],
        {"detail": {"payload": content["data"]["payload"]}},
    )
    told = {only(json.dumps(body).encode()).external_id: only(json.dumps(body).encode()) for body in wrapped}
    assert list(told.values()) == [
        Told(
            source="salesforce",
            external_id="00UZM00000165Ra2AI",
            type="meeting",
            outcome="held",
            occurred_at=datetime(2026, 3, 10, 9, 0, 0, 500_000, UTC),
            starts_at=datetime(2026, 3, 10, 1, tzinfo=UTC),
            updated_at=datetime(2026, 3, 10, 9, 0, 0, 500_000, UTC),
            account=ACCOUNT,
            contacts=(CONTACT,),
            thread="00UZM00000165Ra2AI",
            subject="Workshop",
        )
    ]


def test_updates_and_deletions_count_when_they_tell_enough(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("salesforce/cdc_task_changes.json"), OPTIONS)
    connected = replace(
        CALL,
        outcome="connected",
        updated_at=datetime(2026, 3, 10, 10, tzinfo=UTC),
        owner=None,
        subject=None,
    )
    assert list(reading.told) == [
        connected,
        replace(connected, external_id="00TZM000001AbCjEAF"),
        Told(
            source="salesforce",
            external_id="00TZM000001AbCdEAF",
            type="note",
            occurred_at=datetime(2026, 3, 10, 11, tzinfo=UTC),
            updated_at=datetime(2026, 3, 10, 11, tzinfo=UTC),
            account=ACCOUNT,
        ),
    ]
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("needs-fetch", "/2"),
        ("needs-fetch", "/3/ChangeEventHeader"),
        ("without-client", "/4/RelationId"),
    ]


def test_a_change_event_is_a_later_revision_of_the_record_a_flow_posted(payload: Callable[[str], bytes]) -> None:
    posted = only(payload("salesforce/task_call.json"))
    later = list(ADAPTER.read(payload("salesforce/cdc_task_changes.json"), OPTIONS).told)
    revisions = [revision_of(t.revision, t.updated_at) for t in (posted, *later) if t.external_id == posted.external_id]
    assert len(revisions) == 3
    assert revisions == sorted(set(revisions))


def test_salesforce_signs_nothing_so_that_an_ingest_key_is_asked_for() -> None:
    assert ADAPTER.prove is None
