"""Twilio's status callbacks and their signatures."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from urllib.parse import parse_qsl, urlencode

import pytest

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.records import by_phone
from metrics_svc.adapters.twilio import ADAPTER
from metrics_svc.inbound.rules import Delivery, Forgery, Greeting, Options, Proof
from metrics_svc.intake.rules import Told

OPTIONS = Options(source="twilio")
URL = "https://hooks.ours.example/v1/inbound/twilio?connection=c-1"
AUTH = "12345"
COMPLETED = Told(
    source="twilio",
    external_id="CA11111111111111111111111111111111",
    type="call",
    direction="outbound",
    outcome="connected",
    occurred_at=datetime(2026, 3, 10, 9, 5, tzinfo=UTC),
    revision=3,
    account=by_phone("+46855501234"),
    contacts=(Reference(kind="external", source="phone", value="+46855501234"),),
    attributes={"duration_s": 42},
)


def signed(body: bytes, *, url: str = URL, secret: str = AUTH) -> str:
    """The signature as Twilio's documentation makes it: the address, then each field's name and value by name."""
    fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    text = url + "".join(name + value for name, value in fields)
    return b64encode(digest(secret.encode(), text.encode(), "sha1")).decode()


def test_a_completed_call_is_told_with_its_start(payload: Callable[[str], bytes]) -> None:
    reading = ADAPTER.read(payload("twilio/completed.txt"), OPTIONS)
    assert list(reading.told) == [COMPLETED]
    assert not reading.unread


@pytest.mark.parametrize(
    ("name", "sid", "direction", "outcome", "number"),
    [
        ("machine", "CA2", "outbound", "voicemail", "+46855501234"),
        ("busy", "CA3", "outbound", "busy", "+46855501234"),
        ("inbound_missed", "CA4", "inbound", "no-answer", "+46705550102"),
    ],
)
def test_how_a_call_ended_and_who_the_client_is(
    payload: Callable[[str], bytes], name: str, sid: str, direction: str, outcome: str, number: str
) -> None:
    [told] = ADAPTER.read(payload(f"twilio/{name}.txt"), OPTIONS).told
    assert told.external_id.startswith(sid)
    assert (told.direction, told.outcome, told.account) == (direction, outcome, by_phone(number))


def test_a_number_stands_nowhere_as_text_but_in_what_becomes_a_hash(payload: Callable[[str], bytes]) -> None:
    [told] = ADAPTER.read(payload("twilio/completed.txt"), OPTIONS).told
    assert "46855501234" not in repr(replace(told, contacts=()))


def test_json_says_the_same_as_a_form(payload: Callable[[str], bytes]) -> None:
    fields = dict(parse_qsl(payload("twilio/completed.txt").decode()))
    content = "{" + ",".join(f'"{name}":"{value}"' for name, value in fields.items()) + "}"
    assert list(ADAPTER.read(content.encode(), OPTIONS).told) == [COMPLETED]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"CallStatus": "in-progress"}, "not-over", "/CallStatus"),
        ({"CallStatus": "failed"}, "not-over", "/CallStatus"),
        ({"Timestamp": "some day"}, "malformed-record", "/Timestamp"),
        ({"Direction": "sideways"}, "malformed-record", "/Direction"),
        ({"To": "client:ines"}, "without-client", "/To"),
        ({"Direction": "inbound", "From": "anonymous"}, "without-client", "/From"),
        ({"CallDuration": "long"}, "malformed-record", "/CallDuration"),
        ({"SequenceNumber": "-1"}, "malformed-record", "/SequenceNumber"),
        ({"CallSid": ""}, "malformed-record", ""),
    ],
)
def test_an_odd_or_unfinished_call_is_unread(
    payload: Callable[[str], bytes], changes: dict[str, str], code: str, pointer: str
) -> None:
    fields = dict(parse_qsl(payload("twilio/completed.txt").decode())) | changes
    reading = ADAPTER.read(urlencode(fields).encode(), OPTIONS)
    assert not reading.told
    assert [(unread.code, unread.pointer) for unread in reading.unread] == [(code, pointer)]


def test_a_call_that_rings_is_unread(payload: Callable[[str], bytes]) -> None:
    assert [unread.code for unread in ADAPTER.read(payload("twilio/ringing.txt"), OPTIONS).unread] == ["not-over"]


def test_the_example_of_twilios_documentation_is_signed_as_it_says(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.prove is not None
    body = urlencode(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+12349013030",
            "Digits": "1234",
            "From": "+12349013030",
            "To": "+18005551212",
        }
    ).encode()
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    signature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    proof = ADAPTER.prove(delivered(body, url=url, x_twilio_signature=signature), ["12345"])
    assert proof == Proof(signature, repeatable=True)


@pytest.mark.parametrize("name", ["completed", "machine", "busy", "inbound_missed", "ringing"])
def test_a_signed_callback_is_believed_and_its_retry_is_the_same(
    payload: Callable[[str], bytes], delivered: Callable[..., Delivery], name: str
) -> None:
    assert ADAPTER.prove is not None
    body = payload(f"twilio/{name}.txt")
    delivery = delivered(body, url=URL, x_twilio_signature=signed(body))
    assert ADAPTER.prove(delivery, ["newer", AUTH]) == Proof(signed(body), repeatable=True)


@pytest.mark.parametrize("signed_url", [URL, URL.replace(".example/", ".example:443/")])
@pytest.mark.parametrize("seen_url", [URL, URL.replace(".example/", ".example:443/")])
def test_the_default_port_may_stand_in_the_address_or_not(
    payload: Callable[[str], bytes], delivered: Callable[..., Delivery], signed_url: str, seen_url: str
) -> None:
    assert ADAPTER.prove is not None
    body = payload("twilio/completed.txt")
    signature = signed(body, url=signed_url)
    assert isinstance(ADAPTER.prove(delivered(body, url=seen_url, x_twilio_signature=signature), [AUTH]), Proof)


def test_a_callback_that_is_unsigned_forged_or_old_is_not_believed(
    payload: Callable[[str], bytes], delivered: Callable[..., Delivery]
) -> None:
    assert ADAPTER.prove is not None
    body = payload("twilio/completed.txt")
    signature, at = signed(body), datetime(2026, 3, 10, 9, 5, 42, tzinfo=UTC)
    assert ADAPTER.prove(delivered(body, url=URL), [AUTH]) is Forgery.MISSING
    assert ADAPTER.prove(delivered(body + b"0", url=URL, x_twilio_signature=signature), [AUTH]) is Forgery.WRONG
    assert ADAPTER.prove(delivered(body, url=URL + "2", x_twilio_signature=signature), [AUTH]) is Forgery.WRONG
    assert ADAPTER.prove(delivered(body, url=URL, x_twilio_signature=signature), ["other"]) is Forgery.WRONG
    assert ADAPTER.prove(delivered(body, url=URL, x_twilio_signature="ö"), [AUTH]) is Forgery.WRONG
    old = delivered(body, url=URL, at=at + timedelta(minutes=5, seconds=1), x_twilio_signature=signature)
    assert ADAPTER.prove(old, [AUTH]) is Forgery.OLD
    early = delivered(body, url=URL, at=at - timedelta(minutes=5), x_twilio_signature=signature)
    assert isinstance(ADAPTER.prove(early, [AUTH]), Proof)


def test_another_body_is_signed_by_its_hash_in_the_address(delivered: Callable[..., Delivery]) -> None:
    assert ADAPTER.prove is not None
    body = b'{"CallSid": "CA1"}'
    hashed = sha256(body).hexdigest()
    url = f"{URL}&bodySHA256={hashed}"
    given = {
        "url": url,
        "query": {"connection": "c-1", "bodySHA256": hashed},
        "x_twilio_signature": signed(b"", url=url),
    }
    assert isinstance(ADAPTER.prove(delivered(body, **given), [AUTH]), Proof)
    assert ADAPTER.prove(delivered(body + b" ", **given), [AUTH]) is Forgery.WRONG
    assert ADAPTER.prove(delivered(body, **given), ["other"]) is Forgery.WRONG


def test_twilio_expects_nothing_back() -> None:
    assert ADAPTER.greeting == Greeting(204)
