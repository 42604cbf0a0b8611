"""What lies on the topics, read by a fresh client from the start, and records put there by hand."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bellwether.stack import Stack

TOPICS = (
    "accounts",
    "stakeholders",
    "client-evidence",
    "client-metrics",
    "account-scores",
    "account-alerts",
    "account-plans",
)
Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Record:
    """One record as Kafka has it."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: Headers

    @property
    def event(self) -> dict[str, Any]:
        """The envelope; empty for a tombstone."""
        return dict(msgspec.json.decode(self.value)) if self.value else {}

    @property
    def type(self) -> str:
        """The event's type; empty for a tombstone."""
        return str(self.event.get("type", ""))

    @property
    def data(self) -> dict[str, Any]:
        """What the event says."""
        return dict(self.event["data"])

    @property
    def header(self) -> dict[str, str]:
        """The headers as texts."""
        return {name: value.decode() for name, value in self.headers}


async def read(stack: Stack, *topics: str, tenant: str | None = None) -> list[Record]:
    """All records of the topics now, per partition in order; only those whose key is the tenant's, if one is given."""
    consumer = AIOKafkaConsumer(*topics, **stack.layout.kafka_options, auto_offset_reset="earliest")
    found: list[Record] = []
    async with asyncio.timeout(60):
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += [_record(raw) for raw in batch]
        finally:
            await consumer.stop()
    return [record for record in found if tenant is None or record.key.startswith(f"{tenant}/")]


async def of_type(stack: Stack, topic: str, type_: str, tenant: str) -> list[Record]:
    """The tenant's records of one event type."""
    return [record for record in await read(stack, topic, tenant=tenant) if record.type == type_]


async def produce(stack: Stack, records: Iterable[Record]) -> None:
    """Put records on their topics and partitions, in this order, as they are."""
    producer = AIOKafkaProducer(**stack.layout.kafka_options, acks="all")
    async with asyncio.timeout(60):
        await producer.start()
        try:
            for record in records:
                place = {"partition": record.partition, "headers": list(record.headers)}
                await producer.send(record.topic, record.value, record.key.encode(), **place)
            await producer.flush()
        finally:
            await producer.stop()


def in_order(records: Sequence[Record]) -> bool:
    """Whether of each key the first occurrences of its sequence numbers are 1, 2, 3… without a gap."""
    seen: dict[tuple[str, str], int] = {}
    for record in records:
        if record.value is None:
            continue
        place, number = (record.topic, record.key), record.event["sequence"]
        last = seen.get(place, 0)
        if number > last + 1:
            return False
        seen[place] = max(last, number)
    return True


def _record(raw: Any) -> Record:
    key = (raw.key or b"").decode(errors="replace")
    return Record(raw.topic, raw.partition, raw.offset, key, raw.value, tuple(raw.headers))
