"""Groups and their offsets, on a real broker."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from bellwether.topics import apply_topics
from bellwether_kit.testing.eventually import eventually
from faults import offsets
from faults.readers import TOPICS_OF


@pytest.fixture
async def stack(kafka: str) -> Any:
    """What of a stack is asked here: its broker, with all topics, on one of which three records lie."""
    await apply_topics({"bootstrap_servers": kafka})
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()

    async def sent() -> int:
        try:
            return int((await producer.send_and_wait("account-scores", b"{}", b"acme/1", partition=0)).offset) + 1
        except KafkaError:  # a topic that was just made has no leader for a moment
            return 0

    try:
        ends: list[int] = [await eventually(sent) for _ in range(3)]
    finally:
        await producer.stop()
    return SimpleNamespace(layout=SimpleNamespace(kafka_options={"bootstrap_servers": kafka}), end=ends[-1])


async def test_a_group_that_committed_has_no_lag_until_it_is_set_back(stack: Any) -> None:
    place = "account-scores", 0
    member = AIOKafkaConsumer(**stack.layout.kafka_options, group_id="profile")
    await member.start()
    member.assign([TopicPartition(*place)])
    await member.commit({TopicPartition(*place): stack.end})
    await member.stop()

    assert (await offsets.committed(stack, ["profile"]))["profile"][place] == stack.end
    lags = await offsets.lags(stack, ["profile"])
    assert lags["profile", *place] == 0
    assert {topic for _, topic, _ in lags} == set(TOPICS_OF["profile"])

    assert await offsets.rewind(stack, "profile", 2) == 2
    assert (await offsets.lags(stack, ["profile"]))["profile", *place] == 2


async def test_a_group_that_never_committed_lags_behind_every_record_and_cannot_be_set_back(stack: Any) -> None:
    assert (await offsets.lags(stack, ["plan"]))["plan", "account-scores", 0] >= 3
    assert await offsets.rewind(stack, "plan", 2) == 0
