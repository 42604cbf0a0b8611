"""The CloudEvents 1.0 envelope on Kafka: written in structured mode, read in structured and binary mode."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

from bellwether_kit.events.payload import Payload, UtcTime
from bellwether_kit.ids import uuid7

CONTENT_TYPE = "application/cloudevents+json"
MAX_EVENT_BYTES = 256 * 1024
"""The largest event that is written, and that is read: half of what a batch may hold, far below the broker's limit."""

T = TypeVar("T")


class Malformed(ValueError):
    """A record that is not an event we can read: the reason is the message."""

    KINDS: ClassVar = frozenset({"oversized", "undecodable", "unknown-type", "schema-invalid"})

    @property
    def kind(self) -> str:
        """The reason in one word, as dead letters have it: ``schema-invalid``."""
        return str(self).partition(":")[0].replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """One event as a handler gets it: the envelope's attributes, the record's position, and its decoded data."""

    id: UUID
    type: str
    tenant: str
    subject: str
    key: str
    time: datetime
    sequence: int | None
    correlation_id: str | None
    traceparent: str | None
    topic: str
    partition: int
    offset: int
    data: T


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way out, as a unit of work emits it."""

    topic: str
    type: str
    tenant: str
    subject: str
    key: str
    time: datetime
    data: Payload | None
    sequence: int | None = None
    cause: Received[Any] | None = None
    id: UUID = field(default_factory=uuid7)

    @classmethod
    def of(
        cls,
        data: Payload,
        *,
        tenant: str,
        subject: str,
        time: datetime,
        key: str | None = None,
        sequence: int | None = None,
        cause: Received[Any] | None = None,
    ) -> "Event":
        """The event that says ``data`` about ``subject``.

        ``key`` is the record key (default ``<tenant>/<subject>``); ``sequence`` is dense per key and counted by the
        outbox unless the aggregate counts it itself; ``cause`` is the event that led to this one.
        """
        key = key or f"{tenant}/{subject}"
        return cls(data.topic, data.event_type, tenant, str(subject), key, time, data, sequence, cause)

    @classmethod
    def tombstone_of(cls, topic: str, *, tenant: str, key: str, time: datetime) -> "Event":
        """A record without a value, by which a compacted topic forgets ``key``."""
        return cls(topic, "tombstone", tenant, "", key, time, None)


class _Written(msgspec.Struct, frozen=True, omit_defaults=True):
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    dataschema: str
    tenantid: str
    partitionkey: str
    sequence: int
    data: Payload
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None


class _Structured(msgspec.Struct, frozen=True):
    specversion: str
    id: UUID
    source: str
    type: str
    tenantid: str
    time: UtcTime
    data: msgspec.Raw
    subject: str = ""
    sequence: int | None = None
    correlationid: str | None = None
    traceparent: str | None = None


_encoder = msgspec.json.Encoder()
_structured = msgspec.json.Decoder(_Structured)
_FIXED = b'{"specversion":"1.0","datacontenttype":"application/json",'


def encode(event: Event, *, source: str, sequence: int, correlation: str | None, traceparent: str | None) -> bytes:
    """The structured-mode bytes of ``event``; ``source`` is the producing service (``/metrics-svc``)."""
    assert event.data is not None
    cause = event.cause
    body = _encoder.encode(
        _Written(
            event.id,
            source,
            event.type,
            event.subject,
            event.time,
            f"/schemas/{event.type}.json",
            event.tenant,
            event.key,
            sequence,
            event.data,
            cause.correlation_id if cause and cause.correlation_id else correlation,
            str(cause.id) if cause else None,
            cause.traceparent if cause and cause.traceparent else traceparent,
        )
    )
    return _FIXED + body[1:]


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that was read, with its data still undecoded."""

    id: UUID
    type: str
    tenant: str
    subject: str
    time: datetime
    sequence: int | None
    correlation_id: str | None
    traceparent: str | None
    data: bytes | msgspec.Raw


def open_envelope(value: bytes, headers: Mapping[str, bytes]) -> Opened:
    """Read an envelope from a record's value and headers; raises :class:`Malformed` with the reason."""
    if len(value) > MAX_EVENT_BYTES:
        raise Malformed(f"oversized: {len(value)} bytes, at most {MAX_EVENT_BYTES}")
    try:
        if headers and _is_binary(headers):
            return _open_binary(value, headers)
        e = _structured.decode(value)
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed(f"undecodable: {error}") from error
    if e.specversion != "1.0":
        raise Malformed(f"undecodable: CloudEvents {e.specversion}")
    return Opened(e.id, e.type, e.tenantid, e.subject, e.time, e.sequence, e.correlationid, e.traceparent, e.data)


def _is_binary(headers: Mapping[str, bytes]) -> bool:
    """Binary mode says so by a content type of its own; structured mode may repeat ``ce_`` headers for filters."""
    return "ce_specversion" in headers and not headers.get("content-type", CONTENT_TYPE.encode()).startswith(
        b"application/cloudevents"
    )


def _open_binary(value: bytes, headers: Mapping[str, bytes]) -> Opened:
    text = {name[3:]: raw.decode() for name, raw in headers.items() if name.startswith("ce_")}
    attributes = msgspec.convert({**text, "data": msgspec.Raw(b"{}")}, _Structured, strict=False)
    return Opened(
        attributes.id,
        attributes.type,
        attributes.tenantid,
        attributes.subject,
        attributes.time,
        attributes.sequence,
        attributes.correlationid,
        attributes.traceparent,
        value,
    )
