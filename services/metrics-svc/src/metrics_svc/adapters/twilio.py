"""Twilio: status callbacks of calls, as forms or JSON. A call is told when it is over.

A callback names no account: the number of the client's side does (see ``records.by_phone``). The proof is
``X-Twilio-Signature``, an HMAC-SHA1 with the account's auth token, whose retries are signed alike; a callback that says
when it was sent has to be fresh.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from hmac import compare_digest, digest
from urllib.parse import parse_qs, parse_qsl, urlsplit

from msgspec import Struct

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.records import Untold, by_phone, each, phone, records
from metrics_svc.inbound.rules import TOLERANCE, Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading
from metrics_svc.intake.rules import Told

_OUTCOMES = {"completed": "connected", "busy": "busy", "no-answer": "no-answer", "canceled": "no-answer"}


class _Callback(Struct, rename="pascal"):
    call_sid: str
    call_status: str = ""
    direction: str = ""
    from_: str = ""
    to: str = ""
    timestamp: str = ""
    sequence_number: str | int = 0
    call_duration: str | int = 0
    answered_by: str = ""


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether one of ``secrets`` signed the address and the form, or the address with the hash of another body.

    Source: Twilio's "Validating requests". The address may have been signed with or without its default port.
    """
    given = delivery.headers.get("x-twilio-signature")
    if not given:
        return Forgery.MISSING
    hashed = delivery.query.get("bodySHA256")
    fields = "" if hashed else _signed(_form(delivery.body))
    if hashed and not compare_digest(hashed.lower().encode(), sha256(delivery.body).hexdigest().encode()):
        return Forgery.WRONG
    expected = [_sign(secret, address + fields) for secret in secrets for address in _addresses(delivery.url)]
    if not any(compare_digest(given.encode(), sign) for sign in expected):
        return Forgery.WRONG
    sent_at = _sent_at(_form(delivery.body).get("Timestamp", [""])[0])
    if sent_at is not None and abs(delivery.received_at - sent_at) > TOLERANCE:
        return Forgery.OLD
    return Proof(given, repeatable=True)


def _form(body: bytes) -> Mapping[str, list[str]]:
    try:
        return parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    except ValueError:
        return {}


def _signed(form: Mapping[str, list[str]]) -> str:
    return "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))


def _addresses(url: str) -> set[str]:
    """The address as it is, and with its default port left out or put in."""
    parts = urlsplit(url)
    port = ":80" if parts.scheme == "http" else ":443"
    bare = parts.netloc.removesuffix(port)
    return {url, parts._replace(netloc=bare if bare != parts.netloc else bare + port).geturl()}


def _sign(secret: str, text: str) -> bytes:
    return b64encode(digest(secret.encode(), text.encode(), "sha1"))


def _sent_at(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read(body: bytes, options: Options) -> Reading:
    """The call that a callback tells of."""
    found = records(body) if body.lstrip()[:1] in {b"{", b"["} else [("", dict(parse_qsl(body.decode())))]
    return each(found, _Callback, lambda callback: _told(callback, options))


def _told(callback: _Callback, options: Options) -> Iterator[Told]:
    outcome, sent_at = _OUTCOMES.get(callback.call_status), _sent_at(callback.timestamp)
    if outcome is None:
        raise Untold("not-over", "The call is not over, or failed before it rang.", "/CallStatus")
    if sent_at is None:
        raise Untold("malformed-record", "The callback does not say when it was sent.", "/Timestamp")
    inbound = callback.direction == "inbound"
    if not inbound and not callback.direction.startswith("outbound"):
        raise Untold("malformed-record", "A call is inbound or outbound.", "/Direction")
    number = phone(callback.from_ if inbound else callback.to)
    if number is None:
        raise Untold("without-client", "The client's side has no number.", "/From" if inbound else "/To")
    duration = _whole(callback.call_duration, "/CallDuration")
    machine = outcome == "connected" and callback.answered_by.startswith(("machine", "fax"))
    yield Told(
        source=options.source,
        external_id=callback.call_sid,
        type="call",
        direction="inbound" if inbound else "outbound",
        outcome="voicemail" if machine else outcome,
        occurred_at=sent_at - timedelta(seconds=duration),
        revision=_whole(callback.sequence_number, "/SequenceNumber"),
        account=by_phone(number),
        contacts=(Reference(kind="external", source="phone", value=number),),
        attributes={"duration_s": duration},
    )


def _whole(value: str | int, pointer: str) -> int:
    try:
        number = int(value)
    except ValueError as error:
        raise Untold("malformed-record", "A number is not written as one.", pointer) from error
    if not 0 <= number < 1_000_000:
        raise Untold("malformed-record", "A number is out of range.", pointer)
    return number


ADAPTER = Adapter(name="twilio", title="Twilio", prove=prove, read=read, greeting=Greeting(204))
