"""Google Calendar's events and push notifications."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.google_calendar import ADAPTER
from metrics_svc.adapters.records import person
from metrics_svc.inbound.rules import Delivery, Forgery, Greeting, Options, Proof
from metrics_svc.intake.rules import Told

OPTIONS = Options(source="calendar", own_domains=frozenset({"ours.example"}))
EVENT = Told(
    source="calendar",
    external_id="5k2v0q8m1r7t3b6n9c4d@google.com/brightwater.example",
    type="meeting",
    outcome="accepted",
    occurred_at=datetime(2026, 3, 2, 15, 40, 12, 400_000, UTC),
    starts_at=datetime(2026, 3, 10, 13, tzinfo=UTC),
    updated_at=datetime(2026, 3, 2, 15, 40, 12, 400_000, UTC),
    account=Reference(kind="domain", value="brightwater.example"),
    contacts=(person("runa.voss@brightwater.example"),),
    owner="ines.duarte@ours.example",
    thread="5k2v0q8m1r7t3b6n9c4d@google.com",
    subject="Review of the spring programme",
)


def test_an_event_is_a_meeting_with_each_client_company(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("google_calendar/event.json"), OPTIONS)
    other = replace(
        EVENT,
        external_id="5k2v0q8m1r7t3b6n9c4d@google.com/norrland.example",
        outcome="invited",
        occurred_at=datetime(2026, 2, 24, 9, 12, 31, tzinfo=UTC),
        account=Reference(kind="domain", value="norrland.example"),
        contacts=(person("mika.aho@norrland.example"),),
    )
    assert list(reading.told) == [EVENT, other]
    assert not reading.unread


def test_of_a_list_occurrences_and_cancellations_are_told_and_the_rest_is_unread(
    payload: Callable[[str], bytes],
) -> None:
    reading = ADAPTER.read(payload("google_calendar/events.json"), OPTIONS)
    declined = Told(
        source="calendar",
        external_id="1a2b3c4d5e@google.com/2026-03-11T09:00:00Z/norrland.example",
        type="meeting",
        outcome="declined",
        occurred_at=datetime(2026, 3, 11, 9, tzinfo=UTC),
        starts_at=datetime(2026, 3, 11, 9, tzinfo=UTC),
        updated_at=datetime(2026, 3, 20, 8, 30, tzinfo=UTC),
        account=Reference(kind="domain", value="norrland.example"),
        contacts=(person("mika.aho@norrland.example"),),
        owner="ines.duarte@ours.example",
        thread="1a2b3c4d5e@google.com/2026-03-11T09:00:00Z",
    )
    cancelled = Told(
        source="calendar",
        external_id="7h8i9j@google.com/brightwater.example",
        type="meeting",
        outcome="cancelled-by-client",
        occurred_at=datetime(2026, 3, 11, 16, tzinfo=UTC),
        starts_at=datetime(2026, 3, 12, tzinfo=UTC),
        updated_at=datetime(2026, 3, 11, 16, tzinfo=UTC),
        account=Reference(kind="domain", value="brightwater.example"),
        contacts=(person("runa.voss@brightwater.example"),),
        owner="ines.duarte@ours.example",
        thread="7h8i9j@google.com",
        subject="Site visit",
    )
    assert list(reading.told) == [declined, cancelled]
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [
        ("series", "/items/2"),
        ("needs-fetch", "/items/3"),
        ("unknown-time-zone", "/items/4/start/timeZone"),
    ]


def test_a_push_notification_says_only_that_something_changed() -> None:
    reading = ADAPTER.read(b"", OPTIONS)
    assert not reading.told
    assert [unread.code for unread in reading.unread] == ["needs-fetch"]


def test_a_channel_that_opens_is_greeted_and_nothing_else_is(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.hello(delivered(x_goog_resource_state="sync")) == Greeting()
    assert ADAPTER.hello(delivered(x_goog_resource_state="exists")) is None
    assert ADAPTER.hello(delivered(b"{}", x_goog_resource_state="sync")) is None


def test_the_channel_token_proves_a_delivery(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.prove is not None
    assert ADAPTER.prove(delivered(b"{}"), ["token"]) is Forgery.MISSING
    assert ADAPTER.prove(delivered(b"{}", x_goog_channel_token="tokem"), ["token"]) is Forgery.WRONG
    posted = ADAPTER.prove(delivered(b"{}", x_goog_channel_token="token"), ["newer", "token"])
    again = ADAPTER.prove(delivered(b"{}", x_goog_channel_token="token"), ["newer", "token"])
    other = ADAPTER.prove(delivered(b"[]", x_goog_channel_token="token"), ["newer", "token"])
    assert isinstance(posted, Proof)
    assert posted == again != other
    assert posted.repeatable


def test_notifications_without_a_body_are_told_apart_by_their_number(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.prove is not None
    named = {"x_goog_channel_token": "token", "x_goog_channel_id": "channel-1"}
    first, second = (ADAPTER.prove(delivered(**named, x_goog_message_number=n), ["token"]) for n in ("1", "2"))
    assert first == Proof("channel-1/1", repeatable=True)
    assert second == Proof("channel-1/2", repeatable=True)
