"""CloudEvents 1.0 in JSON, one or a batch, that carry activities in our own words; signed as Standard Webhooks.

An event without ``external_id`` or ``occurred_at`` in its data has its own ``id`` and ``time`` for them.
"""

import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from standardwebhooks.webhooks import Webhook

from metrics_svc.adapters import plain
from metrics_svc.inbound.rules import TOLERANCE, Adapter, Delivery, Forgery, Options, Proof, Reading, Unread
from metrics_svc.intake.rules import Told


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether one of ``secrets`` signed the delivery within five minutes of now; ``webhook-id`` names it."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    id_, timestamp, signatures = (delivery.headers.get(name, "") for name in names)
    if not (id_ and timestamp and signatures):
        return Forgery.MISSING
    try:
        sent_at = datetime.fromtimestamp(int(timestamp), UTC)
        expected = [_key(secret).sign(id_, sent_at, delivery.body.decode()) for secret in secrets]
    except (ValueError, OverflowError, OSError):
        return Forgery.WRONG
    given = signatures.encode().split()
    if not any(hmac.compare_digest(sign.encode(), one) for sign in expected for one in given):
        return Forgery.WRONG
    if abs(delivery.received_at - sent_at) > TOLERANCE:
        return Forgery.OLD
    return Proof(nonce=id_, repeatable=True)


def _key(secret: str) -> Webhook:
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def read(body: bytes, options: Options) -> Reading:
    """The activities that the events carry; raises ValueError for a body that is not JSON."""
    content = msgspec.json.decode(body)
    events = content if isinstance(content, list) else [content]
    parts = [part for n, event in enumerate(events) for part in _read(event, options, f"/{n}")]
    return Reading(
        told=[part for part in parts if isinstance(part, Told)],
        unread=[part for part in parts if isinstance(part, Unread)],
    )


def _read(event: Any, options: Options, place: str) -> Iterator[Told | Unread]:
    if not isinstance(event, dict) or event.get("specversion") != "1.0":
        yield Unread("no-cloudevent", "A CloudEvent says specversion 1.0.", place)
        return
    data = event.get("data")
    if not isinstance(data, dict):
        yield Unread("no-data", "The event carries no activity in its data.", f"{place}/data")
        return
    implied = {"external_id": event.get("id"), "occurred_at": event.get("time")}
    yield plain.told(implied | data, options, pointer=f"{place}/data")


ADAPTER = Adapter(name="cloudevents", title="CloudEvents", prove=prove, read=read)
