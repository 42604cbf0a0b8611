"""Microsoft Graph's events, messages and change notifications."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.msgraph import ADAPTER
from metrics_svc.adapters.records import person
from metrics_svc.inbound.rules import Delivery, Forgery, Greeting, Options, Proof
from metrics_svc.intake.rules import Told

OPTIONS = Options(source="outlook", own_domains=frozenset({"ours.example"}))
UID = "040000008200E00074C5B7101A82E00800000000D0C4B1A8F0A2DC01"
EVENT = Told(
    source="outlook",
    external_id=f"{UID}/brightwater.example",
    type="meeting",
    outcome="accepted",
    occurred_at=datetime(2026, 2, 21, 10, tzinfo=UTC),
    starts_at=datetime(2026, 3, 12, 8, 30, tzinfo=UTC),
    updated_at=datetime(2026, 3, 3, 12, 0, 5, 765_432, UTC),
    account=Reference(kind="domain", value="brightwater.example"),
    contacts=(person("runa.voss@brightwater.example"),),
    owner="ines.duarte@ours.example",
    thread=UID,
    subject="Renewal of the framework agreement",
)
SENT = Told(
    source="outlook",
    external_id="<AM9PR01MB1@ours.example>/brightwater.example",
    type="email",
    direction="outbound",
    outcome="sent",
    occurred_at=datetime(2026, 3, 4, 8, tzinfo=UTC),
    updated_at=datetime(2026, 3, 4, 8, 0, 9, tzinfo=UTC),
    account=Reference(kind="domain", value="brightwater.example"),
    contacts=(person("runa.voss@brightwater.example"), person("otto.lind@brightwater.example")),
    owner="ines.duarte@ours.example",
    asks_reply=True,
    thread="AAQkAGUyConversation1=",
    subject="Prices for April",
)
STATE = "a-state-of-our-own"


def test_an_event_is_a_meeting_with_each_client_company(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("msgraph/event.json"), OPTIONS)
    tentative = replace(
        EVENT,
        external_id=f"{UID}/norrland.example",
        outcome="tentative",
        occurred_at=datetime(2026, 2, 22, 10, tzinfo=UTC),
        account=Reference(kind="domain", value="norrland.example"),
        contacts=(person("mika.aho@norrland.example"),),
    )
    silent = replace(
        EVENT,
        external_id=f"{UID}/kvarn.example",
        outcome="invited",
        occurred_at=datetime(2026, 2, 20, 8, 11, 2, 123_456, UTC),
        account=Reference(kind="domain", value="kvarn.example"),
        contacts=(person("petra.sund@kvarn.example"),),
    )
    assert list(reading.told) == [EVENT, tentative, silent]
    assert not reading.unread


def test_a_client_cancels_its_own_meeting_and_only_the_organizers_copy_tells_of_guests(
    payload: Callable[[str], bytes],
) -> None:
    reading = ADAPTER.read(payload("msgraph/events.json"), OPTIONS)
    assert [(t.external_id, t.type, t.outcome, t.occurred_at, t.starts_at) for t in reading.told] == [
        (
            "040000008200E0000001/brightwater.example",
            "meeting",
            "cancelled-by-client",
            datetime(2026, 3, 11, 20, tzinfo=UTC),
            datetime(2026, 3, 12, 14, tzinfo=UTC),
        ),
        ("040000008200E0000002/brightwater.example", "note", None, datetime(2026, 3, 2, 20, tzinfo=UTC), None),
    ]
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("guest-copy", "/value/2"),
        ("series", "/value/3"),
        ("unknown-time-zone", "/value/4/start/timeZone"),
    ]


def test_messages_are_emails_to_and_from_each_client_company(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("msgraph/messages.json"), OPTIONS)
    copied = replace(
        SENT,
        external_id="<AM9PR01MB1@ours.example>/norrland.example",
        account=Reference(kind="domain", value="norrland.example"),
        contacts=(person("mika.aho@norrland.example"),),
    )
    answer = Told(
        source="outlook",
        external_id="<reply-17@brightwater.example>/brightwater.example",
        type="email",
        direction="inbound",
        occurred_at=datetime(2026, 3, 4, 11, 30, tzinfo=UTC),
        updated_at=datetime(2026, 3, 4, 11, 30, 9, tzinfo=UTC),
        account=Reference(kind="domain", value="brightwater.example"),
        contacts=(person("runa.voss@brightwater.example"),),
        owner="ines.duarte@ours.example",
        thread="AAQkAGUyConversation1=",
        in_reply_to="<AM9PR01MB1@ours.example>/brightwater.example",
    )
    assert list(reading.told) == [SENT, copied, answer]
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("not-sent", "/value/2"),
        ("without-client", "/value/3"),
        ("without-us", "/value/4"),
    ]


def test_a_notification_is_unread_unless_it_carries_the_resource(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("msgraph/notifications.json"), OPTIONS)
    assert not reading.told
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("needs-fetch", "/value/0"),
        ("needs-renewal", "/value/1"),
    ]
    rich = {"value": [{"clientState": STATE, "resourceData": json.loads(payload("msgraph/event.json"))}]}
    assert ADAPTER.read(json.dumps(rich).encode(), OPTIONS).told[0] == EVENT


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("Validation: Testing client application 1/2+3=", b"Validation: Testing client application 1/2+3="),
        ("<script>alert(1)</script>", b"&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_a_validation_token_is_answered_in_plain_text(
    delivered: Callable[..., Delivery], token: str, expected: bytes
) -> None:
    assert ADAPTER.hello(delivered(query={"validationToken": token})) == Greeting(200, expected, "text/plain")
    assert ADAPTER.hello(delivered(query={"connection": "c-1"})) is None


@pytest.mark.parametrize("name", ["notifications", "event", "events", "messages"])
def test_the_client_state_proves_a_delivery(
    delivered: Callable[..., Delivery], payload: Callable[[str], bytes], name: str
) -> None:
    assert ADAPTER.prove is not None
    delivery = delivered(payload(f"msgraph/{name}.json"))
    assert isinstance(ADAPTER.prove(delivery, ["newer", STATE]), Proof)
    assert ADAPTER.prove(delivery, ["another"]) is Forgery.WRONG
    assert ADAPTER.prove(delivery, []) is Forgery.WRONG


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"value": [{"clientState": STATE}, {"clientState": "forged"}]}, Forgery.WRONG),
        ({"value": [{"clientState": STATE}, {}]}, Forgery.MISSING),
        ({"value": [{"clientState": "forged"}], "clientState": STATE}, Forgery.WRONG),
        ([{"clientState": STATE}, {}], Forgery.MISSING),
        ({"value": []}, Forgery.MISSING),
        ([], Forgery.MISSING),
        ({"value": [{"clientState": 1}]}, Forgery.MISSING),
        ({"clientState": STATE, "value": 3}, Proof),
        ([{"clientState": STATE}, {"clientState": STATE}], Proof),
    ],
)
def test_every_notification_of_a_batch_has_to_show_it(
    delivered: Callable[..., Delivery], body: object, expected: object
) -> None:
    assert ADAPTER.prove is not None
    found = ADAPTER.prove(delivered(json.dumps(body).encode()), [STATE])
    assert expected in (found, type(found))


def test_the_same_bytes_again_are_a_repetition(
    delivered: Callable[..., Delivery], payload: Callable[[str], bytes]
) -> None:
    assert ADAPTER.prove is not None
    first, again = (ADAPTER.prove(delivered(payload("msgraph/event.json")), [STATE]) for _ in range(2))
    assert first == again
    assert isinstance(first, Proof)
    assert first.repeatable


def test_graph_expects_202() -> None:
    assert ADAPTER.greeting == Greeting(202)
