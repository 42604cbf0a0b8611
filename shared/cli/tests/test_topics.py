"""Topics on a real broker: made once, never changed, differences told."""

from uuid import uuid4

import pytest

from bellwether.contracts.catalogue import Topic
from bellwether.errors import EngineFailed
from bellwether.topics import Wanted, apply_topics, wanted_topics


@pytest.fixture
def wanted() -> list[Wanted]:
    topic = Topic(
        name=f"check-{uuid4().hex[:8]}",
        purpose="A topic of this test.",
        owner="tests",
        producer="nobody",
        consumers=(),
        types=(),
        key="tenant/account",
        partitions=4,
        retention_ms=86_400_000,
        cleanup_policy="delete",
        personal_data={"contains": False, "why": "none"},
    )
    return wanted_topics([topic])


def test_each_topic_brings_a_dead_letter_topic_that_keeps_records_90_days(wanted: list[Wanted]) -> None:
    topic, dead = wanted

    assert dead.name == f"{topic.name}-dlq"
    assert dead.partitions == 3
    assert dead.config == {"cleanup.policy": "delete", "retention.ms": str(90 * 86_400_000)}


async def test_applying_twice_creates_once(kafka: str, wanted: list[Wanted]) -> None:
    first = await apply_topics({"bootstrap_servers": kafka}, wanted)
    second = await apply_topics({"bootstrap_servers": kafka}, wanted)

    names = tuple(topic.name for topic in wanted)
    assert (first.created, first.present, first.differing) == (names, (), ())
    assert (second.created, second.present, second.differing) == ((), names, ())


async def test_other_partitions_and_other_settings_are_reported_not_changed(kafka: str, wanted: list[Wanted]) -> None:
    name = wanted[0].name
    options = {"bootstrap_servers": kafka}
    await apply_topics(options, [Wanted(name, 2, {"cleanup.policy": "compact"})])

    applied = await apply_topics(options, wanted[:1])
    again = await apply_topics(options, wanted[:1])

    assert applied.differing[0] == f"{name} has 2 partitions, its file says 4"
    assert applied.differing[1] == f"{name} has cleanup.policy=compact, its file says delete"
    assert f"{name} has retention.ms=" in applied.differing[2]
    assert again.differing == applied.differing


async def test_a_broker_that_is_away_is_said_so() -> None:
    with pytest.raises(EngineFailed, match=r"Kafka at 127\.0\.0\.1:1 does not answer"):
        await apply_topics({"bootstrap_servers": "127.0.0.1:1"}, [])
