"""What is not done yet: records that groups have to read, and what each service's own worker and database tell."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, KafkaError

from bellwether.contracts.catalogue import Topic
from bellwether.operations.databases import connected
from bellwether.topics import no_answer

ASK_SECONDS = 30.0
PAUSE = 0.2

_LEFT = """
    SELECT count(*) AS outbox_unsent,
        greatest(coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0), 0)::float8 AS outbox_oldest,
        (SELECT count(*) FROM dead_letter WHERE replay_outcome IS NULL OR replay_outcome NOT IN ('done', 'discarded'))
            AS dead_letters_open,
        (SELECT count(*) FROM dead_letter WHERE replay_due_at IS NOT NULL) AS replays_waiting
    FROM outbox WHERE published_at IS NULL
"""


@dataclass(frozen=True)
class PartitionLag:
    """Offsets of one partition. A group that committed nothing yet starts at the beginning."""

    partition: int
    committed: int
    end: int


@dataclass(frozen=True)
class TopicLag:
    """What a group has to read of a topic; sums over the partitions. -1 stands for a topic that is not there."""

    group: str
    topic: str
    committed: int
    end: int
    lag: int
    partitions: tuple[PartitionLag, ...]


@dataclass(frozen=True)
class Backlog:
    """Rows of a service; the age of its oldest unsent event in seconds; None where no worker could be asked."""

    service: str
    outbox_unsent: int
    outbox_oldest: float
    dead_letters_open: int
    replays_waiting: int
    timers_due: int | None
    halted: str | None


def topic_lags(options: Mapping[str, Any], files: Iterable[Topic]) -> list[TopicLag]:
    """Of each group that the topic files name, what it has to read; raises EngineFailed."""
    return asyncio.run(_topic_lags(options, files))


async def _topic_lags(options: Mapping[str, Any], files: Iterable[Topic]) -> list[TopicLag]:
    read = sorted({(c.service.removesuffix("-svc"), topic.name) for topic in files for c in topic.consumers})
    admin, reader = AIOKafkaAdminClient(**options), AIOKafkaConsumer(**options)
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await admin.start()
            await reader.start()
            there = set(await admin.list_topics())
            known = sorted({name for _, name in read} & there)
            parts = {
                entry["topic"]: [TopicPartition(entry["topic"], part["partition"]) for part in entry["partitions"]]
                for entry in await admin.describe_topics(known)
            }
            every = [part for of_topic in parts.values() for part in of_topic]
            first, last = await reader.beginning_offsets(every), await reader.end_offsets(every)
            done = {group: await _committed(admin, group) for group in {group for group, _ in read}}
    except (KafkaError, OSError, TimeoutError) as error:
        raise no_answer(options, error) from error
    finally:
        await reader.stop()
        await admin.close()
    found = []
    for group, topic in read:
        each = [
            PartitionLag(part.partition, done[group][part].offset if part in done[group] else first[part], last[part])
            for part in sorted(parts.get(topic, ()))
        ]
        found.append(_summed(group, topic, each) if topic in there else TopicLag(group, topic, -1, -1, -1, ()))
    return found


async def _committed(admin: AIOKafkaAdminClient, group: str) -> Mapping[TopicPartition, Any]:
    """What a group committed. A new broker makes the place where groups are kept when it is first asked of one."""
    while True:
        try:
            return dict(await admin.list_consumer_group_offsets(group))
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
            await asyncio.sleep(PAUSE)


def _summed(group: str, topic: str, each: list[PartitionLag]) -> TopicLag:
    committed, end = sum(part.committed for part in each), sum(part.end for part in each)
    lag = sum(max(0, part.end - part.committed) for part in each)
    return TopicLag(group, topic, committed, end, lag, tuple(each))


def backlogs(urls: Mapping[str, str], workers: Mapping[str, str]) -> list[Backlog]:
    """Of each service in ``urls`` (its database) what its database and, where ``workers`` has one, its worker tell."""
    with ThreadPoolExecutor(len(urls) or 1) as pool:
        return list(pool.map(lambda service: backlog(service, urls[service], workers.get(service)), urls))


def backlog(service: str, url: str, worker: str | None) -> Backlog:
    """What one service's database and its worker (the address of its health port) tell; raises EngineFailed."""
    with connected(service, url) as connection:
        row = connection.execute(_LEFT).fetchone()
    assert row is not None
    told = progress(worker) if worker else {}
    return Backlog(service, **row._asdict(), timers_due=told.get("timers_due"), halted=told.get("halted"))


def progress(worker: str) -> dict[str, Any]:
    """What the worker at an address says of its progress; nothing where it does not answer."""
    try:
        answer = httpx.get(f"{worker}/health/progress", timeout=5)
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}
    except (httpx.TransportError, ValueError):
        return {}
