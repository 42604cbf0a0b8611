"""The stack's own engines: durable data, outages on demand, a second start on other ports."""

import asyncio
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from bellwether.engines import kafka, postgres
from bellwether.home import Home
from bellwether.stack import Stack
from bellwether_kit.events.kafka import producer_options
from bellwether_kit.testing.eventually import eventually


@pytest.fixture
def without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_POSTGRES_URL", raising=False)
    monkeypatch.delenv("BELLWETHER_KAFKA_BOOTSTRAP", raising=False)


@pytest.mark.usefixtures("without_servers")
def test_engines_keep_their_data_come_back_from_an_outage_and_start_again_elsewhere(stack_home: Home) -> None:
    stack = Stack(stack_home, services=(), any_port=True)
    stack.start()
    try:
        with psycopg.connect(stack.layout.postgres_url, autocommit=True) as session:
            session.execute("CREATE TABLE kept AS SELECT 7 AS number")
            assert session.execute("SHOW fsync").fetchone() == ("on",)
        stack.halt("kafka")
        away = kafka.answers_at(stack.layout.kafka_bootstrap)
        stack.resume("kafka")
        back = kafka.answers_at(stack.layout.kafka_bootstrap)
        first = stack.layout.postgres_url
        stack.stop()
        gone = postgres.answers(first)
        stack.start()
        with psycopg.connect(stack.layout.postgres_url) as session:
            kept = session.execute("SELECT number FROM kept").fetchone()
    finally:
        stack.stop()

    assert (away, back, gone, kept) == (False, True, False, (7,))


async def test_of_three_brokers_one_may_be_away(
    stack_home: Home, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_POSTGRES_URL", postgres)
    monkeypatch.delenv("BELLWETHER_KAFKA_BOOTSTRAP", raising=False)
    stack = Stack(stack_home, services=(), any_port=True, brokers=3)
    await asyncio.to_thread(stack.start)
    producer = AIOKafkaProducer(**producer_options(stack.layout.kafka_settings))
    await producer.start()
    try:
        await asyncio.to_thread(stack.halt, "kafka")
        # Every partition has one replica less, a third of them another leader; so has the quorum, perhaps.
        await asyncio.gather(*[producer.send_and_wait("client-evidence", b"1", partition=each) for each in range(12)])
        await asyncio.to_thread(stack.resume, "kafka")
        await eventually(lambda: _all_in_sync(stack), within=60)
        topics = await _described(stack)
        health = {process.name: process.health for process in (await asyncio.to_thread(stack.status)).processes}
    finally:
        await producer.stop()
        await asyncio.to_thread(stack.stop)

    assert {len(part["replicas"]) for topic in topics for part in topic["partitions"]} == {3}
    assert health == {"kafka": "ok", "kafka-2": "ok", "kafka-3": "ok"}


async def _described(stack: Stack) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(**stack.layout.kafka_options)
    await admin.start()
    try:
        return list(await admin.describe_topics())
    finally:
        await admin.close()


async def _all_in_sync(stack: Stack) -> bool:
    return all(len(part["isr"]) == 3 for topic in await _described(stack) for part in topic["partitions"])
