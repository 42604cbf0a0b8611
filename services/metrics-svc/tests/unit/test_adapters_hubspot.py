"""HubSpot's records, engagements and webhook events, and its signature."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hmac import digest
from typing import Any

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.hubspot import ADAPTER, prove, read
from metrics_svc.inbound.rules import Delivery, Forgery, Options, Proof
from metrics_svc.intake.rules import Told

Payload = Callable[[str], bytes]
Delivered = Callable[..., Delivery]

OPTIONS = Options(source="hubspot", own_domains=frozenset({"ours.example"}))
AT, CHANGED = datetime(2026, 3, 9, 10, 15, tzinfo=UTC), datetime(2026, 3, 9, 10, 20, tzinfo=UTC)
COMPANY = Reference(kind="external", source="hubspot", value="901")
LENA = Reference(kind="email", value="lena@norrland.example")
SECRET = "client-secret-of-the-app"


def told(external_id: str, type_: str, **more: Any) -> Told:
    given = {"account": COMPANY, "contacts": (Reference(kind="external", source="hubspot", value="501"),)} | more
    given = {"occurred_at": AT, "updated_at": CHANGED} | given
    return Told(source="hubspot", external_id=external_id, type=type_, **given)


def test_records_become_what_happened(payload: Payload) -> None:
    reading = read(payload("hubspot/objects.json"), OPTIONS)
    by_mail = {"account": Reference(kind="domain", value="norrland.example"), "contacts": (LENA,)}
    starts_at = AT - timedelta(hours=1, minutes=15)
    assert reading.told == [
        told("call-7001", "call", direction="outbound", outcome="voicemail", subject="Renewal"),
        told("email-7002", "email", direction="inbound", outcome="sent", subject="Re: offer", **by_mail),
        told(
            "meeting-7003", "meeting", outcome="no-show", subject="Review", starts_at=starts_at, occurred_at=starts_at
        ),
        told("note-7004", "note"),
        told("call-7006", "note", occurred_at=CHANGED),
    ]
    assert [(part.code, part.pointer) for part in reading.unread] == [("no-activity", "/results/4")]


def test_an_engagement_of_version_1_has_the_same_name(payload: Payload) -> None:
    [found] = read(payload("hubspot/engagement.json"), OPTIONS).told
    domain = Reference(kind="domain", value="norrland.example")
    mail = {"account": domain, "contacts": (LENA,), "owner": "ana@ours.example", "subject": "Offer"}
    assert found == told("email-8001", "email", direction="outbound", outcome="bounced", **mail)


def test_webhook_events_name_what_has_to_be_fetched(payload: Payload) -> None:
    reading = read(payload("hubspot/webhook.json"), OPTIONS)
    assert reading.told == []
    assert [(part.code, part.pointer) for part in reading.unread] == [("needs-fetch", "/0"), ("needs-fetch", "/1")]


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("SCHEDULED", "invited"),
        ("COMPLETED", "held"),
        ("CANCELED", "cancelled-by-us"),
        ("RESCHEDULED", "rescheduled-by-us"),
        ("of our own making", "invited"),
    ],
)
def test_a_meeting_says_how_it_stands(payload: Payload, outcome: str, word: str) -> None:
    record = json.loads(payload("hubspot/objects.json"))["results"][2]
    record["properties"]["hs_meeting_outcome"] = outcome
    [found] = read(json.dumps(record).encode(), OPTIONS).told
    assert found.outcome == word


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"id": 1, "properties": {"hs_call_title": "x"}}, "malformed-record"),
        ({"id": 1, "properties": {"hs_call_title": "x", "hs_timestamp": "soon"}}, "malformed-record"),
        ({"id": 1, "properties": {"hs_call_title": "x", "hs_timestamp": "9" * 30}}, "malformed-record"),
        ({"id": 1, "properties": {"hs_call_title": "x", "hs_timestamp": "1773051300000"}}, "no-account"),
        ({"id": 1}, "malformed-record"),
        ({"engagement": {"id": 1, "type": "TASK"}}, "no-activity"),
        (7, "malformed-record"),
    ],
)
def test_a_record_that_says_nothing_is_unread(record: object, code: str) -> None:
    reading = read(json.dumps([record]).encode(), OPTIONS)
    assert ([], [code]) == (reading.told, [part.code for part in reading.unread])


def signed(delivered: Delivered, *, secret: str = SECRET, ago: timedelta = timedelta(), **more: Any) -> Delivery:
    delivery = delivered(b'{"a": 1}', **more)
    timestamp = str(int((delivery.received_at - ago).timestamp() * 1_000))
    url = delivery.url.replace("%3A", ":")
    made = digest(secret.encode(), f"{delivery.method}{url}".encode() + delivery.body + timestamp.encode(), "sha256")
    headers = {"x-hubspot-signature-v3": b64encode(made).decode(), "x-hubspot-request-timestamp": timestamp}
    return Delivery(
        method=delivery.method,
        url=delivery.url,
        query=delivery.query,
        headers=headers,
        body=delivery.body,
        received_at=delivery.received_at,
    )


def test_what_either_live_secret_signed_is_believed(delivered: Delivered) -> None:
    first = prove(signed(delivered), [SECRET])
    assert isinstance(first, Proof)
    assert first.repeatable is False
    assert first == prove(signed(delivered), ["another", SECRET])
    assert first != prove(signed(delivered, ago=timedelta(seconds=1)), [SECRET])


def test_an_escaped_address_is_signed_unescaped(delivered: Delivered) -> None:
    assert isinstance(prove(signed(delivered, url="https://ours.example/x?a=b%3Ac"), [SECRET]), Proof)


def test_what_is_forged_old_or_not_signed_is_not_believed(delivered: Delivered) -> None:
    assert prove(delivered(b"{}"), [SECRET]) is Forgery.MISSING
    assert prove(signed(delivered, secret="guessed"), [SECRET]) is Forgery.WRONG
    assert prove(signed(delivered), []) is Forgery.WRONG
    assert prove(signed(delivered, ago=timedelta(minutes=6)), [SECRET]) is Forgery.OLD
    assert prove(signed(delivered, ago=-timedelta(minutes=6)), [SECRET]) is Forgery.OLD


def test_hubspot_gets_its_200() -> None:
    assert ADAPTER.greeting.status == 200
