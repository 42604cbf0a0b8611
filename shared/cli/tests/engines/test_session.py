"""The engines that all other tests stand on."""

import psycopg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bellwether.engines.session import Engines


def test_postgres_is_version_18_and_throws_durability_away_for_tests(postgres: str) -> None:
    with psycopg.connect(postgres) as session:
        version = session.execute("SHOW server_version_num").fetchone()
        fsync = session.execute("SHOW fsync").fetchone()

    assert version is not None
    assert int(version[0]) // 10000 == 18
    assert fsync == ("off",)


async def test_kafka_creates_a_topic_when_told_and_only_then(engines: Engines) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("engine-check", num_partitions=3, replication_factor=1)])
        described = await admin.describe_topics(["engine-check", "never-created"])
        topics = await admin.list_topics()
    finally:
        await admin.close()

    assert [len(topic["partitions"]) for topic in described] == [3, 0]
    assert "never-created" not in topics
