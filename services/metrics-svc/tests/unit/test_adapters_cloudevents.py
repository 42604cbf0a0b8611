"""CloudEvents that carry activities in our own words, signed as Standard Webhooks."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError
from standardwebhooks.webhooks import Webhook

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.cloudevents import prove, read
from metrics_svc.inbound.rules import Delivery, Forgery, Options, Proof
from metrics_svc.intake.rules import Told

Delivered = Callable[..., Delivery]

OPTIONS = Options(source="crm")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CALL = {
    "external_id": "call-1",
    "type": "call",
    "direction": "outbound",
    "outcome": "no-answer",
    "occurred_at": "2026-03-09T11:15:00+01:00",
    "account": {"domain": "Norrland.example"},
    "contacts": [{"email": "Lena@norrland.example"}],
    "owner": {"email": "ana@ours.example"},
    "amount": "12.50",
    "currency": "EUR",
}
EVENT = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "call.logged", "time": "2026-03-09T10:00:00Z"}


def event(**data: Any) -> dict[str, Any]:
    return EVENT | {"data": CALL | data}


def body(*events: object) -> bytes:
    return json.dumps(list(events) if len(events) > 1 else events[0]).encode()


def test_an_event_tells_what_its_data_says() -> None:
    [told] = read(body(event()), OPTIONS).told
    assert (told.source, told.external_id, told.type, told.outcome) == ("crm", "call-1", "call", "no-answer")
    assert told.account == Reference(kind="domain", value="norrland.example")
    assert told.contacts == (Reference(kind="email", value="lena@norrland.example"),)
    assert (told.occurred_at, str(told.amount)) == (datetime(2026, 3, 9, 10, 15, tzinfo=UTC), "12.50")


def test_an_event_lends_its_id_and_time() -> None:
    data = {name: value for name, value in CALL.items() if name not in {"external_id", "occurred_at"}}
    [told] = read(body(EVENT | {"data": data}), OPTIONS).told
    assert ("e-1", datetime(2026, 3, 9, 10, tzinfo=UTC)) == (told.external_id, told.occurred_at)


def test_in_a_batch_a_bad_event_spoils_no_other() -> None:
    reading = read(body(event(), {"specversion": "0.3"}, EVENT, event(type=7), event(source="erp"), event()), OPTIONS)
    assert len(reading.told) == 2
    assert [(part.code, part.pointer) for part in reading.unread] == [
        ("no-cloudevent", "/1"),
        ("no-data", "/2/data"),
        ("validation-failed", "/3/data/type"),
        ("another-source", "/4/data/source"),
    ]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"account": {}}, "/account"),
        ({"account": {"domain": "a.example", "id": "01890000-0000-7000-8000-000000000017"}}, "/account"),
        ({"account": {"email": "a@a.example"}}, "/account"),
        ({"contacts": [{"domain": "a.example"}]}, "/contacts/0"),
        ({"contacts": [{"source": "crm"}]}, "/contacts/0"),
        ({"occurred_at": "2026-03-09T11:15:00"}, "/occurred_at"),
        ({"amount": 12.5}, "/amount"),
        ({"unheard_of": 1}, ""),
    ],
)
def test_data_that_means_nothing_is_unread_with_its_place(changed: dict[str, Any], pointer: str) -> None:
    [part] = read(body(event(**changed)), OPTIONS).unread
    assert (part.code, part.pointer) == ("validation-failed", f"/0/data{pointer}")


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_read_or_refused(garbage: bytes) -> None:
    with suppress(ValueError, DecodeError):
        assert all(isinstance(told, Told) for told in read(garbage, OPTIONS).told)


def signed(delivered: Delivered, *, secret: str = SECRET, ago: timedelta = timedelta()) -> Delivery:
    delivery = delivered(body(event()))
    at = delivery.received_at - ago
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1,bm90IGl0 " + Webhook(secret).sign("msg_1", at, delivery.body.decode()),
    }
    return replace(delivery, headers=headers)


def test_what_a_live_secret_signed_is_believed_and_named(delivered: Delivered) -> None:
    assert prove(signed(delivered), ["another-secret", SECRET]) == Proof("msg_1", repeatable=True)


def test_what_is_forged_old_or_not_signed_is_not_believed(delivered: Delivered) -> None:
    good = signed(delivered)
    assert prove(delivered(b"{}"), [SECRET]) is Forgery.MISSING
    assert prove(good, ["whsec_bm90IGl0"]) is Forgery.WRONG
    assert prove(replace(good, body=good.body + b" "), [SECRET]) is Forgery.WRONG
    assert prove(replace(good, body=b"\xff"), [SECRET]) is Forgery.WRONG
    assert prove(replace(good, headers=good.headers | {"webhook-timestamp": "soon"}), [SECRET]) is Forgery.WRONG
    assert prove(signed(delivered, ago=timedelta(minutes=6)), [SECRET]) is Forgery.OLD
