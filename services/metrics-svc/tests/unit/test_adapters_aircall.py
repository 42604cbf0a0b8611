"""Aircall's call webhooks."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.aircall import ADAPTER
from metrics_svc.adapters.records import by_phone, person
from metrics_svc.inbound.rules import Delivery, Forgery, Greeting, Options, Proof
from metrics_svc.intake.rules import Told

OPTIONS = Options(source="aircall", own_domains=frozenset({"ours.example"}))
TOKEN = "45f0c1d2e3a4b596"
CONNECTED = Told(
    source="aircall",
    external_id="812345678",
    type="call",
    direction="outbound",
    outcome="connected",
    occurred_at=datetime(2026, 3, 9, 15, tzinfo=UTC),
    updated_at=datetime(2026, 3, 9, 15, 5, tzinfo=UTC),
    revision=2 * 1773068700,
    account=Reference(kind="domain", value="norrland.example"),
    contacts=(person("mika.aho@norrland.example"),),
    owner="ines.duarte@ours.example",
    attributes={"duration_s": 260, "missed_call_reason": None},
)


@pytest.fixture
def changed(payload: Callable[[str], bytes]) -> Callable[..., bytes]:
    """A golden payload with some of the call's or the webhook's fields replaced."""

    def build(name: str, call: dict[str, Any], **webhook: Any) -> bytes:
        content = json.loads(payload(f"aircall/{name}.json"))
        return json.dumps(content | webhook | {"data": content["data"] | call}).encode()

    return build


def test_a_call_that_ended_is_told(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("aircall/ended.json"), OPTIONS)
    assert list(reading.told) == [CONNECTED]
    assert not reading.unread


def test_a_voicemail_of_a_stranger_is_told_under_the_number(payload: Callable[[str], bytes]) -> None:
    voicemail = Told(
        source="aircall",
        external_id="812345679",
        type="call",
        direction="inbound",
        outcome="voicemail",
        occurred_at=datetime(2026, 3, 9, 15, 10, tzinfo=UTC),
        updated_at=datetime(2026, 3, 9, 15, 11, tzinfo=UTC),
        revision=2 * 1773069060 + 1,
        account=by_phone("+46705550102"),
        contacts=(Reference(kind="external", source="phone", value="+46705550102"),),
        attributes={"duration_s": 55, "missed_call_reason": "no_available_agent"},
    )
    assert list(ADAPTER.read(payload("aircall/voicemail_left.json"), OPTIONS).told) == [voicemail]


def test_a_call_that_nobody_answered(changed: Callable[..., bytes]) -> None:
    [told] = ADAPTER.read(changed("ended", {"answered_at": None}), OPTIONS).told
    assert told == replace(CONNECTED, outcome="no-answer")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("created", "not-over"),
        ("number_opened", "no-call"),
    ],
)
def test_what_is_not_over_or_no_call_is_unread(payload: Callable[[str], bytes], body: str, code: str) -> None:
    reading = ADAPTER.read(payload(f"aircall/{body}.json"), OPTIONS)
    assert not reading.told
    assert [unread.code for unread in reading.unread] == [code]


@pytest.mark.parametrize(
    ("call", "code", "pointer"),
    [
        ({"contact": None, "raw_digits": "anonymous"}, "without-client", "/data/raw_digits"),
        ({"direction": "sideways"}, "malformed-record", "/data/direction"),
        ({"started_at": 10**30}, "malformed-record", "/data/started_at"),
        ({"started_at": 10**15}, "malformed-record", "/data/started_at"),
        ({"id": "x"}, "malformed-record", ""),
    ],
)
def test_an_odd_call_is_unread(changed: Callable[..., bytes], call: dict[str, Any], code: str, pointer: str) -> None:
    reading = ADAPTER.read(changed("ended", call), OPTIONS)
    assert not reading.told
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [(code, pointer)]


def test_a_later_webhook_is_a_later_revision_and_of_one_second_the_one_with_the_voicemail(
    changed: Callable[..., bytes],
) -> None:
    bodies = [
        changed("ended", {"answered_at": None}, event="call.hungup", timestamp=1773068670),
        changed("ended", {"answered_at": None}, timestamp=1773068700),
        changed("ended", {"answered_at": None, "voicemail": "https://x.example/1"}, timestamp=1773068700),
        changed("ended", {"answered_at": None}, event="call.tagged", timestamp=1773068701),
    ]
    told = [ADAPTER.read(body, OPTIONS).told[0] for body in bodies]
    assert {item.external_id for item in told} == {"812345678"}
    revisions = [item.revision or 0 for item in told]
    assert revisions == sorted(set(revisions))


def test_the_token_in_the_body_proves_a_webhook(
    delivered: Callable[..., Delivery], payload: Callable[[str], bytes]
) -> None:
    assert ADAPTER.prove is not None
    delivery = delivered(payload("aircall/ended.json"))
    assert ADAPTER.prove(delivery, ["newer", TOKEN]) == ADAPTER.prove(delivery, [TOKEN])
    assert isinstance(ADAPTER.prove(delivery, [TOKEN]), Proof)
    assert ADAPTER.prove(delivery, ["another"]) is Forgery.WRONG


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", Forgery.MISSING),
        (b"", Forgery.MISSING),
        (b'{"token": 1}', Forgery.MISSING),
        (b'[{"token": "45f0c1d2e3a4b596"}, {"token": "forged"}]', Forgery.MISSING),
        (b'{"token": "forged"}', Forgery.WRONG),
    ],
)
def test_a_webhook_without_the_token_is_forged(
    delivered: Callable[..., Delivery], body: bytes, expected: Forgery
) -> None:
    assert ADAPTER.prove is not None
    assert ADAPTER.prove(delivered(body), [TOKEN]) is expected


def test_aircall_expects_200() -> None:
    assert ADAPTER.greeting == Greeting(200)
