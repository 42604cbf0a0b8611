"""The relay between a real PostgreSQL and a real Kafka: order, pages ahead, and what can't be published."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from sample.service import Settings

from bellwether_kit.db import Database
from bellwether_kit.events import relay as module
from bellwether_kit.events.outbox import RawRecord
from bellwether_kit.events.relay import Relay
from bellwether_kit.ids import uuid7
from bellwether_kit.testing.service import Mailbox


@pytest.fixture
async def topics(kafka: str) -> AsyncIterator[None]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("there", 1, 1)])
    yield
    await admin.delete_topics(["there"])
    await admin.close()


@pytest.fixture
async def relay(topics: None, kafka: str, database: Database) -> AsyncIterator[Relay]:
    made = Relay(Settings(kafka_bootstrap=kafka), database.dsn, source="/sample-svc")
    yield made
    made.stop()
    await made.run()


async def publish(relay: Relay, database: Database) -> int:
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        return await relay.publish(connection)


async def keep(database: Database, *records: tuple[str, str, bytes]) -> list[UUID]:
    made = [RawRecord(uuid7(), topic, key, value, {"a": "b"}) for topic, key, value in records]
    async with database.unit_of_work(None) as uow:
        uow.emit(*made)
    return [record.id for record in made]


def unsent(mailbox: Mailbox) -> list[Any]:
    return [row.event_id for row in mailbox.admin("SELECT event_id FROM outbox WHERE published_at IS NULL ORDER BY id")]


async def on_topic(kafka: str) -> list[bytes]:
    """What is on the topic that is there, oldest first."""
    consumer = AIOKafkaConsumer("there", bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        (partition,) = consumer.assignment()
        end = (await consumer.end_offsets([partition]))[partition]
        return [(await consumer.getone()).value for _ in range(end)]
    finally:
        await consumer.stop()


async def test_a_topic_that_is_missing_holds_up_no_other(relay: Relay, database: Database, mailbox: Mailbox) -> None:
    ids = await keep(
        database, ("missing", "k", b"1"), ("there", "k", b"2"), ("missing", "k", b"3"), ("there", "l", b"4")
    )
    assert await publish(relay, database) == 2
    assert unsent(mailbox) == [ids[0], ids[2]]


async def test_a_record_that_is_too_large_holds_up_only_its_key(
    relay: Relay, database: Database, mailbox: Mailbox
) -> None:
    large = b"x" * 1_100_000
    ids = await keep(database, ("there", "k", b"1"), ("there", "k", large), ("there", "k", b"3"), ("there", "l", b"4"))
    with pytest.raises(KafkaError):
        await publish(relay, database)
    assert unsent(mailbox) == ids[1:3]


async def test_pages_that_are_read_ahead_are_published_once_and_in_order(
    relay: Relay, database: Database, mailbox: Mailbox, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    values = [str(number).encode() for number in range(7)]
    await keep(database, *(("there", "k", value) for value in values))
    assert await publish(relay, database) == relay.published == 7
    assert unsent(mailbox) == []
    assert await on_topic(kafka) == values


async def test_nothing_of_a_page_ahead_overtakes_what_was_left_behind(
    relay: Relay, database: Database, mailbox: Mailbox, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    large = b"x" * 1_100_000
    ids = await keep(database, ("there", "k", b"1"), ("there", "k", large), ("there", "k", b"3"), ("there", "l", b"4"))
    with pytest.raises(KafkaError):
        await publish(relay, database)
    assert unsent(mailbox) == ids[1:]
    assert await on_topic(kafka) == [b"1"]


async def test_a_page_is_marked_though_the_next_one_cannot_be_sent(
    relay: Relay, database: Database, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(producer: Any, row: Any) -> Any:
        if row[5] == b"2":
            raise TimeoutError
        return await send(producer, row)

    send = relay._send
    monkeypatch.setattr(module, "PAGE", 1)
    monkeypatch.setattr(relay, "_send", fail)
    ids = await keep(database, ("there", "k", b"1"), ("there", "k", b"2"), ("there", "k", b"3"))
    with pytest.raises(TimeoutError):
        await publish(relay, database)
    assert unsent(mailbox) == ids[1:]


async def test_a_relay_that_loses_its_database_sends_no_page_ahead(
    relay: Relay, database: Database, mailbox: Mailbox, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(producer: Any, row: Any) -> Any:
        mailbox.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'")
        return await send(producer, row)

    send = relay._send
    monkeypatch.setattr(module, "PAGE", 1)
    monkeypatch.setattr(relay, "_send", cut)
    ids = await keep(database, ("there", "k", b"1"), ("there", "k", b"2"))
    connection = await psycopg.AsyncConnection.connect(database.dsn, autocommit=True, application_name="cut")
    with pytest.raises(psycopg.OperationalError):
        await relay.publish(connection)
    assert unsent(mailbox) == ids
    assert await on_topic(kafka) == [b"1"]


async def test_a_relay_that_is_cancelled_leaves_nothing_running(
    relay: Relay, database: Database, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    reached = asyncio.Event()
    monkeypatch.setattr(relay, "_send_page", hang)
    ids = await keep(database, ("there", "k", b"1"))
    before = asyncio.all_tasks()
    task = asyncio.create_task(publish(relay, database))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() <= before
    assert unsent(mailbox) == ids
