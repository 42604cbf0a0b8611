"""All topics read from their beginning by a fresh client, keeping of each record only what the judge needs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer

from bellwether.stack import Stack


class _Head(msgspec.Struct):
    id: str | None = None
    sequence: int | None = None


_head = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Line:
    """One record: where it lies and, of an event, its id and sequence. Headers are kept of dead letters only."""

    topic: str
    partition: int
    offset: int
    key: str
    id: str | None
    sequence: int | None
    headers: Mapping[str, str]


async def lines(stack: Stack, *topics: str, within: float = 180) -> list[Line]:
    """All records of the topics now, of each partition in order; TimeoutError when that takes longer, in seconds."""
    consumer = AIOKafkaConsumer(*topics, **stack.layout.kafka_options, auto_offset_reset="earliest")
    found: list[Line] = []
    async with asyncio.timeout(within):
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=200, max_records=5_000)).values():
                    found += [line(raw) for raw in batch]
        finally:
            await consumer.stop()
    return found


def line(raw: Any) -> Line:
    """What is kept of a record; a tombstone and what is no event have no id."""
    try:
        head = _head.decode(raw.value or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        head = _Head()
    buried = raw.topic.endswith("-dlq")
    headers = {name: value.decode() for name, value in raw.headers} if buried else {}
    key = (raw.key or b"").decode(errors="replace")
    return Line(raw.topic, raw.partition, raw.offset, key, None if buried else head.id, head.sequence, headers)
