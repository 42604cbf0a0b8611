"""Records that nobody can read: of several kinds, on several topics, each with those who must bury it."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaProducer

from bellwether.stack import Stack
from faults.readers import SUBSCRIPTIONS, readers

Spot = tuple[str, int, int]
"""Topic, partition, offset."""
GARBAGE: Final = (b"\xff\xfe not json", b"{}", b'{"specversion":"1.0","id":1}', b"[" * 50)
WEIGHTS: Final = {"client-evidence": 14, "client-metrics": 3, "accounts": 1, "stakeholders": 1, "account-scores": 1}
"""How often each topic is chosen: those with few records get little, or their readers would stop for a person."""


@dataclass(frozen=True)
class Poison:
    """A record that was laid, and the services that can't read it."""

    spot: Spot
    kind: str
    readers: frozenset[str]


def brewed(rng: random.Random, topic: str) -> tuple[str, bytes, frozenset[str]]:
    """One record for a topic: its kind, its bytes, and whom it poisons."""
    kind = rng.choice(("undecodable", "schema", "unknown-type", "version"))
    types = sorted({row.type for rows in SUBSCRIPTIONS.values() for row in rows if row.topic == topic and row.handler})
    type_ = rng.choice(types)
    if kind == "undecodable":
        return kind, rng.choice(GARBAGE), readers(topic, None)
    if kind == "schema":
        return kind, _event(rng, type=type_, data="what is no object"), readers(topic, type_)
    if kind == "version":
        return kind, _event(rng, type=type_, specversion="0.3"), readers(topic, None)
    return kind, _event(rng, type="client.mood.guessed.v1"), readers(topic, None)


def _event(rng: random.Random, **said: Any) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": str(UUID(int=rng.getrandbits(128), version=4)),
        "source": "/nobody",
        "tenantid": "acme",
        "subject": "nobody",
        "time": "2026-01-01T00:00:00Z",
        "sequence": 1,
        "data": {},
    }
    return json.dumps(envelope | said).encode()


@asynccontextmanager
async def _producer(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**stack.layout.kafka_options, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def lay(stack: Stack, rng: random.Random, count: int) -> list[Poison]:
    """Put so many records on topics; gives where they lie and whom they poison."""
    laid = []
    async with _producer(stack) as producer:
        for topic in rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count):
            kind, value, whom = brewed(rng, topic)
            sent = await producer.send_and_wait(topic, value, f"acme/{rng.random()}".encode())
            laid.append(Poison((topic, sent.partition, sent.offset), kind, whom))
    return laid
