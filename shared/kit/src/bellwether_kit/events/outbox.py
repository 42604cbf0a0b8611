"""Writing events beside the rows they speak of, in the same transaction; publishing them is the relay's work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit import telemetry
from bellwether_kit.events.envelope import MAX_EVENT_BYTES, Event, encode

_BUMP = text("""
    INSERT INTO outbox_stream AS stream (tenant, topic, key, sequence)
    SELECT * FROM unnest(
        CAST(:tenants AS text[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:counts AS bigint[]))
    ON CONFLICT (tenant, topic, key) DO UPDATE SET sequence = stream.sequence + EXCLUDED.sequence
    RETURNING topic, key, sequence
""")

_INSERT = text("""
    INSERT INTO outbox (event_id, tenant, topic, key, type, sequence, value, headers, created_at)
    SELECT event_id, tenant, topic, key, type, sequence, value, CAST(headers AS jsonb), clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tenants AS text[]), CAST(:topics AS text[]), CAST(:keys AS text[]),
                CAST(:types AS text[]), CAST(:sequences AS bigint[]), CAST(:values AS bytea[]),
                CAST(:headers AS text[]))
         WITH ORDINALITY AS e(event_id, tenant, topic, key, type, sequence, value, headers, position)
    ORDER BY position
""")


class EventTooLarge(ValueError):
    """An event over the size limit: it would block its stream for ever, so the unit of work must fail."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """Bytes to pass on as they came, for dead letters."""

    id: UUID
    topic: str
    key: str
    value: bytes | None
    headers: dict[str, str]
    tenant: str = ""


@dataclass(slots=True)
class _Rows:
    ids: list[UUID] = field(default_factory=list)
    tenants: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)


async def write(session: AsyncSession, entries: Sequence[Event | RawRecord], *, source: str) -> None:
    """Store ``entries`` in order with two statements at the most; ``source`` is the CloudEvents source.

    A key's stream row is locked from here until the transaction ends, so that ids and sequences of one key are
    given out in the order of commits. Raises :class:`EventTooLarge`.
    """
    sequences = await _next_sequences(session, [e for e in entries if isinstance(e, Event)])
    rows = _Rows()
    correlation, traceparent = telemetry.correlation.get(), telemetry.current_traceparent()
    for entry in entries:
        if isinstance(entry, RawRecord):
            _append(rows, entry, "dead-letter", 0, entry.value, msgspec.json.encode(entry.headers).decode())
            continue
        sequence = next(sequences) if entry.sequence is None else entry.sequence
        value = None
        if entry.data is not None:
            value = encode(entry, source=source, sequence=sequence, correlation=correlation, traceparent=traceparent)
            if len(value) > MAX_EVENT_BYTES:
                raise EventTooLarge(f"{entry.type} of {len(value)} bytes, at most {MAX_EVENT_BYTES}")
        _append(rows, entry, entry.type, sequence, value, "{}")
    columns = {name: getattr(rows, name) for name in rows.__slots__}
    await session.execute(_INSERT, columns)


def _append(
    rows: _Rows, entry: Event | RawRecord, type_: str, sequence: int, value: bytes | None, headers: str
) -> None:
    rows.ids.append(entry.id)
    rows.tenants.append(entry.tenant)
    rows.topics.append(entry.topic)
    rows.keys.append(entry.key)
    rows.types.append(type_)
    rows.sequences.append(sequence)
    rows.values.append(value)
    rows.headers.append(headers)


async def _next_sequences(session: AsyncSession, events: Sequence[Event]) -> Iterator[int]:
    """The sequences of those events that leave the counting to the outbox, in their order."""
    counted = [(e.tenant, e.topic, e.key) for e in events if e.sequence is None]
    if not counted:
        return iter(())
    # Sorted: two writers that share keys lock them in the same order.
    streams = sorted(Counter(counted).items())
    result = await session.execute(
        _BUMP,
        {
            "tenants": [stream[0] for stream, _ in streams],
            "topics": [stream[1] for stream, _ in streams],
            "keys": [stream[2] for stream, _ in streams],
            "counts": [count for _, count in streams],
        },
    )
    last: dict[tuple[str, str], int] = {(topic, key): sequence for topic, key, sequence in result}
    following = {(t, k): last[t, k] - count for (_, t, k), count in streams}

    def give(topic: str, key: str) -> int:
        following[topic, key] += 1
        return following[topic, key]

    return iter([give(topic, key) for _, topic, key in counted])
