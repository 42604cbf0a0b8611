"""What each service may do on a broker, as the topic files say it."""

import pytest

from bellwether.acls import Acl, apply_acls, wanted_acls
from bellwether.contracts.catalogue import Consumer, Topic, topics
from bellwether.errors import EngineFailed
from bellwether.home import repository_root


def a_topic(name: str, producer: str, *consumers: str) -> Topic:
    return Topic(
        name=name,
        purpose="A topic of this test.",
        owner=producer,
        producer=producer,
        consumers=tuple(Consumer(service, ()) for service in consumers),
        types=(),
        key="tenant/account",
        partitions=1,
        retention_ms=None,
        cleanup_policy="compact",
        personal_data={"contains": False, "why": "none"},
    )


def test_a_producer_writes_and_a_consumer_reads_in_its_group_and_buries() -> None:
    assert wanted_acls([a_topic("orders", "sales-svc", "stock-svc", "mail-svc")]) == [
        Acl("mail", "read", "group", "mail"),
        Acl("mail", "read", "topic", "orders"),
        Acl("mail", "write", "topic", "orders-dlq"),
        Acl("sales", "write", "topic", "orders"),
        Acl("stock", "read", "group", "stock"),
        Acl("stock", "read", "topic", "orders"),
        Acl("stock", "write", "topic", "orders-dlq"),
    ]


def test_a_topic_that_nobody_reads_is_only_written() -> None:
    assert wanted_acls([a_topic("orders", "sales-svc")]) == [Acl("sales", "write", "topic", "orders")]


def test_of_each_topic_of_the_repository_one_service_is_the_writer() -> None:
    files = topics(repository_root())
    acls = wanted_acls(files)
    for topic in files:
        writers = [acl.user for acl in acls if (acl.operation, acl.name) == ("write", topic.name)]
        assert writers == [topic.producer.removesuffix("-svc")]
    assert not [acl for acl in acls if acl.resource == "group" and acl.name != acl.user]


async def test_a_broker_without_locks_takes_no_rules_and_says_so(kafka: str) -> None:
    with pytest.raises(EngineFailed, match="access rules cannot be told: SecurityDisabled"):
        await apply_acls({"bootstrap_servers": kafka})


async def test_a_broker_that_is_away_is_said_so() -> None:
    with pytest.raises(EngineFailed, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        await apply_acls({"bootstrap_servers": "127.0.0.1:1"})
