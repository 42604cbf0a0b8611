"""Aircall: ``call.*`` webhooks. A call is told once it is over, and again by each later event that knows more of it.

The account is the contact's e-mail domain, else the number (see ``records.by_phone``). The proof is the webhook's
``token`` in the body; Aircall signs nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, convert

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.records import Untold, by_phone, by_token, companies, each, of_seconds, person, phone, records
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Greeting, Options, Proof, Reading
from metrics_svc.intake.rules import Told


class _Email(Struct):
    value: str = ""


class _Contact(Struct):
    emails: list[_Email] = []


class _User(Struct):
    email: str | None = None


class _Call(Struct):
    id: int
    direction: str
    status: str
    started_at: int
    answered_at: int | None = None
    duration: int | None = None
    voicemail: str | None = None
    missed_call_reason: str | None = None
    raw_digits: str | None = None
    user: _User | None = None
    contact: _Contact | None = None


class _Webhook(Struct):
    event: str
    timestamp: int
    data: dict[str, Any]


class _Shown(Struct):
    token: str = ""


def prove(delivery: Delivery, secrets: Sequence[str]) -> Proof | Forgery:
    """Whether the webhook's token is one of ``secrets``."""
    try:
        shown = [convert(record, _Shown).token for _, record in records(delivery.body)]
    except ValueError:
        return Forgery.MISSING
    return by_token(shown[0] if len(shown) == 1 else None, secrets, delivery.body)


def read(body: bytes, options: Options) -> Reading:
    """The call that a webhook tells of."""
    return each(records(body), _Webhook, lambda webhook: _told(webhook, options))


def _told(webhook: _Webhook, options: Options) -> Iterator[Told]:
    if not webhook.event.startswith("call."):
        raise Untold("no-call", f"Only calls are activities, not {webhook.event[:60]}.", "/event")
    call = convert(webhook.data, _Call)
    if call.status != "done":
        raise Untold("not-over", "The call is not over yet.", "/data/status")
    started_at = of_seconds(call.started_at, pointer="/data/started_at")
    updated_at = of_seconds(webhook.timestamp, pointer="/timestamp")
    if started_at is None or call.direction not in {"inbound", "outbound"}:
        raise Untold("malformed-record", "A call is inbound or outbound.", "/data/direction")
    account, contacts = _client(call, options)
    yield Told(
        source=options.source,
        external_id=str(call.id),
        type="call",
        direction=call.direction,
        outcome=_outcome(call),
        occurred_at=started_at,
        updated_at=updated_at,
        revision=2 * max(0, webhook.timestamp) + (call.voicemail is not None),
        account=account,
        contacts=contacts,
        owner=call.user.email if call.user else None,
        attributes={"duration_s": call.duration, "missed_call_reason": call.missed_call_reason},
    )


def _outcome(call: _Call) -> str:
    if call.voicemail is not None:
        return "voicemail"
    return "no-answer" if call.answered_at is None else "connected"


def _client(call: _Call, options: Options) -> tuple[Reference, tuple[Reference, ...]]:
    """The account, and the person by the address that names it, else by the number."""
    known = companies([email.value for email in call.contact.emails] if call.contact else [], options.own_domains)
    for domain, addresses in known.items():
        return Reference(kind="domain", value=domain), (person(addresses[0]),)
    number = phone(call.raw_digits)
    if number is None:
        raise Untold("without-client", "The call has neither a contact's address nor a number.", "/data/raw_digits")
    return by_phone(number), (Reference(kind="external", source="phone", value=number),)


ADAPTER = Adapter(name="aircall", title="Aircall", prove=prove, read=read, greeting=Greeting(200))
