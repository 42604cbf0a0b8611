"""What consumer groups have committed, beside how far topics go; and a group set back."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bellwether.stack import Stack
from faults.readers import TOPICS_OF

Offsets = dict[tuple[str, int], int]
"""By topic and partition."""


@asynccontextmanager
async def administrator(stack: Stack) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may ask the broker about topics and groups."""
    admin = AIOKafkaAdminClient(**stack.layout.kafka_options)
    try:
        async with asyncio.timeout(20):
            await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def client(stack: Stack, topics: Iterable[str], group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A client to which all partitions of topics are assigned; it commits for a group without joining it."""
    async with administrator(stack) as admin:
        described = await admin.describe_topics(list(topics))
    asking = AIOKafkaConsumer(**stack.layout.kafka_options, group_id=group, enable_auto_commit=False)
    try:
        async with asyncio.timeout(20):
            await asking.start()
        asking.assign(
            [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]
        )
        yield asking
    finally:
        await asking.stop()


async def committed(stack: Stack, groups: Iterable[str]) -> dict[str, Offsets]:
    """What each group has committed, by group."""
    async with administrator(stack) as admin:
        found = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    return {
        group: {(place.topic, place.partition): at.offset for place, at in offsets.items()}
        for group, offsets in found.items()
    }


async def lags(stack: Stack, groups: Iterable[str]) -> dict[tuple[str, str, int], int]:
    """How many records each group has not committed yet, by group, topic and partition."""
    done = await committed(stack, groups)
    found = {}
    async with client(stack, sorted({topic for group in done for topic in TOPICS_OF[group]})) as asking:
        for place, end in (await asking.end_offsets(sorted(asking.assignment()))).items():
            for group, offsets in done.items():
                if place.topic in TOPICS_OF[group]:
                    found[group, place.topic, place.partition] = end - offsets.get((place.topic, place.partition), 0)
    return found


async def rewind(stack: Stack, group: str, by: int) -> int:
    """Set a group without members back by so many records of each partition; gives how many in all."""
    done = (await committed(stack, [group]))[group]
    async with client(stack, TOPICS_OF[group], group) as asking:
        start = await asking.beginning_offsets(sorted(asking.assignment()))
        now = {place: done.get((place.topic, place.partition), 0) for place in start}
        back = {place: max(int(start[place]), at - by) for place, at in now.items() if at > start[place]}
        if back:
            await asking.commit(back)
        return sum(now[place] - to for place, to in back.items())
