"""The relay between a real PostgreSQL and a real Kafka: what can't be published holds up nothing else."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from sample.service import Settings

from bellwether_kit.db import Database
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
        return await relay.publish_page(connection)


async def keep(database: Database, *records: tuple[str, str, bytes]) -> list[UUID]:
    made = [RawRecord(uuid7(), topic, key, value, {"a": "b"}) for topic, key, value in records]
    async with database.unit_of_work(None) as uow:
        uow.emit(*made)
    return [record.id for record in made]


def unsent(mailbox: Mailbox) -> list[Any]:
    return [row.event_id for row in mailbox.admin("SELECT event_id FROM outbox WHERE published_at IS NULL ORDER BY id")]


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
