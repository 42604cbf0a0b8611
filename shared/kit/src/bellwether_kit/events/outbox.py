"""Writing events beside the rows they speak of, in the same transaction; publishing them is the relay's work."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit import telemetry
from bellwether_kit.arrays import arrays
from bellwether_kit.events.envelope import MAX_EVENT_BYTES, Event, encode
from bellwether_kit.telemetry import Cause

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


async def write(
    session: AsyncSession, entries: Sequence[Event | RawRecord], *, source: str, causes: Mapping[str, Cause]
) -> None:
    """Store ``entries`` in order with two statements at the most; ``source`` is the CloudEvents source.

    Of subjects among ``causes`` events go back to those, else to the work in hand.
    A key's stream row is locked from here until the transaction ends, so that ids and sequences of one key are
    given out in the order of commits. Raises :class:`EventTooLarge`.
    """
    sequences = await _next_sequences(session, [e for e in entries if isinstance(e, Event)])
    rows: list[tuple[object, ...]] = []
    in_hand = telemetry.cause()
    for entry in entries:
        if isinstance(entry, RawRecord):
            headers = msgspec.json.encode(entry.headers).decode()
            rows.append((entry.id, entry.tenant, entry.topic, entry.key, "dead-letter", 0, entry.value, headers))
            continue
        sequence = next(sequences) if entry.sequence is None else entry.sequence
        value = None
        if entry.data is not None:
            correlation, traceparent = causes.get(entry.subject, in_hand)
            value = encode(entry, source=source, sequence=sequence, correlation=correlation, traceparent=traceparent)
            if len(value) > MAX_EVENT_BYTES:
                raise EventTooLarge(f"{entry.type} of {len(value)} bytes, at most {MAX_EVENT_BYTES}")
        rows.append((entry.id, entry.tenant, entry.topic, entry.key, entry.type, sequence, value, "{}"))
    await session.execute(_INSERT, arrays("ids tenants topics keys types sequences values headers", rows))


async def _next_sequences(session: AsyncSession, events: Sequence[Event]) -> Iterator[int]:
    """The sequences of those events that leave the counting to the outbox, in their order."""
    counted = [(e.tenant, e.topic, e.key) for e in events if e.sequence is None]
    if not counted:
        return iter(())
    # Sorted: two writers that share keys lock them in the same order.
    streams = sorted(Counter(counted).items())
    wanted = arrays("tenants topics keys counts", [(*stream, count) for stream, count in streams])
    result = await session.execute(_BUMP, wanted)
    last: dict[tuple[str, str], int] = {(topic, key): sequence for topic, key, sequence in result}
    following = {(t, k): last[t, k] - count for (_, t, k), count in streams}

    def give(topic: str, key: str) -> int:
        following[topic, key] += 1
        return following[topic, key]

    return iter([give(topic, key) for _, topic, key in counted])
