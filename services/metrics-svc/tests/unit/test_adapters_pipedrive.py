"""Pipedrive's activity webhooks, of both versions."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.pipedrive import ADAPTER
from metrics_svc.adapters.records import person
from metrics_svc.inbound.rules import Delivery, Forgery, Greeting, Options, Proof
from metrics_svc.intake.rules import Told, revision_of

OPTIONS = Options(source="pipedrive", own_domains=frozenset({"ours.example"}))


def numbered(value: str) -> Reference:
    return Reference(kind="external", source="pipedrive", value=value)


CALL = Told(
    source="pipedrive",
    external_id="4711",
    type="call",
    direction="outbound",
    occurred_at=datetime(2026, 3, 10, 8, tzinfo=UTC),
    updated_at=datetime(2026, 3, 10, 8, 0, 0, 123_456, UTC),
    account=numbered("88"),
    contacts=(numbered("501"), numbered("502")),
    subject="Ask about the tender",
)
PLANNED = Told(
    source="pipedrive",
    external_id="4712",
    type="meeting",
    outcome="invited",
    occurred_at=datetime(2026, 3, 6, 10, 15, 0, 250_000, UTC),
    starts_at=datetime(2026, 3, 12, 13, 30, tzinfo=UTC),
    updated_at=datetime(2026, 3, 6, 10, 15, 0, 250_000, UTC),
    account=Reference(kind="domain", value="norrland.example"),
    contacts=(person("mika.aho@norrland.example"),),
    thread="4712",
    subject="Walk through the offer",
)


@pytest.fixture
def changed(payload: Callable[[str], bytes]) -> Callable[..., bytes]:
    """A golden payload with some of the record's or the webhook's fields replaced."""

    def build(name: str, record: dict[str, Any], **meta: Any) -> bytes:
        content = json.loads(payload(f"pipedrive/{name}.json"))
        part = next(part for part in ("current", "data") if content.get(part))
        return json.dumps(content | {"meta": content["meta"] | meta, part: content[part] | record}).encode()

    return build


def only(body: bytes) -> Told:
    [told] = ADAPTER.read(body, OPTIONS).told
    return told


def test_a_call_that_is_done_is_told(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("pipedrive/v1_call_done.json"), OPTIONS)
    assert list(reading.told) == [CALL]
    assert not reading.unread


def test_one_delivered_twice_is_one(changed: Callable[..., bytes], payload: Callable[[str], bytes]) -> None:
    assert only(payload("pipedrive/v1_call_done.json")) == only(changed("v1_call_done", {}, webhook_id="54321"))


@pytest.mark.parametrize("body", [{"done": False}, {"active_flag": False}])
def test_what_is_undone_or_deleted_is_told_as_a_note(changed: Callable[..., bytes], body: dict[str, Any]) -> None:
    note = only(changed("v1_call_done", body))
    assert note == replace(CALL, type="note", direction=None, occurred_at=CALL.updated_at, subject=None)


def test_a_deletion_takes_back_the_call_that_was_told(payload: Callable[[str], bytes]) -> None:
    before, after = (only(payload(f"pipedrive/{name}.json")) for name in ("v1_call_done", "v1_deleted"))
    assert (after.type, after.external_id, after.account) == ("note", before.external_id, before.account)
    assert revision_of(None, after.updated_at) > revision_of(None, before.updated_at)


def test_a_call_entered_afterwards_took_place_when_it_was_due(changed: Callable[..., bytes]) -> None:
    entered = {"add_time": "2026-03-10 08:00:00", "due_time": "15:30"}
    assert only(changed("v1_call_done", entered)).occurred_at == datetime(2026, 3, 9, 15, 30, tzinfo=UTC)


def test_an_email_that_is_done_is_sent(changed: Callable[..., bytes]) -> None:
    told = only(changed("v1_call_done", {"type": "email"}))
    assert (told.type, told.direction, told.outcome) == ("email", "outbound", "sent")


def test_a_meeting_with_guests_is_an_invitation(payload: Callable[[str], bytes]) -> None:
    assert only(payload("pipedrive/v2_meeting_planned.json")) == PLANNED


def test_a_guests_answer_and_a_meeting_done_follow_each_other(changed: Callable[..., bytes]) -> None:
    guest = {"email": "mika.aho@norrland.example", "status": "declined", "user_id": None}
    answered = only(changed("v2_meeting_planned", {"attendees": [guest]}, timestamp="2026-03-07T08:00:00.000Z"))
    at = datetime(2026, 3, 7, 8, tzinfo=UTC)
    assert answered == replace(PLANNED, outcome="declined", occurred_at=at, updated_at=at)
    done = {"done": True, "marked_as_done_time": "2026-03-12T15:00:00Z"}
    held = only(changed("v2_meeting_planned", done, action="change", timestamp="2026-03-12T15:00:00.000Z"))
    at = datetime(2026, 3, 12, 15, tzinfo=UTC)
    assert held == replace(PLANNED, outcome="held", occurred_at=PLANNED.starts_at, updated_at=at)


def test_a_meeting_moved_keeps_its_identity_and_has_the_new_start(changed: Callable[..., bytes]) -> None:
    moved = only(changed("v2_meeting_planned", {"due_date": "2026-03-19"}))
    assert moved == replace(PLANNED, starts_at=datetime(2026, 3, 19, 13, 30, tzinfo=UTC))


def test_a_planned_meeting_that_asks_nobody_is_a_note(changed: Callable[..., bytes]) -> None:
    told = only(changed("v2_meeting_planned", {"attendees": [], "org_id": 88}))
    assert (told.type, told.outcome, told.starts_at, told.account) == ("note", None, None, numbered("88"))


def test_version_2_tells_the_last_state_of_what_is_deleted(payload: Callable[[str], bytes]) -> None:
    content = json.loads(payload("pipedrive/v2_meeting_planned.json"))
    deleted = {"meta": content["meta"] | {"action": "delete"}, "data": None, "previous": content["data"]}
    assert only(json.dumps(deleted).encode()).type == "note"


@pytest.mark.parametrize(
    ("record", "meta", "code"),
    [
        ({}, {"object": "deal"}, "no-activity"),
        ({"type": "task"}, {}, "no-contact"),
        ({"org_id": None}, {}, "without-client"),
        ({"id": "x"}, {}, "malformed-record"),
        ({"due_date": "soon"}, {}, "malformed-record"),
        ({}, {"timestamp": None, "timestamp_micro": None}, "malformed-record"),
        ({}, {"timestamp_micro": 10**25}, "malformed-record"),
    ],
)
def test_what_is_odd_or_no_contact_is_unread(
    changed: Callable[..., bytes], record: dict[str, Any], meta: dict[str, Any], code: str
) -> None:
    reading = ADAPTER.read(changed("v1_call_done", record, **meta), OPTIONS)
    assert not reading.told
    assert [unread.code for unread in reading.unread] == [code]


def test_a_deal_is_no_activity_and_a_webhook_without_a_record_needs_fetching(payload: Callable[[str], bytes]) -> None:
    deal = ADAPTER.read(payload("pipedrive/v2_deal.json"), OPTIONS)
    empty = ADAPTER.read(b'{"meta": {"entity": "activity"}}', OPTIONS)
    assert [unread.code for unread in (*deal.unread, *empty.unread)] == ["no-activity", "needs-fetch"]


def test_user_and_password_prove_a_webhook(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.prove is not None
    basic = b64encode(b"pipedrive:s3cret").decode()
    proofs = [
        ADAPTER.prove(delivered(b"{}", authorization=f"Basic {basic}"), s) for s in (["x:y", "pipedrive:s3cret"],)
    ]
    assert [type(proof) for proof in proofs] == [Proof]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({}, Forgery.MISSING),
        ({"authorization": "Bearer x"}, Forgery.MISSING),
        ({"authorization": "Basic "}, Forgery.MISSING),
        ({"authorization": "Basic %%%"}, Forgery.WRONG),
        ({"authorization": "Basic /w=="}, Forgery.WRONG),
        ({"authorization": f"Basic {b64encode(b'pipedrive:guess').decode()}"}, Forgery.WRONG),
    ],
)
def test_without_them_a_webhook_is_forged(
    delivered: Callable[..., Delivery], header: dict[str, str], expected: Forgery
) -> None:
    assert ADAPTER.prove is not None
    assert ADAPTER.prove(delivered(b"{}", **header), ["pipedrive:s3cret"]) is expected


def test_pipedrive_expects_200() -> None:
    assert ADAPTER.greeting == Greeting(200)
